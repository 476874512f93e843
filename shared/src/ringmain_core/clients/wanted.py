"""What somebody asked for: the entry, what comes with it, and what is left to do by hand."""

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ringmain_core.clients.catalogue import Client
from ringmain_core.clients.computer import Computer
from ringmain_core.clients.launch import bridge, this_program
from ringmain_core.clients.shapes import Entry
from ringmain_core.clients.variables import (
    Setting,
    given,
    harmless,
    secret_folder,
    secrets_for,
    settings_of,
)
from ringmain_core.connector import AnyConnector
from ringmain_core.errors import ConfigurationError
from ringmain_core.settings import CoreSettings
from ringmain_core.versions import LATEST

PLACEHOLDER = "Bearer PASTE-THE-KEY-HERE"
_HEADER = "RINGMAIN_AUTHORIZATION"


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A secret that the client keeps none of: a file that its setting refers to.

    Attributes:
        value: What the setting is in this environment, if anything.
    """

    setting: Setting
    path: Path
    value: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """An entry, and what comes with it.

    Attributes:
        inputs: What the client asks people for, beside its servers.
        files: Secrets that have to be put into files.
        then: What is left to do, in sentences.
    """

    entry: Entry
    inputs: tuple[dict[str, Any], ...] = ()
    files: tuple[SecretFile, ...] = ()
    then: tuple[str, ...] = field(default=())


def wanted(
    connector: AnyConnector, client: Client, name: str, options: Namespace, computer: Computer, state: Path
) -> Wanted:
    """What the options ask for.

    Raises:
        ConfigurationError: Where they do not go together, or something is missing on this computer.
    """
    if options.http is not None:
        if options.env:
            raise ConfigurationError(
                "--env is for a server that the client starts; --http names one that runs"
            )
        return _remote(connector, client, name, options, computer)
    if options.sign_in:
        raise ConfigurationError("--sign-in goes with --http")
    return _local(connector, client, name, options, computer, state)


def known_settings(connector: AnyConnector) -> Mapping[str, Setting]:
    """The variables that a connector reads, its own first."""
    return settings_of(connector.settings, CoreSettings)


def _local(
    connector: AnyConnector, client: Client, name: str, options: Namespace, computer: Computer, state: Path
) -> Wanted:
    known = known_settings(connector)
    env = given(options.env, known)
    prefix = str(connector.settings.model_config.get("env_prefix", ""))
    inputs: list[dict[str, Any]] = []
    files: list[SecretFile] = []
    then: list[str] = []
    for setting in secrets_for(prefix, options.secret, known, env, computer.environment):
        value = computer.environment.get(setting.name, "")
        if value and harmless(value):
            env[setting.name] = value
        elif client.asks:
            word = setting.name.removeprefix(prefix).removeprefix("RINGMAIN_").lower().replace("_", "-")
            inputs.append(_input(f"{name}-{word}", f"{setting.name}: {setting.description}"))
            env[setting.name] = f"${{input:{inputs[-1]['id']}}}"
            then.append(f"{client.title} asks for {setting.name} the first time, and keeps it.")
        else:
            path = secret_folder(state, name, options.project) / setting.name
            files.append(SecretFile(setting, path, value))
            env[setting.name] = f"file:{path}"
    if not any(known[one].secret for one in env if one in known):
        others = ", ".join(one.name for one in known.values() if one.whole and one.name.startswith(prefix))
        then.append(f"The entry has no secret. If this needs one, repeat it with `--secret NAME`: {others}.")
    left = [
        one for one in known if one not in env and not known[one].secret and computer.environment.get(one)
    ]
    if left:
        then.append(f"Set here, and not in the entry: {', '.join(left)}. `--env NAME=VALUE` adds them.")
    launch = replace(
        this_program(connector.distribution, connector.version, computer), env=tuple(env.items())
    )
    return Wanted(
        _named(client.entry(launch), client, connector, name), tuple(inputs), tuple(files), tuple(then)
    )


def _remote(
    connector: AnyConnector, client: Client, name: str, options: Namespace, computer: Computer
) -> Wanted:
    url = checked_url(options.http)
    variable = next(iter(options.secret), f"RINGMAIN_{connector.name.upper()}_API_KEY")
    if options.sign_in:
        entry = client.remote(url, None) if client.remote else client.entry(bridge(url, None, computer))
        then = f"{client.title} opens a browser to sign in, the first time it uses the server."
        return Wanted(_named(entry, client, connector, name), then=(then,))
    if client.remote and client.asks:
        asked = _input(f"{name}-key", f"API key for {url}")
        entry = client.remote(url, f"Bearer ${{input:{asked['id']}}}")
        return Wanted(
            entry, (asked,), then=(f"{client.title} asks for the key the first time, and keeps it.",)
        )
    if client.remote and client.variable:
        reference = client.variable.format(variable)
        entry = client.remote(url, reference if client.form == "toml" else f"Bearer {reference}")
        if client.form == "yaml":
            entry["env_keys"] = [variable]
        then = f"Set {variable} to the key in the environment that {client.title} starts in."
        return Wanted(_named(entry, client, connector, name), then=(then,))
    launch = bridge(url, f"${{{_HEADER}}}", computer)
    entry = client.entry(replace(launch, env=(*launch.env, (_HEADER, PLACEHOLDER))))
    then = (
        f"Replace PASTE-THE-KEY-HERE in the file by the key. {client.title} has no other place for it, so it "
        "stands there for all to read who may read the file; with `--sign-in` instead, there is no key."
    )
    return Wanted(entry, then=(then,))


def checked_url(url: str) -> str:
    """The URL of a server's API, whole.

    Raises:
        ConfigurationError: Where a key would go in the clear, or it is no such URL.
    """
    from ringmain_core.on_disk import is_loopback

    wrong = "--http: write it like https://mcp.example.com/" + LATEST + "/mcp"
    if len(url) > 2_000 or not url.isascii() or any(mark in url for mark in " \"'\\<>`$&|;^%(){}"):
        raise ConfigurationError(wrong)
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        raise ConfigurationError(wrong) from None
    if (
        not host
        or not url.isprintable()
        or port == 0
        or parts.username is not None
        or parts.query
        or parts.fragment
    ):
        raise ConfigurationError(f"{wrong}, without a login, a query or a fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ConfigurationError(
            f"{wrong}; http:// is for this computer only, for the key goes with each request"
        )
    return url if parts.path.strip("/") else f"{parts.scheme}://{parts.netloc}/{LATEST}/mcp"


def _input(identity: str, description: str) -> dict[str, Any]:
    return {"type": "promptString", "id": identity, "description": description, "password": True}


def _named(entry: Entry, client: Client, connector: AnyConnector, name: str) -> Entry:
    """Goose wants the name and a description in the entry, too."""
    if client.form == "yaml":
        return {"name": name, "description": f"{connector.title} ({connector.distribution})", **entry}
    return entry
