"""What an entry sets: settings in the open, and secrets only by reference, in whatever way the client has."""

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, cast, get_args

from pydantic import BaseModel, SecretStr

from ringmain_core.errors import ConfigurationError
from ringmain_core.secrets import Reference, Unresolved
from ringmain_core.secrets.reference import parse

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_LONGEST = 8_192
_SOUNDS_SECRET = re.compile(r"SECRET|TOKEN|PASSW|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_KEY", re.IGNORECASE)
_LOGIN_IN_URL = re.compile(r"://[^/@\s]*:[^/@\s]+@")
_NO_LOGIN = re.compile(r"[a-z][a-z0-9+.-]*:(?:///[^?#@]*)?|sqlite|redis")
_USUAL = ("URL", "TOKEN")
"""How connectors call the secret that nothing works without."""
_INSTEAD = ("CONFIG", "APP_ID", "OAUTH_CLIENT_ID")
"""Where one of these is set, something else takes the place of that secret."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A variable that settings are read from.

    Attributes:
        secret: Whether it holds a secret, or several.
        whole: Whether a reference can stand for all of it.
    """

    name: str
    description: str
    secret: bool
    whole: bool


def settings_of(*kinds: type[BaseModel]) -> dict[str, Setting]:
    """The variables of some settings, by name."""
    found: dict[str, Setting] = {}
    for kind in kinds:
        prefix = str(kind.model_config.get("env_prefix", ""))
        for field_name, field in kind.model_fields.items():
            name = f"{prefix}{field_name}".upper()
            annotation = field.annotation
            secret = any(_is_secret(part) for part in _parts(annotation))
            whole = secret and (
                _is_secret(annotation) or any(_is_secret(one) for one in get_args(annotation))
            )
            compound = any(part in (dict, list) for part in _origins(annotation))
            found[name] = Setting(name, field.description or "", secret, whole and not compound)
    return found


def given(lines: Sequence[str], known: Mapping[str, Setting]) -> dict[str, str]:
    """What `--env NAME=VALUE` says.

    Raises:
        ConfigurationError: For a secret, a setting that there is none of, and what is no variable.
    """
    env: dict[str, str] = {}
    for line in lines:
        name, equals, value = line.partition("=")
        if not equals or not _NAME.fullmatch(name):
            raise ConfigurationError("--env takes NAME=VALUE, with a variable's name")
        if len(value) > _LONGEST or not value.isprintable():
            raise ConfigurationError(f"--env {name}: the value has control characters, or is too long")
        setting = known.get(name)
        if setting is None and name.startswith("RINGMAIN_"):
            close = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise ConfigurationError(f"--env {name}: there is no such setting{hint}")
        secret = setting.secret if setting else bool(_SOUNDS_SECRET.search(name))
        if (secret and not harmless(value)) or _LOGIN_IN_URL.search(value):
            raise ConfigurationError(
                f"--env {name}: this is a secret, and clients keep their files in the open. Use "
                f"`--secret {name}`, or say where it is kept: `--env {name}=file:/path`, `vault:`, `aws-sm:`"
            )
        env[name] = value
    return env


def harmless(value: str) -> bool:
    """Whether a secret's setting holds none: references to secrets, or an address without a login."""
    return refers(value) or _NO_LOGIN.fullmatch(value) is not None


def refers(value: str) -> bool:
    """Whether a value holds references to secrets, and no secret."""
    try:
        if isinstance(parse(value), Reference):
            return True
        data: Any = json.loads(value)
    except (Unresolved, ValueError):
        return False
    texts = list(_texts(data))
    return bool(texts) and isinstance(data, dict | list) and all(refers(text) for text in texts)


def secrets_for(
    prefix: str,
    names: Sequence[str],
    known: Mapping[str, Setting],
    env: Mapping[str, str],
    around: Mapping[str, str],
) -> list[Setting]:
    """The secrets that an entry needs: those named, else those set around here, else the usual one.

    `prefix` is that of the connector's own settings; `env` is what the entry has already.

    Raises:
        ConfigurationError: For a name that is no secret's, or that of several.
    """
    for name in names:
        setting = known.get(name)
        if setting is None or not setting.secret:
            secret = ", ".join(one.name for one in known.values() if one.whole)
            raise ConfigurationError(f"--secret {name}: there is no such secret setting (there are {secret})")
        if not setting.whole:
            raise ConfigurationError(
                f"--secret {name}: it holds several secrets. Say where each is kept, in the form of the "
                f"setting: `--env {name}=…`, with `file:/path` in the place of each secret"
            )
    if names:
        return [known[name] for name in dict.fromkeys(names) if name not in env]
    there = [one for one in known.values() if one.whole and one.name not in env and around.get(one.name)]
    if there or any(known[name].secret for name in env if name in known):
        return there
    if any(f"{prefix}{word}" in env or around.get(f"{prefix}{word}") for word in _INSTEAD):
        return []
    usual = [f"{prefix}{word}" for word in _USUAL]
    return [known[name] for name in usual if name in known and known[name].whole][:1]


def secret_folder(state: Path, entry: str, project: str | None) -> Path:
    """Where an entry's secrets are kept, for clients that keep none themselves; a project has its own."""
    if project is None:
        return state / "secrets" / entry
    path = str(Path(project).absolute())
    return state / "secrets" / f"{entry}@{sha256(path.encode()).hexdigest()[:12]}"


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        for value in cast("dict[str, Any]", data).values():
            yield from _texts(value)
    elif isinstance(data, list):
        for value in cast("list[Any]", data):
            yield from _texts(value)
    else:
        yield data if isinstance(data, str) else ""


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)


def _origins(annotation: Any) -> Iterator[Any]:
    for part in _parts(annotation):
        yield getattr(part, "__origin__", part)


def _is_secret(annotation: Any) -> bool:
    """Whether an annotation is a secret's type itself, with or without what `Annotated` adds."""
    annotation = getattr(annotation, "__origin__", annotation)
    return isinstance(annotation, type) and issubclass(annotation, SecretStr)
