"""Tables as text with commas, semicolons or tabs between the cells."""

import csv
import re
import sys
from io import StringIO

from ringmain_gdrive.extraction.charset import decoded
from ringmain_gdrive.extraction.extracted import Extracted, Unreadable
from ringmain_gdrive.extraction.rows import sheet

_SEPARATORS = ",;\t|"
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?")  # 007 and 1e5 stay text


def separated(data: bytes) -> Extracted:
    """A CSV or TSV file; what can only be a number becomes one."""
    text = decoded(data)
    csv.field_size_limit(sys.maxsize)
    try:
        rows = csv.reader(StringIO(text), delimiter=_separator(text))
        return Extracted([sheet("Sheet1", ([_value(cell) for cell in row] for row in rows))])
    except csv.Error as error:
        raise Unreadable(f"It is no table: {error}.") from error


def _separator(text: str) -> str:
    """What is most often between the cells of the first line, outside of quotes."""
    first = re.sub(r'"[^"]*"', "", text[:100_000]).lstrip("\n").partition("\n")[0]
    return max(_SEPARATORS, key=first.count)


def _value(cell: str) -> str | int | float:
    if _NUMBER.fullmatch(cell):
        return float(cell) if "." in cell else int(cell)
    return cell
