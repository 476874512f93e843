"""Office files and PDFs, written and read by the libraries everybody uses; untyped ones stay in here."""

from collections.abc import Iterable, Sequence
from importlib import import_module
from io import BytesIO
from typing import Any

from standins.gdrive import markdown
from standins.gdrive.native import Cell, Document, Presentation, Slide, Spreadsheet, Tab

_LINE = 14
_MARGIN = 60
_LINES_ON_PAGE = 50
_LETTERS_IN_LINE = 95


def _library(name: str) -> Any:
    """A library, loaded when the first file wants it: they take long."""
    return import_module(name)


def _saved(made: Any) -> bytes:
    into = BytesIO()
    made.save(into)
    return into.getvalue()


def docx(text: str) -> bytes:
    made = _library("docx").Document()
    for one in markdown.blocks(text):
        if one.kind == "heading":
            made.add_heading(one.text, one.level)
        elif one.kind == "item":
            made.add_paragraph(one.text, style="List Bullet")
        elif one.kind == "table":
            table = made.add_table(len(one.rows), max(len(row) for row in one.rows))
            for number, row in enumerate(one.rows):
                for cell, value in zip(table.rows[number].cells, row, strict=False):
                    cell.text = value
        else:
            made.add_paragraph(one.text)
    return _saved(made)


def read_docx(data: bytes) -> Document:
    made: list[str] = []
    for one in _library("docx").Document(BytesIO(data)).iter_inner_content():
        if hasattr(one, "rows"):
            rows = ["| " + " | ".join(cell.text for cell in row.cells) + " |" for row in one.rows]
            made.append("\n".join(rows))
            continue
        style = str(one.style.name)
        if style.startswith("Heading "):
            made.append(f"{'#' * int(style[-1])} {one.text}")
        elif one.text:
            made.append(f"- {one.text}" if style.startswith("List") else one.text)
    return Document("\n\n".join(made) + "\n")


def xlsx(of: Spreadsheet) -> bytes:
    book = _library("openpyxl").Workbook()
    book.remove(book.active)
    for tab in of.tabs:
        sheet = book.create_sheet(tab.title)
        for row in tab.rows:
            sheet.append(list(row))
    return _saved(book)


def read_xlsx(data: bytes) -> Spreadsheet:
    book = _library("openpyxl").load_workbook(BytesIO(data), read_only=True, data_only=True)
    return Spreadsheet(tuple(Tab(one.title, tuple(_rows(one.values))) for one in book.worksheets))


def _rows(values: Iterable[Sequence[Any]]) -> Iterable[tuple[Cell, ...]]:
    for row in values:
        yield tuple(one if isinstance(one, str | int | float | None) else str(one) for one in row)


def pptx(of: Presentation) -> bytes:
    made = _library("pptx").Presentation()
    for one in of.slides:
        slide = made.slides.add_slide(made.slide_layouts[1])
        slide.shapes.title.text = one.title
        slide.placeholders[1].text = one.body
        if one.notes:
            slide.notes_slide.notes_text_frame.text = one.notes
    return _saved(made)


def read_pptx(data: bytes) -> Presentation:
    made: list[Slide] = []
    for one in _library("pptx").Presentation(BytesIO(data)).slides:
        texts = [shape.text_frame.text for shape in one.shapes if shape.has_text_frame]
        notes = one.notes_slide.notes_text_frame.text if one.has_notes_slide else ""
        made.append(Slide(texts[0] if texts else "", "\n".join(texts[1:]), notes))
    return Presentation(tuple(made))


def pdf(pages: Iterable[str]) -> bytes:
    """A PDF with these texts, each on pages of its own."""
    into = BytesIO()
    canvas = _library("reportlab.pdfgen.canvas").Canvas(into, invariant=1)
    for text in pages:
        lines = [
            line[at : at + _LETTERS_IN_LINE]
            for line in text.splitlines() or [""]
            for at in range(0, max(len(line), 1), _LETTERS_IN_LINE)
        ]
        for start in range(0, len(lines), _LINES_ON_PAGE):
            for number, line in enumerate(lines[start : start + _LINES_ON_PAGE]):
                canvas.drawString(_MARGIN, 780 - _LINE * number, line)
            canvas.showPage()
    canvas.save()
    return into.getvalue()
