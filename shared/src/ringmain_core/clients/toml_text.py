"""Edits TOML in its text: a table goes to the end, and only its own lines are touched after that."""

import json
import re
import tomllib
from typing import Any, cast

from ringmain_core.clients.unusable import Unusable, newline_of

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_TEXT = re.compile(
    r'"""(?:\\.|[^\\])*?"""' r"|'''.*?'''" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'|#[^\n]*", re.DOTALL
)


def load(text: str) -> Any:
    """The data of a text.

    Raises:
        Unusable: With line and column, where it is not TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Unusable(_plain(error)) from None


def put(text: str, path: tuple[str, ...], value: dict[str, Any]) -> str:
    """Set a table: in its place where it is there, otherwise at the end."""
    newline = newline_of(text)
    table = [f"[{'.'.join(_key(key) for key in path)}]"]
    table += [f"{_key(key)} = {_value(item)}" for key, item in value.items()]
    lines = text.splitlines(keepends=True)
    blocks = _blocks(lines, path)
    rendered = [line + newline for line in table]
    if not blocks:
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += newline
        return "".join([*lines, *([newline] if lines else []), *rendered])
    for start, end in reversed(blocks[1:]):
        del lines[_with_blank_before(lines, start) : end]
    start, end = blocks[0]
    return "".join([*lines[:start], *rendered, *lines[end:]])


def drop(text: str, path: tuple[str, ...]) -> str:
    """Take a table and its sub-tables away."""
    lines = text.splitlines(keepends=True)
    for start, end in reversed(_blocks(lines, path)):
        del lines[_with_blank_before(lines, start) : end]
    return "".join(lines)


def _blocks(lines: list[str], path: tuple[str, ...]) -> list[tuple[int, int]]:
    """The lines of a table and its sub-tables; what stands above the next header belongs to that one."""
    inside = _inside_texts("".join(lines))
    headers = [
        (index, keys) for index, line in enumerate(lines) if index not in inside and (keys := _header(line))
    ]
    found: list[tuple[int, int]] = []
    for place, (start, keys) in enumerate(headers):
        if keys[: len(path)] == path:
            end = headers[place + 1][0] if place + 1 < len(headers) else len(lines)
            while end > start + 1 and lines[end - 1].strip()[:1] in ("", "#"):
                end -= 1
            found.append((start, end))
    return found


def _inside_texts(text: str) -> set[int]:
    """The lines that begin inside a text of several lines, in which nothing is a header."""
    inside: set[int] = set()
    for match in _TEXT.finditer(text):
        if match[0][0] != "#" and "\n" in match[0]:
            first = text.count("\n", 0, match.start()) + 1
            inside.update(range(first, first + match[0].count("\n")))
    return inside


def _header(line: str) -> tuple[str, ...]:
    """The keys of a table's header; none for any other line."""
    if not line.lstrip().startswith("["):
        return ()
    try:
        data: Any = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return ()
    keys: list[str] = []
    while data:
        key, data = next(iter(cast("dict[str, Any]", data).items()))
        keys.append(key)
        data = cast("list[Any]", data)[0] if isinstance(data, list) else data
    return tuple(keys)


def _with_blank_before(lines: list[str], start: int) -> int:
    return start - 1 if start and not lines[start - 1].strip() else start


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return "{ " + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in items) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_value(item) for item in cast("list[Any]", value)) + "]"
    if isinstance(value, str | bool | int | float):
        return json.dumps(value, ensure_ascii=False)
    raise Unusable(f"a {type(value).__name__} in the entry that is there cannot be written again")


def _plain(error: tomllib.TOMLDecodeError) -> str:
    said = str(error)
    place = re.search(r"\(at (line \d+, column \d+|end of document)\)", said)
    return f"{place[1]}: not valid TOML" if place else "not valid TOML"
