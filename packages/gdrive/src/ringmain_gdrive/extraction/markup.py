"""HTML as Markdown: headings, lists, tables, links; no scripts, nothing that is hidden."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

_SKIPPED = frozenset({"script", "style", "head", "template", "noscript", "svg", "math", "object", "select"})
_TABLE = frozenset({"table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption"})
_LIST = frozenset({"ul", "ol", "li", "dl", "dt", "dd"})
_FLOW = frozenset(
    {"address", "article", "aside", "blockquote", "body", "center", "div", "figcaption", "figure"}
)
_MORE = frozenset({"footer", "form", "header", "hr", "html", "legend", "main", "nav", "p", "pre", "section"})
_BLOCKS = _TABLE | _LIST | _FLOW | _MORE
_HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
_MARKS = {"b": "**", "strong": "**", "i": "*", "em": "*", "code": "`"}
_CLOSED_BY_OTHERS = frozenset({"p", "li", "td", "th", "tr", "dd", "dt"})  # their ends need not be written
_VOID = frozenset({"img", "input", "br", "hr", "meta", "link", "source", "col", "wbr", "embed"})
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_LINK = re.compile(r"(?:https?|mailto):", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Made:
    """Markdown.

    Attributes:
        left_out: Whether there was something that a person does not see.
    """

    text: str
    left_out: bool


def to_markdown(html: str) -> Made:
    """A page or fragment as Markdown."""
    writer = _Writer()
    writer.feed(html)
    writer.close()
    return Made(writer.text(), writer.left_out)


def table(rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown; its first row is the head."""
    columns = max((len(row) for row in rows), default=0)
    if not columns:
        return ""
    lines = [
        "| " + " | ".join([*(cell.replace("|", "\\|") for cell in row), *[""] * (columns - len(row))]) + " |"
        for row in rows
    ]
    return "\n".join([lines[0], "|" + " --- |" * columns, *lines[1:]])


@dataclass(slots=True)
class _Table:
    """A table that is being read, and the blocks that stand around it meanwhile."""

    around: list[str]
    rows: list[list[str]] = field(default_factory=list[list[str]])
    in_cell: bool = False


class _Writer(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.left_out = False
        self._blocks: list[str] = []
        self._line: list[str] = []
        self._prefix = ""
        self._lists: list[int] = []  # the number of the next item; 0 where they have none
        self._tables: list[_Table] = []
        self._open: list[tuple[str, str, int]] = []  # inline elements: tag, target of a link, where it began
        self._skipping = ""
        self._depth = 0
        self._pre = 0

    def text(self) -> str:
        while self._tables:
            self._end_table()
        self._end_block()
        return "\n".join(self._blocks).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._skipping:
            self._depth += tag == self._skipping
            return
        given = {name: value or "" for name, value in attrs}
        if tag not in _VOID and (tag in _SKIPPED or self._hides(tag, given)):
            self.left_out = self.left_out or tag not in _SKIPPED
            self._skipping, self._depth = tag, 1
        elif tag in _HEADINGS:
            self._end_block()
            self._prefix = f"\n{_HEADINGS[tag]}"
        elif tag in _BLOCKS:
            self._begin_block(tag)
        elif tag == "br":
            self._line.append("\n")
        elif tag == "img" and given.get("alt"):
            self._line.append(f"[image: {given['alt']}]")
        elif tag == "a" or tag in _MARKS:
            self._open.append((tag, given.get("href", ""), len(self._line)))

    def handle_endtag(self, tag: str) -> None:
        if self._skipping:
            self._depth -= tag == self._skipping
            if not self._depth:
                self._skipping = ""
        elif tag in _HEADINGS:
            self._end_block()
        elif tag == "table":
            if self._tables:
                self._end_table()
        elif tag in _BLOCKS:
            self._end_of(tag)
        elif self._open and self._open[-1][0] == tag:
            self._end_inline(*self._open.pop())

    def handle_data(self, data: str) -> None:
        if not self._skipping:
            self._line.append(data if self._pre else re.sub(r"\s+", " ", data))

    def _hides(self, tag: str, given: dict[str, str]) -> bool:
        hidden = "hidden" in given or _HIDDEN.search(given.get("style", "")) is not None
        return hidden and tag not in _CLOSED_BY_OTHERS

    def _begin_block(self, tag: str) -> None:
        if tag in {"td", "th"} and self._tables:
            self._end_cell()
            self._tables[-1].in_cell = True
            return
        self._end_block()
        if tag == "table":
            self._tables.append(_Table(self._blocks))
            self._blocks = []
        elif tag == "tr" and self._tables:
            self._end_cell()
            self._tables[-1].rows.append([])
        elif tag in {"ul", "ol"}:
            self._lists.append(int(tag == "ol"))
        elif tag == "li":
            self._begin_item()
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

    def _begin_item(self) -> None:
        indent = "  " * max(len(self._lists) - 1, 0)
        number = self._lists[-1] if self._lists else 0
        if number:
            self._lists[-1] += 1
        self._prefix = f"{indent}{number}. " if number else f"{indent}- "

    def _end_block(self) -> None:
        text = re.sub(r" *\n *", "\n", re.sub(r"[ \t]+", " ", "".join(self._line))).strip()
        self._line, self._open = [], []
        if text:
            self._blocks.append(self._prefix + text)
            self._prefix = ""

    def _end_cell(self) -> None:
        self._end_block()
        here = self._tables[-1]
        if here.in_cell:
            if not here.rows:
                here.rows.append([])
            here.rows[-1].append(" ".join(" ".join(self._blocks).split()))
            self._blocks, here.in_cell = [], False

    def _end_table(self) -> None:
        self._end_cell()
        here = self._tables.pop()
        loose, self._blocks = self._blocks, here.around
        self._blocks += loose
        if any(any(row) for row in here.rows):
            self._blocks.append(f"\n{table([row for row in here.rows if row])}\n")

    def _end_inline(self, tag: str, href: str, start: int) -> None:
        inner = "".join(self._line[start:])
        if not inner.strip() or self._pre:
            return
        if tag != "a":
            self._line[start:] = [f"{_MARKS[tag]}{inner.strip()}{_MARKS[tag]}"]
        elif _LINK.match(href):
            self._line[start:] = [f"[{inner.strip()}]({href})"]
