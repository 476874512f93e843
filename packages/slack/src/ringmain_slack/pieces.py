"""Blocks of Markdown as pieces of a message: what stands in rich text, and what is a block of its own."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ringmain_slack.inline import Element, elements_of, text_element
from ringmain_slack.markdown import Node
from ringmain_slack.mentions import Mentions
from ringmain_slack.tables import aligned, native

_LONGEST_HEADER = 150
_DEEPEST = 8  # levels of indentation that Slack shows
_OWN_BLOCKS = frozenset({"header", "divider", "table"})


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a message that is shown together, if there is room for it.

    Attributes:
        content: A block, or an element of a block of rich text.
        as_text: Of a table, for where it cannot be one.
    """

    content: dict[str, Any]
    as_text: str = ""

    @property
    def is_block(self) -> bool:
        return self.content["type"] in _OWN_BLOCKS

    @property
    def size(self) -> int:
        """What Slack counts of it: text with its containers; of tables the text only."""
        if self.content["type"] == "table":
            return sum(len(cell) for row in self.content["rows"] for cell in map(_said, row))
        return size_of(self.content)


@dataclass(frozen=True, slots=True)
class Style:
    """How a text becomes pieces.

    Attributes:
        mentions: Whom its names stand for.
        only_rich: Whether everything has to be rich text: no headers, dividers and tables.
        quoted: Whether it stands in a quote.
    """

    mentions: Mentions
    only_rich: bool = False
    quoted: bool = False


def pieces_of(blocks: Sequence[Node], style: Style) -> Iterator[Piece]:
    """Pieces for a document's blocks; Slack shows one table in a message, so only the first is one."""
    tables = 0
    for block in blocks:
        for piece in _pieces(block, style):
            is_table = piece.content["type"] == "table"
            yield _pre(piece.as_text, style) if is_table and tables else piece
            tables += is_table


def size_of(content: object) -> int:
    """Characters of a value as JSON."""
    return len(json.dumps(content, ensure_ascii=False))


def _said(cell: dict[str, Any]) -> str:
    elements: list[Element] = cell["elements"][0]["elements"] if "elements" in cell else [cell]
    return "".join(f"{each.get('text', '')}{each.get('url', '')}" for each in elements)


def _pieces(block: Node, style: Style) -> Iterator[Piece]:
    match block.kind:
        case "paragraph":
            yield from _section(elements_of(block.children, style.mentions), style)
        case "heading":
            yield from _heading(block, style)
        case "bullets" | "numbers":
            yield from _list(block, style, 0)
        case "quote":
            inside = replace(style, quoted=True, only_rich=True)
            for child in block.children:
                yield from _pieces(child, inside)
        case "pre":
            if block.text.strip():
                yield _pre(block.text, style)
        case "table":
            yield _table(block, style)
        case _:
            yield Piece(_text_line("───") if style.only_rich else {"type": "divider"})


def _section(elements: list[Element], style: Style) -> Iterator[Piece]:
    if elements:
        kind = "rich_text_quote" if style.quoted else "rich_text_section"
        yield Piece({"type": kind, "elements": elements})


def _text_line(text: str) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": [text_element(text)]}


def _pre(text: str, style: Style) -> Piece:
    content: dict[str, Any] = {"type": "rich_text_preformatted", "elements": [text_element(text)]}
    return Piece(content | _bordered(style))


def _bordered(style: Style) -> dict[str, Any]:
    """What makes a list or code look quoted."""
    return {"border": 1} if style.quoted else {}


def _heading(block: Node, style: Style) -> Iterator[Piece]:
    """A header, whose text is plain; bold text where that would lose something."""
    elements = elements_of(block.children, style.mentions, ("bold",))
    words = " ".join(block.words().split())
    is_plain = all(element["type"] in ("text", "emoji") for element in elements)
    if style.only_rich or not is_plain or len(words) > _LONGEST_HEADER:
        yield from _section(elements, style)
    elif words:
        yield Piece({"type": "header", "text": {"type": "plain_text", "text": words, "emoji": True}})


def _table(block: Node, style: Style) -> Piece:
    text = aligned(block)
    in_cell = partial(_in_cell, mentions=style.mentions)
    made = None if style.only_rich else native(block, in_cell)
    return _pre(text, style) if made is None else Piece(made, text)


def _in_cell(cell: Node, mentions: Mentions) -> list[Element]:
    return elements_of(cell.children, mentions)


def _list(block: Node, style: Style, depth: int) -> Iterator[Piece]:
    """Slack's lists are flat: a run of items of one depth. What is no item ends one, and numbers go on."""
    run: list[Element] = []
    begin = 0

    def flush() -> Iterator[Piece]:
        if run:
            yield Piece(_run(block, run[:], begin, depth) | _bordered(style))
            run.clear()

    for number, item in enumerate(block.children):
        if not run:
            begin = number
        lines, rest = _head_of(item)
        # Slack's lists have no 0.
        elements: list[Element] = [] if _counts(block) else [text_element(f"{block.start + number}. ")]
        for line in lines:
            inner = elements_of(line.children, style.mentions, ("bold",) if line.kind == "heading" else ())
            elements += [text_element("\n"), *inner] if line is not lines[0] else inner
        run.append({"type": "rich_text_section", "elements": elements or [text_element(" ")]})
        if rest:
            yield from flush()
        for child in rest:
            is_list = child.kind in ("bullets", "numbers")
            yield from _list(child, style, depth + 1) if is_list else _pieces(child, style)
    yield from flush()


def _counts(block: Node) -> bool:
    """Whether Slack can number it, or need not."""
    return block.kind == "bullets" or block.start > 0


def _run(block: Node, items: list[Element], begin: int, depth: int) -> dict[str, Any]:
    ordered = block.kind == "numbers" and block.start > 0
    made: dict[str, Any] = {
        "type": "rich_text_list",
        "style": "ordered" if ordered else "bullet",
        "indent": min(depth, _DEEPEST),
        "elements": items,
    }
    offset = block.start - 1 + begin
    return made | ({"offset": offset} if ordered and offset > 0 else {})


def _head_of(item: Node) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
    """The paragraphs that an item begins with, and what follows them."""
    at = 0
    while at < len(item.children) and item.children[at].kind in ("paragraph", "heading"):
        at += 1
    return item.children[:at], item.children[at:]
