"""Edits YAML in its text: a library says where things stand, and only one entry's lines are touched."""

import importlib
import json
import re
from typing import Any

from ringmain_core.clients.unusable import Unusable, newline_of

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_NOT_TEXT = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


def load(text: str) -> Any:
    """The data of a text; an empty one has none.

    Raises:
        Unusable: With line and column, where it is not YAML.
    """
    data = _read(text, "load")
    return {} if data is None else data


def put(text: str, path: tuple[str, ...], value: dict[str, Any]) -> str:
    """Set a mapping in a mapping at the top, made where it is missing."""
    outer, name = path
    newline = newline_of(text)
    root = _read(text, "compose")
    if root is None or not _is_block(root):
        if root is not None:
            raise Unusable("line 1, column 1: the whole is not a mapping in lines of its own")
        return _ended(text, newline) + newline.join([f"{outer}:", *_rendered(name, value, 2)]) + newline
    lines = text.splitlines(keepends=True)
    found = _child(root, outer)
    if found is None:
        column = root.value[0][0].start_mark.column
        block = [" " * column + f"{outer}:", *_rendered(name, value, column + 2)]
        return _with_lines(lines, _last_line(root, lines) + 1, block, newline)
    key, inner = found
    if not inner.value or str(inner.tag).endswith(":null"):  # `{}`, nothing, or `null`
        line: int = key.start_mark.line
        lines[line] = _emptied(lines[line], inner)
        return _with_lines(lines, line + 1, _rendered(name, value, key.start_mark.column + 2), newline)
    if not _is_block(inner):
        raise Unusable(f"{_at(inner.start_mark)}: `{outer}` is not a mapping in lines of its own")
    block = _rendered(name, value, inner.value[0][0].start_mark.column)
    there = _child(inner, name)
    if there is None:
        return _with_lines(lines, _last_line(inner, lines) + 1, block, newline)
    start = there[0].start_mark.line
    del lines[start : _last_line(there[1], lines) + 1]
    return _with_lines(lines, start, block, newline)


def drop(text: str, path: tuple[str, ...]) -> str:
    """Take a mapping away; the one that it leaves empty stays, as `{}`."""
    outer, name = path
    root = _read(text, "compose")
    found = _child(root, outer) if root is not None and _is_block(root) else None
    there = _child(found[1], name) if found is not None and _is_block(found[1]) else None
    if found is None or there is None:
        return text
    lines = text.splitlines(keepends=True)
    del lines[there[0].start_mark.line : _last_line(there[1], lines) + 1]
    if len(found[1].value) == 1:
        line: int = found[0].end_mark.line
        colon = lines[line].index(":", found[0].end_mark.column) + 1
        lines[line] = lines[line][:colon] + " {}" + lines[line][colon:]
    return "".join(lines)


def _read(text: str, how: str) -> Any:
    library: Any = importlib.import_module("ruamel.yaml")
    errors: Any = importlib.import_module("ruamel.yaml.error")
    try:
        return getattr(library.YAML(typ="safe", pure=True), how)(text)
    except errors.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unusable(f"{_at(mark)}: not valid YAML" if mark else "not valid YAML") from None
    except errors.YAMLError:
        raise Unusable("not valid YAML") from None


def _at(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}"


def _is_block(node: Any) -> bool:
    return node.id == "mapping" and not node.flow_style


def _child(mapping: Any, name: str) -> tuple[Any, Any] | None:
    return next(((key, value) for key, value in mapping.value if key.value == name), None)


def _last_line(node: Any, lines: list[str]) -> int:
    """The last line that a value has part in: its own end mark may be far below, past comments."""
    while node.id != "scalar" and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if node.id == "mapping" else last
    first: int = node.start_mark.line
    end = min(int(node.end_mark.line), len(lines) - 1)
    if node.end_mark.column == 0 and node.end_mark.line > first and end == node.end_mark.line:
        end -= 1
    while end > first and not lines[end].strip():
        end -= 1
    return end


def _emptied(line: str, node: Any) -> str:
    """The line of a key without the `{}` or `null` that was its value."""
    start, end = node.start_mark.column, node.end_mark.column
    return line if start == end else line[:start].rstrip() + line[end:]


def _with_lines(lines: list[str], place: int, block: list[str], newline: str) -> str:
    if place and not lines[place - 1].endswith("\n"):
        lines[place - 1] += newline
    return "".join([*lines[:place], *(line + newline for line in block), *lines[place:]])


def _ended(text: str, newline: str) -> str:
    return text if not text or text.endswith("\n") else text + newline


def _rendered(name: str, value: dict[str, Any], column: int) -> list[str]:
    """Lines for an entry: its own keys in lines, and in them JSON, which YAML takes as it is."""
    lines = [" " * column + f"{_key(name)}:"]
    lines += [
        " " * (column + 2) + f"{_key(key)}: {json.dumps(item, ensure_ascii=False)}"
        for key, item in value.items()
    ]
    return lines


def _key(key: str) -> str:
    plain = _PLAIN.fullmatch(key) and key.lower() not in _NOT_TEXT
    return key if plain else json.dumps(key, ensure_ascii=False)
