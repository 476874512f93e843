"""Workbooks of Excel and OpenDocument: every sheet, by python-calamine."""

from importlib import import_module
from io import BytesIO
from typing import Any

from ringmain_core.text import clean
from ringmain_gdrive.extraction.archives import require_harmless
from ringmain_gdrive.extraction.extracted import Extracted, Part
from ringmain_gdrive.extraction.rows import sheet

_MOST_CELLS = 5_000_000


def workbook(data: bytes) -> Extracted:
    """All sheets in their order, with the values that formulas had when it was saved."""
    names = require_harmless(data) if data.startswith(b"PK") else []
    calamine: Any = import_module("python_calamine")
    parts, remarks = list[Part](), list[str]()
    with calamine.CalamineWorkbook.from_filelike(BytesIO(data)) as book:
        for about in book.sheets_metadata:
            name = clean(about.name)
            if about.typ != calamine.SheetTypeEnum.WorkSheet:
                remarks.append(f"`{name}` is no table: it is left out.")
                continue
            found = book.get_sheet_by_name(about.name)
            if found.total_height * found.total_width > _MOST_CELLS:
                remarks.append(f"`{name}` has more than {_MOST_CELLS:,} cells: it is left out.")
                continue
            hidden = about.visible != calamine.SheetVisibleEnum.Visible
            rows = found.to_python(skip_empty_area=False)  # from A1 on, wherever the cells begin
            parts.append(sheet(name, rows, hidden=hidden))
    if any(name.endswith("vbaProject.bin") for name in names):
        remarks.append("It has macros: they are left out.")
    return Extracted(parts, remarks)
