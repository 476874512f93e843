"""Rows of cells as the text of a sheet: a line each, numbers as numbers."""

import json
import math
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from ringmain_core.text import clean
from ringmain_gdrive.extraction.extracted import Part

_EXACT = 2**53  # above, a float has no units


def sheet(name: str, rows: Iterable[Sequence[Any]], *, hidden: bool = False) -> Part:
    """A part from the cells of a sheet, without what is empty at the ends of rows and of the sheet."""
    lines, columns = list[str](), 0
    for row in rows:
        cells = [_plain(cell) for cell in row]
        while cells and cells[-1] is None:
            cells.pop()
        columns = max(columns, len(cells))
        lines.append(json.dumps(cells, ensure_ascii=False, separators=(",", ":"))[1:-1])
    while lines and not lines[-1]:
        lines.pop()
    return Part("sheet", name, "\n".join(lines), len(lines), columns, hidden)


def _plain(cell: Any) -> str | int | float | bool | None:
    """A cell as JSON can say it; dates and times as ISO 8601."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, str):
        return clean(cell) or None
    if isinstance(cell, float):
        if not math.isfinite(cell):
            return str(cell)
        return int(cell) if cell.is_integer() and abs(cell) < _EXACT else cell
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return _duration(cell)
    return cell if isinstance(cell, bool | int) else clean(str(cell))


def _duration(value: timedelta) -> str:
    """Hours, minutes and seconds, as a spreadsheet shows it."""
    seconds = round(abs(value).total_seconds())
    sign = "-" if value < timedelta() else ""
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
