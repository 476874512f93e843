"""PDF files are read page by page, and scanned pages are told."""

from importlib import import_module
from io import BytesIO
from typing import Any

from ringmain_gdrive.extraction.pdfs import pdf
from standins.gdrive.office import pdf as made_pdf

_canvas: Any = import_module("reportlab.pdfgen.canvas").Canvas  # it has no types


def test_pages_are_parts() -> None:
    found = pdf(made_pdf(["One\nmore", "Two"]))
    assert [(part.kind, part.text) for part in found.parts] == [("page", "One\nmore"), ("page", "Two")]
    assert found.remarks == []


def test_pages_without_text_are_told() -> None:
    into = BytesIO()
    canvas = _canvas(into)
    canvas.rect(10, 10, 100, 100)
    canvas.showPage()
    canvas.drawString(50, 700, "text")
    canvas.showPage()
    canvas.save()
    found = pdf(into.getvalue())
    assert [part.text for part in found.parts] == ["", "text"]
    assert found.remarks == [
        "1 of 2 pages have no text: they are pictures, scanned perhaps, which are not read."
    ]
    assert pdf(made_pdf([""])).remarks == [
        "Its pages have no text: they are pictures, scanned perhaps, which are not read."
    ]


def test_what_was_filled_in_is_read() -> None:
    into = BytesIO()
    canvas = _canvas(into)
    canvas.drawString(50, 700, "Amount due:")
    canvas.acroForm.textfield(name="amount", value="4711 EUR", x=150, y=690, width=100, height=20)
    canvas.save()
    (part,) = pdf(into.getvalue()).parts
    assert part.text == "Amount due:\n4711 EUR"


def test_scripts_and_forms_of_a_pdf_do_nothing() -> None:
    document = made_pdf(["Text."])
    hostile = document.replace(
        b"/Type /Catalog",
        b"/Type /Catalog /OpenAction << /S /JavaScript /JS (app.launchURL('https://evil.example')) >>",
    )
    assert hostile != document
    assert [part.text for part in pdf(hostile).parts] == ["Text."]


def test_a_file_with_a_million_objects_is_read() -> None:
    some = (b"%d 0 obj\n<< /A %d 0 R >>\nendobj\n" % (number, number + 1) for number in range(10, 1_000_000))
    objects = b"".join(some)
    document = made_pdf(["Text."])
    at = document.index(b"xref")
    assert [part.text for part in pdf(document[:at] + objects + document[at:]).parts] == ["Text."]
