"""Workbooks of Excel and OpenDocument: every sheet, by python-calamine."""

from collections.abc import Iterator
from importlib import import_module
from io import BytesIO
from typing import Any

from ringmain_core.text import clean
from ringmain_gdrive.extraction.archives import require_harmless
from ringmain_gdrive.extraction.extracted import Extracted, Part
from ringmain_gdrive.extraction.letters import column_letters
from ringmain_gdrive.extraction.rows import sheet
from ringmain_gdrive.extraction.sheet_files import Outline, outline, sheet_files

_MOST_CELLS = 5_000_000
_NOTHING = Outline(0, 0, (), ())


def workbook(data: bytes) -> Extracted:
    """All sheets in their order, with the values that formulas had when it was saved."""
    names = require_harmless(data) if data.startswith(b"PK") else []
    files = sheet_files(data, names)
    calamine: Any = import_module("python_calamine")
    parts, remarks = list[Part](), list[str]()
    with calamine.CalamineWorkbook.from_filelike(BytesIO(data)) as book:
        for about in book.sheets_metadata:
            name = clean(about.name)
            if about.typ != calamine.SheetTypeEnum.WorkSheet:
                remarks.append(f"`{name}` is no table: it is left out.")
                continue
            known = outline(data, files[about.name]) if about.name in files else _NOTHING
            if known.rows * known.columns > _MOST_CELLS:  # before it is laid out in memory
                remarks.append(_too_far(name, known.rows, known.columns))
                continue
            found = book.get_sheet_by_name(about.name)
            if found.total_height * found.total_width > _MOST_CELLS:
                remarks.append(_too_far(name, found.total_height, found.total_width))
                continue
            rows = found.to_python(skip_empty_area=False)  # from A1 on, wherever the cells begin
            _fill_in(rows, known)
            remarks += _remarks(name, known)
            hidden = about.visible != calamine.SheetVisibleEnum.Visible
            parts.append(sheet(name, rows, hidden=hidden))
    if any(name.endswith("vbaProject.bin") for name in names):
        remarks.append("It has macros: they are left out.")
    return Extracted(parts, remarks)


def _too_far(name: str, rows: int, columns: int) -> str:
    where = f"{column_letters(columns)}{rows}"
    return f"`{name}` reaches to {where}, which is more than {_MOST_CELLS:,} cells: it is left out."


def _fill_in(rows: list[list[Any]], known: Outline) -> None:
    """Put errors, which calamine leaves empty, where they stand."""
    for row, column, said in known.errors:
        if row < len(rows) and column < len(rows[row]):
            rows[row][column] = said


def _remarks(name: str, known: Outline) -> Iterator[str]:
    if known.errors:
        row, column, said = known.errors[0]
        where = f"{column_letters(column + 1)}{row + 1}"
        count = len(known.errors)
        yield f"Cells of `{name}` with an error: {count:,}, the first is {clean(said)} at {where}."
    if known.without_value:
        yield (
            f"Formulas of `{name}` without a value: {len(known.without_value):,}, the first at "
            f"{known.without_value[0]}. What saved them did not calculate; they are empty here."
        )
