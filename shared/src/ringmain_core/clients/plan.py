"""What becomes of a client's file: with an entry, or without it as it was before."""

import re
from collections.abc import Iterator
from typing import Any, cast

from ringmain_core.clients.catalogue import Client, Keys
from ringmain_core.clients.document import drop, drop_item, entry_at, load, pruned, put, put_item, same
from ringmain_core.clients.file import Found
from ringmain_core.clients.shapes import Entry
from ringmain_core.clients.unusable import Unusable
from ringmain_core.clients.wanted import PLACEHOLDER, Wanted
from ringmain_core.errors import ConfigurationError

_INPUTS = "inputs"
_ENVIRONMENT = ("env", "envs", "environment")
_PROGRAMS = ("cmd", "command")
_ADDRESSES = ("httpUrl", "serverUrl", "uri", "url")
_TRANSPORT = {
    "args", "bearer_token_env_var", "env_keys", "headers", "type", *_PROGRAMS, *_ADDRESSES, *_ENVIRONMENT,
}  # fmt: skip
_OF_ONE_TRANSPORT = {
    "auth", "authProviderType", "cwd", "envFile", "env_http_headers", "env_vars", "headersHelper",
    "http_headers", "http_headers_helper", "oauth", "oauthClientId", "oauthClientSecret", "oauthResource",
    "oauth_resource", "transport",
}  # fmt: skip
"""What people set beside a program or beside an address: clients refuse some of it beside the other."""


def with_entry(
    client: Client, found: Found, name: str, distribution: str, want: Wanted, url: str | None
) -> bytes:
    """The file with the entry; what people have set in an older one of ours stays.

    `url` is that of the server, where it is one at a URL.

    Raises:
        ConfigurationError: Where the file is broken, or the name belongs to somebody else's entry.
    """
    text = found.text
    try:
        data = load(client.form, text)
        path = (*client.place(data), name)
        old = entry_at(data, path)
        if old is not None and not _is_ours(old, name, distribution, url):
            raise ConfigurationError(
                f"{found.path}: there is a server {name!r} already, and it is not {url or distribution}. "
                "Choose another name with --name."
            )
        entry = want.entry if not isinstance(old, dict) else _merged(cast("Entry", old), want.entry)
        if not same(old, entry):
            text = put(client.form, text, path, entry)
        for item in want.inputs:
            if not any(one.get("id") == item["id"] for one in _inputs(load(client.form, text))):
                text = put_item(text, _INPUTS, item)
    except Unusable as error:
        raise ConfigurationError(_refusal(found, error)) from None
    return found.content or b"" if text == found.text else found.with_text(text)


def without_entry(
    client: Client, found: Found, name: str, distribution: str, url: str | None, before: bytes | None
) -> bytes | None:
    """The file without the entry: as it was, if nothing else happened to it; `None` if it was not there.

    `before` is what the file was before exactly this was written to it, where that is known.

    Raises:
        ConfigurationError: Where the file is broken, or the entry is somebody else's.
    """
    text = found.text
    try:
        data = load(client.form, text)
        keys = client.place(data)
        old = entry_at(data, (*keys, name))
        if old is None:
            return found.content
        if not _is_ours(old, name, distribution, url):
            raise ConfigurationError(
                f"{found.path}: the server {name!r} is not {url or distribution}; it stays. One at a URL is "
                "removed by its name and its URL: --name NAME --http URL --remove"
            )
        items = list(_inputs_of(data, old, name))
        rest = _without(data, keys, name, items)
        if before is not None and same(_pruned(load(client.form, _text_of(before)), keys), rest):
            return before
        if text == _alone(client, (*keys, name), old, items) or (client.own_file and not rest):
            return None
        text = drop(client.form, text, (*keys, name))
        for item in items:
            text = drop_item(text, _INPUTS, item)
    except Unusable as error:
        raise ConfigurationError(_refusal(found, error)) from None
    return found.with_text(text)


def entry_in(client: Client, found: Found, name: str) -> Any:
    """The entry that is there, `None` for none.

    Raises:
        ConfigurationError: Where the file is broken.
    """
    try:
        data = load(client.form, found.text)
    except Unusable as error:
        raise ConfigurationError(_refusal(found, error)) from None
    return entry_at(data, (*client.place(data), name))


def _is_ours(old: Any, name: str, distribution: str, url: str | None) -> bool:
    """Whether an entry was written by this command: by its name, its program, or its very URL."""
    if name == distribution or (url is not None and url in strings_in(old)):
        return True
    if not isinstance(old, dict):
        return False
    entry = cast("dict[str, Any]", old)
    program = next(iter(strings_in([entry.get(key) for key in _PROGRAMS])), "")
    module = distribution.replace("-", "_")
    return re.split(r"[/\\]", program)[-1].removesuffix(".exe") == distribution or any(
        text in (distribution, module) or text.startswith(f"{distribution}@") for text in strings_in(entry)
    )


def strings_in(value: Any) -> Iterator[str]:
    """Every text in some data, but no names."""
    if isinstance(value, dict):
        for one in cast("dict[str, Any]", value).values():
            yield from strings_in(one)
    elif isinstance(value, list):
        for one in cast("list[Any]", value):
            yield from strings_in(one)
    elif isinstance(value, str):
        yield value


def _merged(old: Entry, new: Entry) -> Entry:
    """The new entry, with what people have set in the old one: approvals, time-outs, further variables."""
    was, becomes = (any(key in entry for key in _ADDRESSES) for entry in (old, new))
    replaced = _TRANSPORT if was == becomes else _TRANSPORT | _OF_ONE_TRANSPORT
    kept = {key: value for key, value in old.items() if key not in replaced}
    merged = {**new, **kept}
    for key in _ENVIRONMENT:
        env = old.get(key)
        if key in new and isinstance(env, dict):
            env = cast("dict[str, Any]", env)
            fresh = {one: value for one, value in new[key].items() if value != PLACEHOLDER or one not in env}
            merged[key] = {**env, **fresh}
    return merged


def _inputs(data: dict[str, Any]) -> list[dict[str, Any]]:
    inputs: Any = data.get(_INPUTS)
    if not isinstance(inputs, list):
        return []
    return [cast("dict[str, Any]", one) for one in cast("list[Any]", inputs) if isinstance(one, dict)]


def _inputs_of(data: dict[str, Any], entry: Any, name: str) -> Iterator[dict[str, Any]]:
    """The inputs that only this entry refers to, and that were made for it."""
    used = set(re.findall(r"\$\{input:([^}]+)\}", "\n".join(strings_in(entry))))
    everywhere = "\n".join(strings_in(data))
    for item in _inputs(data):
        identity = str(item.get("id"))
        alone = everywhere.count(f"${{input:{identity}}}") == 1
        if identity in used and alone and identity.startswith(f"{name}-"):
            yield item


def _without(data: dict[str, Any], keys: Keys, name: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    """The rest of some data, which are changed."""
    del entry_at(data, keys)[name]
    if items:
        data[_INPUTS] = [one for one in data[_INPUTS] if one not in items]
    return _pruned(data, keys)


def _pruned(data: dict[str, Any], keys: Keys) -> dict[str, Any]:
    """Data without empty servers and inputs: an `install` may have made them."""
    return pruned(pruned(data, keys), (_INPUTS,))


def _alone(client: Client, path: Keys, entry: Any, items: list[dict[str, Any]]) -> str | None:
    """The file as it is made where there is none."""
    if not isinstance(entry, dict):
        return None
    text = put(client.form, "", path, cast("Entry", entry))
    for item in items:
        text = put_item(text, _INPUTS, item)
    return text


def _text_of(content: bytes) -> str:
    return content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")


def _refusal(found: Found, error: Unusable) -> str:
    return f"{found.path}: {error}. Nothing was written; mend it, or add the entry by hand."
