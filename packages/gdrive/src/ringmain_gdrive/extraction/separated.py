"""Tables as text with commas, semicolons or tabs between the cells."""

import csv
import re
import sys
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from itertools import islice

from ringmain_gdrive.extraction.charset import decoded
from ringmain_gdrive.extraction.extracted import Extracted, Unreadable
from ringmain_gdrive.extraction.rows import sheet

_SEPARATORS = "\t;|,"  # a comma is often within cells, so the others are preferred
_NAMED = re.compile(r'\s*sep=([^"\n])\n', re.IGNORECASE)  # Excel's way to say it
_LOOKED_AT = 50  # rows
_MOST_LOOKED_AT = 100_000  # characters
_NUMERIC = re.compile(r"[-+]?\d+(?:\.\d+)?", re.ASCII)
_EXACT = re.compile(  # up to 15 digits come back as they were; what is smaller than 0.0001 does not
    r"0|-?(?:[1-9]\d{0,14}|(?=.{3,16}\Z)(?!0\.0000)(?:0|[1-9]\d*)\.\d*[1-9])", re.ASCII
)


def separated(data: bytes) -> Extracted:
    """A CSV or TSV file; a column's numbers become numbers if all of them come back as they were written."""
    text = decoded(data)
    named = _NAMED.match(text)
    separator = named[1] if named else _separator(text)
    text = text[named.end() :] if named else text
    csv.field_size_limit(sys.maxsize)
    try:
        kept = _kept_as_text(_rows(text, separator))
        rows = _rows(text, separator)
        return Extracted([sheet("Sheet1", ([*_values(row, kept)] for row in rows))])
    except csv.Error as error:
        raise Unreadable(f"It is no table: {error}.") from error


def _rows(text: str, separator: str) -> Iterator[list[str]]:
    return csv.reader(StringIO(text), delimiter=separator)


def _separator(text: str) -> str:
    """What divides most of the first rows into as many cells as each other."""
    start = text[:_MOST_LOOKED_AT]

    def alike(separator: str) -> int:
        widths = Counter(len(row) for row in islice(_rows(start, separator), _LOOKED_AT))
        return max((count for width, count in widths.items() if width > 1), default=0)

    return max(_SEPARATORS, key=alike)


def _kept_as_text(rows: Iterator[list[str]]) -> set[int]:
    """The columns in which something looks like a number and is more: 007, 3.10, an id of twenty digits."""
    kept = set[int]()
    is_exact, is_numeric = _EXACT.fullmatch, _NUMERIC.fullmatch
    for row in rows:
        for at, cell in enumerate(row):
            if cell[-1:].isdigit() and not is_exact(cell) and at not in kept and is_numeric(cell):
                kept.add(at)
    return kept


def _values(row: list[str], kept: set[int]) -> Iterator[str | int | float]:
    for at, cell in enumerate(row):
        is_number = at not in kept and _EXACT.fullmatch(cell)
        yield (float(cell) if "." in cell else int(cell)) if is_number else cell
