"""Office files are read whole: all sheets, slides in their order, headings and tables of documents."""

import zipfile
from datetime import date, datetime, time, timedelta
from importlib import import_module
from io import BytesIO
from typing import Any

from ringmain_gdrive.extraction.__main__ import extract
from ringmain_gdrive.extraction.documents import docx
from ringmain_gdrive.extraction.extracted import row_of
from ringmain_gdrive.extraction.presentations import presentation
from ringmain_gdrive.extraction.spreadsheets import workbook

_document: Any = import_module("docx").Document  # libraries that have no types
_presentation: Any = import_module("pptx").Presentation
_inches: Any = import_module("pptx.util").Inches
_workbook: Any = import_module("openpyxl").Workbook


def saved(made: Any) -> bytes:
    into = BytesIO()
    made.save(into)
    return into.getvalue()


def with_entry(data: bytes, name: str, content: bytes) -> bytes:
    """The archive with one more file in it."""
    into = BytesIO(data)
    with zipfile.ZipFile(into, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return into.getvalue()


def test_documents_become_markdown() -> None:
    made = _document()
    made.add_heading("Plan", 1)
    paragraph = made.add_paragraph("We ship on ")
    paragraph.add_run("Friday").bold = True
    made.add_paragraph("cold cache", style="List Bullet")
    made.add_paragraph("nobody on call", style="List Bullet")
    table = made.add_table(2, 2)
    for row, texts in zip(table.rows, (("Part", "Owner"), ("Server | API", "Ada")), strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    (part,) = docx(saved(made)).parts
    assert part.text == (
        "# Plan\n\nWe ship on **Friday**\n- cold cache\n- nobody on call\n\n"
        "| Part | Owner |\n| --- | --- |\n| Server \\| API | Ada |"
    )


def test_long_documents_have_sections() -> None:
    made = _document()
    for chapter in range(1, 6):
        made.add_heading(f"Chapter {chapter}", 1)
        for _ in range(40):
            made.add_paragraph(f"Something about {chapter} that goes on for a while, and then for some more.")
    parts = docx(saved(made)).parts
    assert [(part.kind, part.title) for part in parts] == [
        ("section", f"Chapter {number}") for number in range(1, 6)
    ]
    assert parts[2].text.startswith("# Chapter 3\n")


def test_macros_and_images_of_documents_are_told_and_left_out() -> None:
    made = _document()
    made.add_paragraph("Text.")
    picture = BytesIO()
    import_module("PIL.Image").new("RGB", (4, 4)).save(picture, "PNG")
    picture.seek(0)
    made.add_picture(picture)
    found = docx(with_entry(saved(made), "word/vbaProject.bin", b"\0" * 100))
    assert found.parts[0].text == "Text."
    assert found.remarks == ["It has macros: they are left out.", "It has images: they are left out."]


def test_all_sheets_are_read_with_the_values_that_they_have() -> None:
    book = _workbook()
    first = book.active
    first.title = "Costs"
    first.append(["Item", "Cost", "On", "At", "Open"])
    first.append(["Servers", 1200, date(2026, 3, 1), time(9, 30), True])
    first.append(["Coffee\nand tea", 80.5, datetime(2026, 3, 1, 8, 5), timedelta(hours=30), None])  # noqa: DTZ001 (as Excel has them)
    first.append([])
    first.merge_cells("A6:B6")
    first["A6"] = "all \u202ein euros"
    second = book.create_sheet("Élan 2")
    second["C3"] = 7
    book.create_sheet("empty").sheet_state = "hidden"
    parts = workbook(saved(book)).parts
    assert [(one.title, one.rows, one.columns, one.hidden) for one in parts] == [
        ("Costs", 6, 5, False),
        ("Élan 2", 3, 3, False),
        ("empty", 0, 0, True),
    ]
    assert [row_of(line) for line in parts[0].text.split("\n")] == [
        ["Item", "Cost", "On", "At", "Open"],
        ["Servers", 1200, "2026-03-01", "09:30:00", True],
        ["Coffee\nand tea", 80.5, "2026-03-01T08:05:00", "30:00:00"],
        [],
        [],
        ["all in euros"],
    ]
    assert parts[1].text == "\n\nnull,null,7"
    assert parts[2].text == ""


def test_spreadsheets_of_opendocument_are_read() -> None:
    names = {
        "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
        "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
        "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
    }
    spaces = " ".join(f'xmlns:{short}="{name}"' for short, name in names.items())
    cells = (
        '<table:table-cell office:value-type="string"><text:p>Tea</text:p></table:table-cell>'
        '<table:table-cell office:value-type="float" office:value="2.5"/>'
        '<table:table-cell office:value-type="date" office:date-value="2026-03-01"/>'
    )
    content = (
        f"<office:document-content {spaces}><office:body><office:spreadsheet>"
        f'<table:table table:name="Stock"><table:table-row>{cells}</table:table-row></table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    manifest = '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    into = BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", manifest)
    (part,) = extract(into.getvalue(), "workbook").parts
    assert (part.title, part.text) == ("Stock", '"Tea",2.5,"2026-03-01"')


def test_slides_come_in_the_order_of_the_show_with_tables_and_notes() -> None:
    made = _presentation()
    for title, body in (("Last", "bye"), ("First", "hello\nworld")):
        slide = made.slides.add_slide(made.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = body
    slide.notes_slide.notes_text_frame.text = "Smile"
    cells = slide.shapes.add_table(2, 2, _inches(1), _inches(1), _inches(4), _inches(1)).table
    for row, texts in zip(cells.rows, (("a", "b"), ("1", "2")), strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    group = slide.shapes.add_group_shape()
    group.shapes.add_textbox(0, 0, _inches(1), _inches(1)).text_frame.text = "in a group"
    order = made.slides._sldIdLst
    order.insert(0, order[1])  # what was made last is shown first
    made.slides[1].element.set("show", "0")
    parts = presentation(saved(made)).parts
    assert [(one.title, one.hidden) for one in parts] == [("First", False), ("Last", True)]
    table = "| a | b |\n| --- | --- |\n| 1 | 2 |"
    assert parts[0].text == f"hello\nworld\n\n{table}\n\nin a group\n\nNotes: Smile"
    assert parts[1].text == "bye"
