"""Files that are traps are refused, or read without springing."""

import random
import zipfile
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from io import BytesIO
from typing import Any

import pytest

from ringmain_gdrive.extraction.__main__ import extract
from ringmain_gdrive.extraction.archives import require_harmless
from ringmain_gdrive.extraction.extracted import Unreadable
from ringmain_gdrive.extraction.formats import Format, true_format
from standins.gdrive.seeded import docx, pdf, pptx, xlsx

_PdfWriter: Any = import_module("pypdf").PdfWriter  # it has types, but not for all of this
TENFOLD = [f'<!ENTITY e{number} "{f"&e{number - 1};" * 10}">' for number in range(1, 10)]
LAUGHS = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "ha">{"".join(TENFOLD)}]><x>&e9;</x>'
SCHEMAS = "http://schemas.openxmlformats.org"
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'


def archive(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    into = BytesIO()
    with zipfile.ZipFile(into, "w", method) as made:
        for name, content in entries.items():
            made.writestr(name, content)
    return into.getvalue()


def replaced(data: bytes, name: str, content: bytes) -> bytes:
    """An office file with another content for one of its entries."""
    with zipfile.ZipFile(BytesIO(data)) as found:
        entries = {one: found.read(one) for one in found.namelist()}
    return archive(entries | {name: content})


def test_bombs_are_not_unpacked() -> None:
    bomb = replaced(xlsx(), "xl/worksheets/sheet1.xml", b"<a/>" + b" " * 150_000_000)
    with pytest.raises(Unreadable, match="more than a hundred times its size"):
        extract(bomb, "workbook")
    noise = random.Random(1).randbytes(1_100_000) * 10  # noqa: S311 (it has to be large, not secret)
    parts = {f"xl/{number}.bin": noise for number in range(20)}
    with pytest.raises(Unreadable, match="more than 209,715,200 bytes"):
        require_harmless(archive({"xl/workbook.xml": b"<a/>", **parts}, zipfile.ZIP_STORED))
    many = {f"xl/{number}.xml": b"<a/>" for number in range(5_001)}
    with pytest.raises(Unreadable, match="no office program"):
        require_harmless(archive(many))


@pytest.mark.parametrize("charset", ["utf-8", "utf-16"])
@pytest.mark.parametrize("source", [LAUGHS, OUTSIDE])
@pytest.mark.parametrize(
    ("made", "entry", "form"),
    [
        (docx, "word/document.xml", "docx"),
        (docx, "docProps/core.xml", "docx"),
        (xlsx, "xl/sharedStrings.xml", "workbook"),
        (pptx, "ppt/slides/slide1.xml", "pptx"),
        (pptx, "ppt/media/image9.png", "pptx"),
    ],
)
def test_entities_are_refused_in_every_part(
    made: Any, entry: str, form: Format, source: str, charset: str
) -> None:
    with pytest.raises(Unreadable, match="declares a document type"):
        extract(replaced(made(), entry, source.encode(charset)), form)


def test_archives_that_two_readers_could_read_differently_are_refused() -> None:
    into = BytesIO(docx())
    with zipfile.ZipFile(into, "a") as made, pytest.warns(UserWarning, match="Duplicate name"):
        made.writestr("word/document.xml", b"<a/>")
    with pytest.raises(Unreadable, match="no office program"):
        extract(into.getvalue(), "docx")
    with pytest.raises(Unreadable, match="no office program"):
        extract(archive({"word/document.xml": b"<a/>"}, zipfile.ZIP_BZIP2), "docx")


def test_what_is_protected_by_a_password_is_told() -> None:
    data = bytearray(docx())
    at = data.rindex(b"PK\x01\x02")
    data[at + 8] |= 1  # the flag of the last entry
    with pytest.raises(Unreadable, match="password"):
        extract(bytes(data), "docx")
    locked = _PdfWriter(clone_from=BytesIO(pdf()))
    locked.encrypt("secret", algorithm="RC4-128")
    into = BytesIO()
    locked.write(into)
    with pytest.raises(Unreadable, match="password"):
        extract(into.getvalue(), "pdf")


def test_a_document_reaches_for_nothing_outside_of_it() -> None:
    relations = (
        f'<Relationships xmlns="{SCHEMAS}/package/2006/relationships"><Relationship Id="rId9" '
        f'Type="{SCHEMAS}/officeDocument/2006/relationships/image" Target="file:///etc/passwd" '
        'TargetMode="External"/></Relationships>'
    )
    body = (
        f'<w:document xmlns:w="{SCHEMAS}/wordprocessingml/2006/main" xmlns:a="{SCHEMAS}/drawingml/2006/main" '
        f'xmlns:wp="{SCHEMAS}/drawingml/2006/wordprocessingDrawing" '
        f'xmlns:pic="{SCHEMAS}/drawingml/2006/picture" '
        f'xmlns:r="{SCHEMAS}/officeDocument/2006/relationships"><w:body><w:p><w:r><w:drawing><wp:inline>'
        '<wp:docPr id="1" name="p" descr="a chart"/><a:graphic><a:graphicData><pic:pic><pic:blipFill>'
        '<a:blip r:link="rId9"/></pic:blipFill></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing>'
        "<w:t>Text.</w:t></w:r></w:p></w:body></w:document>"
    )
    data = replaced(docx(), "word/document.xml", body.encode())
    data = replaced(data, "word/_rels/document.xml.rels", relations.encode())
    (part,) = extract(data, "docx").parts
    assert part.text == "[image: a chart]Text."


@pytest.mark.parametrize(("make", "form"), [(docx, "docx"), (xlsx, "workbook"), (pptx, "pptx"), (pdf, "pdf")])
def test_files_that_end_too_early_are_told_or_fail_here(make: Callable[[], bytes], form: Format) -> None:
    data = make()
    for end in (0, 1, 5, 100, len(data) // 2, len(data) - 30):
        try:
            made = extract(data[:end], form)
        except Unreadable:
            continue
        assert form == "pdf", end  # PDFium repairs what it can
        assert len(made.parts) <= 2


@pytest.mark.parametrize(("make", "form"), [(docx, "docx"), (xlsx, "workbook"), (pptx, "pptx")])
def test_damage_within_a_file_ends_in_an_exception_or_in_text(
    make: Callable[[], bytes], form: Format
) -> None:
    data = make()
    chance = random.Random(7)  # noqa: S311 (the same each time)
    for _ in range(10):
        broken = bytearray(data)
        for _ in range(20):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        with suppress(Exception):  # the worker's edge takes them all
            assert extract(bytes(broken), form).parts


@pytest.mark.parametrize(
    ("data", "declared", "found"),
    [
        (pdf(), "docx", "pdf"),
        (xlsx(), "docx", "workbook"),
        (docx(), "csv", "docx"),
        (b"<!DOCTYPE html><p>Sign in", "docx", "html"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "workbook", "workbook"),
        (b"plain", "text", "text"),
    ],
    ids=["pdf", "xlsx", "docx", "html", "ole", "text"],
)
def test_the_bytes_say_what_a_file_is(data: bytes, declared: Format, found: Format) -> None:
    assert true_format(data, declared) == found


@pytest.mark.parametrize(
    ("data", "declared", "words"),
    [
        (b"MZ\x90\0", "docx", "named a docx file, but it is none"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "docx", "old format of Office"),
        (archive({"a.txt": b"x"}), "docx", "archive of files"),
        (b"PK\x03\x04", "docx", "damaged"),
        (b"\0\1\2\3" * 10, "csv", "no text"),
    ],
    ids=["program", "ole", "archive", "damaged", "binary"],
)
def test_what_cannot_be_read_is_told(data: bytes, declared: Format, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        extract(data, declared)


def test_a_wrong_name_is_remarked() -> None:
    assert extract(pdf(), "docx").remarks == ["It is named a docx file, but it is pdf."]
