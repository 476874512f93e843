"""Office files are read whole: all sheets, slides in their order, headings and tables of documents."""

import re
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
_UNCALCULATED = "What saved them did not calculate; they are empty here."
_MATH = "http://schemas.openxmlformats.org/officeDocument/2006/math"
_DIAGRAM = "http://schemas.openxmlformats.org/drawingml/2006/diagram"


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


def with_entries(data: bytes, contents: dict[str, bytes]) -> bytes:
    """The archive with other contents for some of its files."""
    into = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(into, "w") as new:
        for name in old.namelist():
            new.writestr(name, contents.get(name) or old.read(name))
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


def test_cells_of_documents_that_are_merged_stand_in_each_place() -> None:
    made = _document()
    table = made.add_table(3, 3)
    for row in range(3):
        for column in range(3):
            table.cell(row, column).text = f"{row}{column}"
    table.cell(1, 0).merge(table.cell(2, 0)).text = "EMEA"
    table.cell(0, 1).merge(table.cell(0, 2)).text = "Sales"
    assert docx(saved(made)).parts[0].text == (
        "| 00 | Sales | Sales |\n| --- | --- | --- |\n| EMEA | 11 | 12 |\n| EMEA | 21 | 22 |"
    )


def test_headers_footers_and_comments_of_documents_are_read() -> None:
    made = _document()
    made.sections[0].header.paragraphs[0].text = "DRAFT\tnot binding"
    made.sections[0].footer.paragraphs[0].text = "until Friday"
    made.sections[0].footer.add_paragraph("Acme")
    run = made.add_paragraph().add_run("We agree.")
    made.add_comment(runs=[run], text="No, we do not.", author="Bo", initials="B")
    assert docx(saved(made)).parts[0].text == (
        "[header: DRAFT not binding]\n\nWe agree.[B1]\nComment [B1]\n\nNo, we do not. ↑\n\n"
        "[footer: until Friday / Acme]"
    )


def test_what_documents_lose_is_remarked() -> None:
    made = _document()
    made.add_paragraph("one", style="List Number")
    assert docx(saved(made)).remarks == []
    made.add_paragraph("between")
    made.add_paragraph("two", style="List Number")
    made.add_paragraph().add_run("not shown").font.hidden = True
    equation = f'<m:oMath xmlns:m="{_MATH}"><m:r><m:t>E=mc2</m:t></m:r></m:oMath>'
    made.add_paragraph()._p.append(import_module("docx.oxml").parse_xml(equation))
    data = with_entry(saved(made), "word/diagrams/data1.xml", b"<a/>")
    assert docx(with_entry(data, "word/charts/chart1.xml", b"<a/>")).remarks == [
        "It has charts: they are left out.",
        "It has diagrams: they are left out.",
        "It has equations: they are left out.",
        "It has text that people do not see: here it stands among the other.",
        "Its numbered lists all begin with 1 here; in it, one may go on where another has ended.",
    ]


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


def test_cells_without_a_value_are_told() -> None:
    book = _workbook()
    book.active.title = "S"
    book.active.append(["sum", "error", "text"])
    book.active.append(["=1+1", "#DIV/0!", "=A2"])
    data = saved(book)
    assert row_of(workbook(data).parts[0].text.split("\n")[1]) == [None, "#DIV/0!"]
    assert workbook(data).remarks == [
        "Cells of `S` with an error: 1, the first is #DIV/0! at B2.",
        f"Formulas of `S` without a value: 2, the first at A2. {_UNCALCULATED}",
    ]
    sheet = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(BytesIO(data)) as archive:
        xml = archive.read(sheet)
    calculated = re.sub(rb"(<f>1\+1</f>)<v[^c]*</c>", rb"\1<v>2</v></c>", xml)
    calculated = calculated.replace(b'<c r="C2">', b'<c r="C2" t="str">')  # then its value is an empty text
    found = workbook(with_entries(data, {sheet: calculated}))
    assert row_of(found.parts[0].text.split("\n")[1]) == [2, "#DIV/0!"]
    assert len(found.remarks) == 1


def test_a_sheet_that_says_it_reaches_far_is_read_if_it_does_not() -> None:
    book = _workbook()
    book.active["B2"] = 7
    data = saved(book)
    sheet = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(BytesIO(data)) as archive:
        xml = archive.read(sheet)
    assert b'<dimension ref="B2"' in xml or b'ref="B2:B2"' in xml
    claimed = re.sub(rb'(<dimension ref=")[^"]*', rb"\1A1:XFD1048576", xml)
    found = workbook(with_entries(data, {sheet: claimed}))
    assert (found.parts[0].text, found.remarks) == ("\nnull,7", [])


def test_a_sheet_that_reaches_too_far_hides_no_other() -> None:
    book = _workbook()
    book.active["A1"], book.active["XFD2000"] = 1, 2
    book.create_sheet("Other")["A1"] = "here"
    data = saved(book)
    sheet = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(BytesIO(data)) as archive:
        silent = re.sub(rb"<dimension[^>]*>", b"", archive.read(sheet))
    for one in (data, with_entries(data, {sheet: silent})):
        found = workbook(one)
        assert [part.text for part in found.parts] == ['"here"']
        assert found.remarks == [
            "`Sheet` reaches to XFD2000, which is more than 5,000,000 cells: it is left out."
        ]


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


def test_diagrams_of_slides_are_read_and_what_is_left_out_is_told() -> None:
    made = _presentation()
    slide = made.slides.add_slide(made.slide_layouts[6])
    part = import_module("pptx.opc.package").Part(
        import_module("pptx.opc.packuri").PackURI("/ppt/diagrams/data1.xml"),
        "application/vnd.openxmlformats-officedocument.drawingml.diagramData+xml",
        slide.part.package,
        b'<d xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><a:t>Plan</a:t><a:t>Do</a:t></d>',
    )
    key = slide.part.relate_to(part, "http://schemas.openxmlformats.org/officeDocument/2006/relationships/x")
    for relation in (f'r:dm="{key}"', 'r:dm="rId99"', ""):
        slide.shapes._spTree.append(
            import_module("pptx.oxml").parse_xml(
                '<p:graphicFrame xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
                'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
                'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
                '<p:nvGraphicFramePr><p:cNvPr id="9" name="SmartArt 1"/><p:cNvGraphicFramePr/><p:nvPr/>'
                '</p:nvGraphicFramePr><p:xfrm><a:off x="0" y="0"/><a:ext cx="1" cy="1"/></p:xfrm><a:graphic>'
                f'<a:graphicData uri="{_DIAGRAM}"><d:relIds xmlns:d="{_DIAGRAM}" {relation}/>'
                "</a:graphicData></a:graphic></p:graphicFrame>"
            )
        )
    found = presentation(with_entry(saved(made), "ppt/comments/comment1.xml", b"<a/>"))
    assert found.parts[0].text == "[diagram: Plan; Do]\n\n[diagram: SmartArt 1]\n\n[diagram: SmartArt 1]"
    assert found.remarks == ["It has comments: they are left out."]
