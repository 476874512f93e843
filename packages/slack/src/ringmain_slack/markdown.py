"""Markdown through markdown-it: a small tree of what Slack can show. HTML stays the text that it is."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline
    from markdown_it.tree import SyntaxTreeNode

_DEEPEST = 40  # levels; what is nested deeper is no document, and is taken as plain text
_PIPE = re.compile(r"(?<!\\)\|")
_ALIGNED = re.compile(r"text-align:(\w+)")
ADDRESS = re.compile(r"https?://[^\s<>|`\"]+")
"""An address in a text, with what ends the sentence around it."""

_SCHEMES = ("https", "http")
_BRACKET = re.compile(r"[\[\]]")
_OPENERS = {")": "(", "]": "[", "}": "{"}
_ENDS = ".,;:!?'*_~"
_SAME = {
    "blockquote": "quote",
    "em": "italic",
    "hr": "rule",
    "list_item": "item",
    "s": "strike",
    "strong": "bold",
}


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a document.

    Attributes:
        kind: A block: paragraph, heading, bullets, numbers, item, quote, pre, rule, table, row, cell. Or
            what stands in one: text, code, break, bold, italic, strike, link.
        text: Of text, code and pre.
        url: Of a link.
        start: The number that a list of numbers begins with.
        align: Of a cell: left, center or right.
    """

    kind: str
    children: "tuple[Node, ...]" = ()
    text: str = ""
    url: str = ""
    start: int = 1
    align: str = "left"

    def words(self) -> str:
        """All its text, without any form."""
        if self.kind == "break":
            return "\n"
        return self.text + "".join(child.words() for child in self.children)

    def walk(self) -> "Iterator[Node]":
        """Itself and everything below it, in the order of the text."""
        yield self
        for child in self.children:
            yield from child.walk()


def parse(text: str) -> tuple[Node, ...]:
    """The blocks of a document in CommonMark, with tables and strikethrough.

    Nothing is left out. Reference definitions, which would be, stay text; so do tables with more cells in a
    row than in their head.
    """
    from markdown_it.tree import SyntaxTreeNode

    text = text.encode(errors="replace").decode()
    tokens = _parser().parse(text)
    if any(token.level >= _DEEPEST - 1 for token in tokens):
        return (Node("pre", text=text),)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return tuple(_block(node, lines) for node in SyntaxTreeNode(tokens).children)


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    options = {"html": False, "maxNesting": _DEEPEST}
    made = MarkdownIt("commonmark", options).enable(["table", "strikethrough"]).disable("reference")
    made.inline.ruler.before("strikethrough", "address", _address)
    return made


def _address(state: "StateInline", silent: bool) -> bool:
    """A rule for an address in a text, which is no place for emphasis; `pos` is at its colon."""
    from markdown_it.common.utils import unescapeAll

    begin = next((state.pos - len(one) for one in _SCHEMES if state.src.endswith(one, 0, state.pos)), None)
    found = None if begin is None else ADDRESS.match(state.src, begin, state.posMax)
    if found is None:
        return False
    address = bare(_within_brackets(found[0]))
    end = found.start() + len(address)
    if end <= state.pos:
        return False
    if not silent:
        state.pending += unescapeAll(state.src[state.pos : end])
    state.pos = end
    return True


def _within_brackets(address: str) -> str:
    """An address without what begins at a bracket that it has not opened, as in a link's label."""
    depth = 0
    for found in _BRACKET.finditer(address):
        depth += 1 if found[0] == "[" else -1
        if depth < 0:
            return address[: found.start()]
    return address


def bare(address: str) -> str:
    """An address without what ends the sentence around it."""
    unopened = {one: address.count(one) - address.count(_OPENERS[one]) for one in _OPENERS}
    end = len(address)
    while address[end - 1] in _ENDS or unopened.get(address[end - 1], 0) > 0:
        if address[end - 1] in unopened:
            unopened[address[end - 1]] -= 1
        end -= 1
    return address[:end]


def _block(node: "SyntaxTreeNode", lines: list[str]) -> Node:
    match node.type:
        case "bullet_list":
            return Node("bullets", _blocks(node, lines))
        case "ordered_list":
            return Node("numbers", _blocks(node, lines), start=int(node.attrs.get("start", 1)))
        case "fence":
            return Node("pre", text=_with_info(node.info, node.content))
        case "code_block":
            return Node("pre", text=node.content.removesuffix("\n"))
        case "table":
            return _table(node, lines)
        case "paragraph" | "heading":
            return Node(node.type, _inline(node))
        case kind:
            return Node(_SAME[kind], _blocks(node, lines))


def _blocks(node: "SyntaxTreeNode", lines: list[str]) -> tuple[Node, ...]:
    return tuple(_block(child, lines) for child in node.children)


def _with_info(info: str, content: str) -> str:
    """Code, without the name of its language; what else stands behind the fence is part of the text."""
    return content.removesuffix("\n") if len(info.split()) < 2 else f"{info}\n{content}".removesuffix("\n")


def _table(node: "SyntaxTreeNode", lines: list[str]) -> Node:
    rows = [row for part in node.children for row in part.children]
    begin, end = node.map or (0, 0)
    columns = len(rows[0].children)
    own = [_unquoted(line, _quotes_around(node)) for line in lines[begin:end]]
    if any(len(_PIPE.split(line.strip().strip("|"))) > columns for line in own):
        return Node("pre", text="\n".join(own))
    return Node("table", tuple(Node("row", tuple(_cell(cell) for cell in row.children)) for row in rows))


def _quotes_around(node: "SyntaxTreeNode") -> int:
    above = node.parent
    return 0 if above is None else _quotes_around(above) + (above.type == "blockquote")


def _unquoted(line: str, quotes: int) -> str:
    for _ in range(quotes):
        line = line.lstrip().removeprefix(">").removeprefix(" ")
    return line


def _cell(node: "SyntaxTreeNode") -> Node:
    aligned = _ALIGNED.search(str(node.attrs.get("style", "")))
    return Node("cell", _inline(node), align=aligned[1] if aligned else "left")


def _inline(node: "SyntaxTreeNode") -> tuple[Node, ...]:
    return tuple(each for child in node.children for each in _span(child))


def _span(node: "SyntaxTreeNode") -> Iterator[Node]:
    match node.type:
        case "inline":
            yield from _inline(node)
        case "text":
            yield Node("text", text=node.content)
        case "code_inline":
            yield Node("code", text=node.content)
        case "softbreak" | "hardbreak":
            yield Node("break")
        case "link" | "image":
            yield from _link(node)
        case kind:
            yield Node(_SAME[kind], _inline(node))


def _link(node: "SyntaxTreeNode") -> Iterator[Node]:
    url = str(node.attrs.get("href") or node.attrs.get("src") or "")
    shown = _inline(node)
    if node.markup == "autolink" and "|" in shown[0].text:  # Slack's own way to write a link with a label
        yield Node("text", text=f"<{shown[0].text}>")
        return
    yield Node("link", shown, url=url)
    if title := node.attrs.get("title"):
        yield Node("text", text=f" ({title})")
