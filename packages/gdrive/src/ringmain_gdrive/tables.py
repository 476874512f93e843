"""Rows of a sheet: which of them a range means, and how they are shown."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ringmain_core.errors import InvalidArguments
from ringmain_gdrive.extraction.extracted import row_of
from ringmain_gdrive.extraction.letters import column_letters, column_number

_RANGE = re.compile(r"([A-Za-z]{0,3})(\d{0,7})(?::([A-Za-z]{0,3})(\d{0,7}))?")


@dataclass(frozen=True, slots=True)
class Area:
    """Rows and columns of a sheet, counted from 0; the ends are not in it."""

    top: int
    bottom: int
    left: int
    right: int


def area(text: str | None, rows: int, columns: int) -> Area:
    """The part of a sheet that a range like `A1:F200`, `B:D` or `5:9` means.

    Raises:
        InvalidArguments: Where it is none.
    """
    if text is None:
        return Area(0, rows, 0, columns)
    match = _RANGE.fullmatch(text.strip().replace("$", ""))
    if match is None or not any(match.groups()):
        raise InvalidArguments(f"`{text[:40]}` is no range: write A1:F200, B:D or 5:9.")
    left, top, right, bottom = match.groups()
    if right is None:
        right, bottom = left, bottom or top
    first, start = int(top or 1), column_number(left) if left else 1
    last, end = int(bottom or max(rows, first)), column_number(right) if right else max(columns, start)
    if first < 1 or first > last or start > end:
        raise InvalidArguments(f"`{text[:40]}` ends before it begins: write A1:F200, B:D or 5:9.")
    return Area(first - 1, min(last, rows), start - 1, max(min(end, columns), start - 1))


def rows_of(lines: Sequence[str], within: Area) -> list[list[Any]]:
    """The rows of an area, each as long as it is wide."""
    width = within.right - within.left
    rows = [row_of(line)[within.left : within.right] for line in lines[within.top : within.bottom]]
    return [[*cells, *[None] * (width - len(cells))] for cells in rows]


def names_of(within: Area, header: Sequence[Any] = ()) -> list[str]:
    """What the columns of an area are called: by its header, or by their letters where that says nothing."""
    names: list[str] = []
    for at, number in enumerate(range(within.left, within.right)):
        said = " ".join(str(header[at]).split()) if at < len(header) and header[at] is not None else ""
        letter = column_letters(number + 1)
        names.append(f"{said} ({letter})" if said in names else said or letter)
    return names
