"""Tables: Slack's own where it takes them, else text in columns."""

import unicodedata
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Any

from ringmain_slack.inline import Element
from ringmain_slack.markdown import Node

_MOST_ROWS, _MOST_COLUMNS, _MOST_CHARACTERS = 100, 20, 10_000
_WIDEST = 40  # columns of text that a cell is padded to; longer ones stick out

InCell = Callable[[Node], list[Element]]
"""Makes the elements of a cell's content."""


def native(table: Node, in_cell: InCell) -> dict[str, Any] | None:
    """The table as a block; `None` where it is larger than Slack takes."""
    rows = table.children
    columns = len(rows[0].children)
    if len(rows) > _MOST_ROWS or columns > _MOST_COLUMNS:
        return None
    if sum(characters(row) for row in rows) > _MOST_CHARACTERS:
        return None
    settings = [{"align": cell.align, "is_wrapped": True} for cell in rows[0].children]
    made = [[_cell(in_cell(cell)) for cell in row.children] for row in rows]
    return {"type": "table", "column_settings": settings, "rows": made}


def aligned(table: Node) -> str:
    """The table as text of a fixed width, a line for each row."""
    rows = [[_plain(cell).replace("\n", " ") for cell in row.children] for row in table.children]
    aligns = [cell.align for cell in table.children[0].children]
    widths = [
        min(_WIDEST, max(_width(cell) for cell in column)) for column in zip_longest(*rows, fillvalue="")
    ]
    lines = [_line(row, widths, aligns) for row in rows]
    return "\n".join([lines[0], "-+-".join("-" * width for width in widths), *lines[1:]])


def characters(row: Node) -> int:
    """How many characters a row has, addresses of links included."""
    return sum(len(node.text) + len(node.url) + 1 for node in row.walk())


def _cell(elements: list[Element]) -> dict[str, Any]:
    """A cell, which Slack does not take where it is empty."""
    if not elements:
        return {"type": "raw_text", "text": " "}
    if [element.keys() for element in elements] == [{"type", "text"}]:
        return {"type": "raw_text", "text": elements[0]["text"]}
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}


def _plain(node: Node) -> str:
    """The words of a cell, with the addresses of links behind their labels."""
    if not node.children:
        return node.words()
    words = "".join(_plain(child) for child in node.children)
    return f"{words} ({node.url})" if node.url and node.url != words else words


def _line(row: Sequence[str], widths: Sequence[int], aligns: Sequence[str]) -> str:
    return " | ".join(map(_padded, row, widths, aligns)).rstrip()


def _padded(text: str, width: int, align: str) -> str:
    room = max(0, width - _width(text))
    before = {"right": room, "center": room // 2}.get(align, 0)
    return f"{' ' * before}{text}{' ' * (room - before)}"


def _width(text: str) -> int:
    """Columns that a text takes up: wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)
