"""JSON as people write it, with comments and trailing commas: where each value stands in the text."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from ringmain_core.clients.unusable import Unusable, at

_DEEPEST = 100

_SPACE = re.compile(r"(?:[ \t\r\n]++|//[^\r\n]*+|/\*.*?\*/)*+", re.DOTALL)
_STARTS_SPACE = frozenset(" \t\r\n/")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"')
_SCALAR = re.compile(r"(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])")


@dataclass(slots=True)
class Node:
    """A value and its place; `children` are those of an object or an array."""

    start: int
    value: Any
    end: int = 0
    children: list["Child"] = field(default_factory=list["Child"])


@dataclass(slots=True)
class Child:
    """A member or an item: from its key, where it has one, to the end of its value.

    Attributes:
        comma: Where the comma after it is, if there is one.
    """

    start: int
    key: str
    node: Node
    comma: int | None = None


def parse(text: str) -> Node:
    """The value of a whole text.

    Raises:
        Unusable: With line and column, where it is not JSON.
    """
    node = _value(text, _skip(text, 0), 0)
    rest = _skip(text, node.end)
    if rest < len(text):
        raise Unusable(f"{at(text, rest)}: something follows the end")
    return node


def _skip(text: str, offset: int) -> int:
    if text[offset : offset + 1] not in _STARTS_SPACE:
        return offset
    space = _SPACE.match(text, offset)
    return space.end() if space else offset


def _value(text: str, start: int, depth: int) -> Node:
    if depth > _DEEPEST:
        raise Unusable(f"{at(text, start)}: nested too deeply")
    opening = text[start : start + 1]
    if opening == "{":
        return _object(text, start, depth)
    if opening == "[":
        return _array(text, start, depth)
    token = (_STRING if opening == '"' else _SCALAR).match(text, start)
    if token is None:
        raise Unusable(f"{at(text, start)}: {_wrong(text, start)}")
    try:
        return Node(start, _loaded(token[0]), token.end())
    except ValueError:
        raise Unusable(f"{at(text, start)}: a number that is too long") from None


def _loaded(token: str) -> Any:
    return token[1:-1] if token[0] == '"' and "\\" not in token else json.loads(token)


def _object(text: str, start: int, depth: int) -> Node:
    node = Node(start, {})
    offset = _skip(text, start + 1)
    while text[offset : offset + 1] != "}":
        key = _STRING.match(text, offset)
        if key is None:
            raise Unusable(f"{at(text, offset)}: {_wrong(text, offset, 'a key in double quotes')}")
        colon = _skip(text, key.end())
        if text[colon : colon + 1] != ":":
            raise Unusable(f"{at(text, colon)}: a colon is missing")
        child = Child(offset, _loaded(key[0]), _value(text, _skip(text, colon + 1), depth + 1))
        node.children.append(child)
        node.value[child.key] = child.node.value
        offset = _after(text, child, "}")
    node.end = offset + 1
    return node


def _array(text: str, start: int, depth: int) -> Node:
    node = Node(start, [])
    offset = _skip(text, start + 1)
    while text[offset : offset + 1] != "]":
        child = Child(offset, "", _value(text, offset, depth + 1))
        node.children.append(child)
        node.value.append(child.node.value)
        offset = _after(text, child, "]")
    node.end = offset + 1
    return node


def _after(text: str, child: Child, closing: str) -> int:
    """Where the next member or item, or the closing bracket, begins."""
    offset = _skip(text, child.node.end)
    if text[offset : offset + 1] == ",":
        child.comma = offset
        return _skip(text, offset + 1)
    if text[offset : offset + 1] != closing:
        raise Unusable(f"{at(text, offset)}: {_wrong(text, offset, f'a comma or `{closing}`')}")
    return offset


def _wrong(text: str, offset: int, wanted: str = "a value") -> str:
    if offset >= len(text):
        return f"it ends where {wanted} should be"
    if text.startswith("/*", offset):
        return "a comment that does not end"
    if text[offset] == '"' and not _STRING.match(text, offset):
        return "a string that does not end, or holds a character that has to be escaped"
    return f"there should be {wanted}"
