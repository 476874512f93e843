"""Edits JSON in its text: comments, order, indentation and line ends stay as they are."""

import json
import re
from typing import Any

from ringmain_core.clients.json_tree import Child, Node, parse
from ringmain_core.clients.unusable import Unusable, at, newline_of

_REST_OF_LINE = re.compile(r"[ \t]*(?://[^\r\n]*|/\*[^\r\n]*?\*/[ \t]*(?=\r?\n))")
_IN_COMMENT = re.compile(r"//[^\r\n]*\Z")
_NOTHING_MORE = re.compile(r"[ \t]*(?:\r?\n|//)")
_INDENT = re.compile(r"[ \t]*")


def load(text: str) -> Any:
    """The data of a text; an empty one has none.

    Raises:
        Unusable: Where it is not JSON, not even with comments and trailing commas.
    """
    return parse(text).value if text.strip() else {}


def put(text: str, path: tuple[str, ...], value: Any) -> str:
    """Set a value, making the objects on the way to it where they are missing."""
    if not text.strip():
        return json.dumps(_nested(path, value), indent=2, ensure_ascii=False) + "\n"
    root = parse(text)
    node = root
    for depth, key in enumerate(path):
        child = _member(text, node, key, path[:depth])
        if child is None:
            return _inserted(text, root, node, _nested(path[depth + 1 :], value), key)
        node = child.node
    indent = _indent_of_line(text, node.start)
    return text[: node.start] + _rendered(text, root, value, indent) + text[node.end :]


def drop(text: str, path: tuple[str, ...]) -> str:
    """Take a member away; an object that it leaves empty stays."""
    node = parse(text)
    for depth, key in enumerate(path):
        child = _member(text, node, key, path[:depth])
        if child is None:
            return text
        if depth == len(path) - 1:
            return _without(text, node, node.children.index(child))
        node = child.node
    return text


def append(text: str, key: str, item: Any) -> str:
    """Add an item to an array at the top, made where it is missing."""
    root = parse(text)
    child = _member(text, root, key, ())
    if child is None:
        return _inserted(text, root, root, [item], key)
    if not isinstance(child.node.value, list):
        raise Unusable(f"{at(text, child.node.start)}: `{key}` is not an array")
    return _inserted(text, root, child.node, item, None)


def drop_item(text: str, key: str, item: Any) -> str:
    """Take an item out of an array at the top."""
    root = parse(text)
    child = _member(text, root, key, ())
    if child is None or item not in child.node.value:
        return text
    return _without(text, child.node, child.node.value.index(item))


def _nested(path: tuple[str, ...], value: Any) -> Any:
    for key in reversed(path):
        value = {key: value}
    return value


def _member(text: str, node: Node, key: str, path: tuple[str, ...]) -> Child | None:
    if not isinstance(node.value, dict):
        where = f"`{'.'.join(path)}`" if path else "the whole"
        raise Unusable(f"{at(text, node.start)}: {where} is not an object")
    found = [child for child in node.children if child.key == key]
    if len(found) > 1:
        raise Unusable(f"{at(text, found[1].start)}: `{key}` stands here a second time")
    return found[0] if found else None


def _inserted(text: str, root: Node, container: Node, value: Any, key: str | None) -> str:
    """The text with a further last child in a container."""
    children = container.children
    base = _indent_of_line(text, container.start)
    label = "" if key is None else f"{json.dumps(key, ensure_ascii=False)}: "
    if children and "\n" not in text[container.start : children[0].start]:
        flat = label + json.dumps(value, ensure_ascii=False)
        last = children[-1]
        if last.comma is not None:
            return text[: last.comma + 1] + f" {flat}," + text[last.comma + 1 :]
        return text[: last.node.end] + f", {flat}" + text[last.node.end :]
    indent = _indent_of_line(text, children[-1].start) if children else base + _unit(text, root)
    newline = newline_of(text)
    child = newline + indent + label + _rendered(text, root, value, indent)
    if not children:
        inner = text[container.start + 1 : container.end - 1]
        place = container.start + 1 + len(inner.rstrip())
        closing = "" if "\n" in text[place : container.end - 1] else newline + base
        return text[:place] + child + closing + text[place:]
    last = children[-1]
    if last.comma is not None:
        place = _end_of_line(text, last.comma + 1)
        return text[:place] + child + "," + text[place:]
    place = _end_of_line(text, last.node.end)
    return text[: last.node.end] + "," + text[last.node.end : place] + child + text[place:]


def _without(text: str, container: Node, index: int) -> str:
    """The text without one child, its comma and the space before it."""
    children = container.children
    child = children[index]
    start = len(text[: child.start].rstrip())
    end = child.node.end if child.comma is None else child.comma + 1
    if len(children) == 1:
        inner = text[container.start + 1 : start] + text[end : container.end - 1]
        if not inner.strip():
            return text[: container.start + 1] + text[container.end - 1 :]
    above = (children[index - 1].comma or 0) if index else container.start
    if _IN_COMMENT.search(text, above, start) and not _NOTHING_MORE.match(text, end):
        start = child.start  # what follows on the line must not end up in that comment
        end += len(text[end:]) - len(text[end:].lstrip(" \t"))
    before = children[index - 1].comma if index and child.comma is None else None
    if before is None:
        return text[:start] + text[end:]
    return text[:before] + text[before + 1 : start] + text[end:]


def _rendered(text: str, root: Node, value: Any, indent: str) -> str:
    rendered = json.dumps(value, indent=_unit(text, root), ensure_ascii=False)
    return rendered.replace("\n", newline_of(text) + indent)


def _unit(text: str, root: Node) -> str:
    """What one level is indented by: as the first line that is, two spaces where none is."""
    first = root.children[0].start if root.children else 0
    indent = _indent_of_line(text, first) if "\n" in text[root.start : first] else ""
    return indent or "  "


def _indent_of_line(text: str, offset: int) -> str:
    start = text.rfind("\n", 0, offset) + 1
    indent = _INDENT.match(text, start, offset)
    return indent[0] if indent else ""


def _end_of_line(text: str, offset: int) -> int:
    """Past a comment that stands on the same line, so that it stays with what it is about."""
    comment = _REST_OF_LINE.match(text, offset)
    return comment.end() if comment else offset
