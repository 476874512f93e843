"""Tables as they are read: cells that span rows or columns, and the same in Markdown."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

MOST_COLUMNS = 1_000  # that one cell may span, as in browsers
MOST_ROWS = 65_534
_LONG = 200  # characters; what is longer stands only once


@dataclass(slots=True)
class Grid:
    """The rows of a table, cell by cell.

    A cell that spans several places has its text in each of them: so every row and column says what it
    belongs to.
    """

    rows: list[list[str]] = field(default_factory=list[list[str]])
    _below: dict[int, tuple[int, str]] = field(default_factory=dict[int, tuple[int, str]])

    def begin_row(self) -> None:
        """Go to the next row."""
        self._end_row()
        self.rows.append([])

    def begin_group(self) -> None:
        """Head, body and foot are apart: no cell reaches from one into the other."""
        self._end_row()
        self._below.clear()

    def add(self, text: str, columns: int, rows: int) -> None:
        """Put a cell into the next place that is free."""
        if not self.rows:
            self.rows.append([])
        row = self.rows[-1]
        self._take_from_above(row)
        again = text if len(text) <= _LONG else ""
        for nth in range(columns):
            if rows > 1:
                self._below[len(row)] = (rows - 1, again)
            row.append(again if nth else text)

    def markdown(self) -> str:
        """The table; empty where nothing is in it."""
        self._end_row()
        return table([row for row in self.rows if row]) if any(any(row) for row in self.rows) else ""

    def _end_row(self) -> None:
        if self.rows:
            row = self.rows[-1]
            self._take_from_above(row)
            while len(row) <= max(self._below, default=-1):
                row.append("")
                self._take_from_above(row)

    def _take_from_above(self, row: list[str]) -> None:
        """Fill the next places as far as cells of rows above reach into them."""
        while (at := len(row)) in self._below:
            left, text = self._below.pop(at)
            row.append(text)
            if left > 1:
                self._below[at] = (left - 1, text)


def span(said: str | None, most: int) -> int:
    """How many places a cell takes, by its attribute: 1 where that says nothing, all for 0."""
    match = re.match(r"\s*(\d{1,9})", said or "1", re.ASCII)
    return min(int(match[1]) or most, most) if match else 1


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
