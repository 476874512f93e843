"""HTML as Markdown: headings, lists, tables, links; no scripts, nothing that is hidden."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from ringmain_gdrive.extraction.grids import MOST_COLUMNS, MOST_ROWS, Grid, span
from ringmain_gdrive.extraction.hiding import BLOCKS, HEADINGS, VOID, Hidden

_SKIPPED = frozenset({"script", "style", "template", "noscript", "svg", "math", "object", "select"})
_GROUPS = frozenset({"thead", "tbody", "tfoot"})
_MARKS = {"b": "**", "strong": "**", "i": "*", "em": "*", "code": "`"}
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_LINK = re.compile(r"(?:https?|mailto):", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Made:
    """Markdown.

    Attributes:
        left_out: Whether there was something that a person does not see.
        title: What a browser shows above the page.
    """

    text: str
    left_out: bool
    title: str


def to_markdown(html: str) -> Made:
    """A page or fragment as Markdown."""
    writer = _Writer()
    writer.feed(html)
    writer.close()
    return Made(writer.text(), writer.left_out, writer.title())


@dataclass(slots=True)
class _Table:
    """A table that is being read, and the blocks that stand around it meanwhile."""

    around: list[str]
    grid: Grid = field(default_factory=Grid)
    cell: tuple[int, int] | None = None  # the columns and rows of the cell that is open


class _Writer(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.left_out = False
        self._blocks: list[str] = []
        self._line: list[str] = []
        self._prefix = ""
        self._lists: list[int | None] = []  # the number of the next item, where they have one
        self._tables: list[_Table] = []
        self._open: list[tuple[str, str, int]] = []  # inline elements: tag, target of a link, where it began
        self._titles: list[str] = []
        self._in_title = False
        self._passed: Hidden | None = None
        self._pre = 0

    def text(self) -> str:
        while self._tables:
            self._end_table()
        self._end_block()
        self.left_out = self.left_out or self._passed is not None  # its end is missing
        return "\n".join(self._blocks).strip()

    def title(self) -> str:
        return " ".join("".join(self._titles).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_title = False
        if self._passed is not None:
            if not self._passed.ends_before(tag):
                return
            self._passed = None
        given = {name: value or "" for name, value in attrs}
        if tag not in VOID and (tag in _SKIPPED or _hides(given)):
            self.left_out = self.left_out or tag not in _SKIPPED
            self._passed = Hidden(tag)
        elif tag == "title":
            self._in_title = True
        elif tag in HEADINGS:
            self._end_block()
            self._prefix = f"\n{HEADINGS[tag]}"
        elif tag in BLOCKS:
            self._begin_block(tag, given)
        elif tag == "br":
            self._line.append("\n")
        elif tag == "img" and given.get("alt"):
            self._line.append(f"[image: {given['alt']}]")
        elif tag == "a" or tag in _MARKS:
            self._open.append((tag, given.get("href", ""), len(self._line)))

    def handle_endtag(self, tag: str) -> None:
        self._in_title = False
        if self._passed is not None:
            is_left = self._passed.is_left_by(tag)
            if is_left or self._passed.ends_with(tag):
                self._passed = None
            if not is_left:
                return
        if tag in HEADINGS:
            self._end_block()
        elif tag == "table":
            if self._tables:
                self._end_table()
        elif tag in BLOCKS:
            self._end_of(tag)
        elif self._open and self._open[-1][0] == tag:
            self._end_inline(*self._open.pop())

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self._titles.append(data)
        elif self._passed is None:
            self._line.append(data if self._pre else re.sub(r"\s+", " ", data))

    def _begin_block(self, tag: str, given: dict[str, str]) -> None:
        if tag in {"td", "th"} and self._tables:
            self._end_cell()
            columns, rows = span(given.get("colspan"), MOST_COLUMNS), span(given.get("rowspan"), MOST_ROWS)
            self._tables[-1].cell = columns, rows
            return
        self._end_block()
        if tag == "table":
            self._tables.append(_Table(self._blocks))
            self._blocks = []
        elif tag == "tr" and self._tables:
            self._end_cell()
            self._tables[-1].grid.begin_row()
        elif tag in _GROUPS and self._tables:
            self._end_cell()
            self._tables[-1].grid.begin_group()
        elif tag in {"ul", "ol"}:
            self._lists.append(_number(given.get("start"), 1) if tag == "ol" else None)
        elif tag == "li":
            self._begin_item(given.get("value"))
        elif tag == "pre":
            self._pre += 1
        elif tag == "hr":
            self._blocks.append("---")
        elif tag == "p" and not self._lists:
            self._prefix = "\n"

    def _end_of(self, tag: str) -> None:
        if tag in {"td", "th"} and self._tables:
            self._end_cell()
            return
        if tag == "pre" and self._pre:
            code = "".join(self._line).strip("\n")
            self._line, self._open = [], []
            self._pre -= 1
            self._blocks.append(f"\n```\n{code}\n```")
            return
        self._end_block()
        if tag in {"ul", "ol"} and self._lists:
            self._lists.pop()

    def _begin_item(self, value: str | None) -> None:
        indent = "  " * max(len(self._lists) - 1, 0)
        next_one = self._lists[-1] if self._lists else None
        if next_one is None:
            self._prefix = f"{indent}- "
            return
        number = _number(value, next_one)
        self._lists[-1] = number + 1
        self._prefix = f"{indent}{number}. "

    def _end_block(self) -> None:
        text = re.sub(r" *\n *", "\n", re.sub(r"[ \t]+", " ", "".join(self._line))).strip()
        self._line, self._open = [], []
        if text:
            self._blocks.append(self._prefix + text)
            self._prefix = ""

    def _end_cell(self) -> None:
        self._end_block()
        here = self._tables[-1]
        if here.cell is not None:
            here.grid.add(" ".join(" ".join(self._blocks).split()), *here.cell)
            self._blocks, here.cell = [], None

    def _end_table(self) -> None:
        self._end_cell()
        here = self._tables.pop()
        loose, self._blocks = self._blocks, here.around
        self._blocks += loose
        if made := here.grid.markdown():
            self._blocks.append(f"\n{made}\n")

    def _end_inline(self, tag: str, href: str, start: int) -> None:
        inner = "".join(self._line[start:])
        if not inner.strip() or self._pre:
            return
        if tag != "a":
            self._line[start:] = [f"{_MARKS[tag]}{inner.strip()}{_MARKS[tag]}"]
        elif _LINK.match(href):
            self._line[start:] = [f"[{inner.strip()}]({href})"]


def _hides(given: dict[str, str]) -> bool:
    return "hidden" in given or _HIDDEN.search(given.get("style", "")) is not None


def _number(said: str | None, otherwise: int) -> int:
    match = re.fullmatch(r"\s*(-?\d{1,9})\s*", said or "", re.ASCII)
    return int(match[1]) if match else otherwise
