"""Google's own files as others, and others as Google's own."""

import csv
import struct
import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from html import escape
from io import StringIO

from standins.gdrive import markdown, office
from standins.gdrive.errors import bad_request
from standins.gdrive.formats import (
    CSV,
    DOCX,
    HTML,
    IMPORTS,
    MARKDOWN,
    PDF,
    PLAIN,
    PNG,
    PPTX,
    SVG,
    TSV,
    XLSX,
)
from standins.gdrive.native import Document, Drawing, Native, Presentation, Spreadsheet, Tab

_MARK = "\ufeff"  # Google puts it before what it exports as plain text


@lru_cache(maxsize=256)
def exported(native: Native, mime_type: str) -> bytes:
    """A file of Google's own as this type.

    Raises:
        Refusal: `badRequest` for one that it cannot be made into.
    """
    made = _WRITERS.get((type(native), mime_type))
    if made is None:
        raise bad_request("The requested conversion is not supported.", "convertTo")
    return made(native)


def imported(data: bytes, mime_type: str, wanted: str) -> Native:
    """What an upload of one type is as a file of Google's own.

    Raises:
        Refusal: `badRequest` for one that cannot become that.
    """
    if wanted not in IMPORTS.get(mime_type, ()):
        raise bad_request("The requested conversion is not supported.", "convertTo")
    return _READERS[mime_type](data)


def _text(native: Native) -> bytes:
    return f"{_MARK}{markdown.to_plain(native.text)}".encode()


def _slides_text(native: Native) -> bytes:
    assert isinstance(native, Presentation)
    return (_MARK + "\r\n".join(f"{one.title}\r\n{one.body}\r\n" for one in native.slides)).encode()


def _separated(separator: str) -> Callable[[Native], bytes]:
    def make(native: Native) -> bytes:
        assert isinstance(native, Spreadsheet)
        into = StringIO()
        writer = csv.writer(into, delimiter=separator, lineterminator="\r\n")
        writer.writerows(["" if cell is None else cell for cell in row] for row in native.tabs[0].rows)
        return into.getvalue().removesuffix("\r\n").encode()

    return make


def _xlsx(native: Native) -> bytes:
    assert isinstance(native, Spreadsheet)
    return office.xlsx(native)


def _pptx(native: Native) -> bytes:
    assert isinstance(native, Presentation)
    return office.pptx(native)


def _pdf(native: Native) -> bytes:
    if isinstance(native, Presentation):
        return office.pdf(f"{one.title}\n{one.body}" for one in native.slides)
    if isinstance(native, Spreadsheet):
        tabs = (["\t".join(str(cell) for cell in row) for row in tab.rows] for tab in native.tabs)
        return office.pdf("\n".join(rows) for rows in tabs)
    return office.pdf([markdown.to_plain(native.text)])


def _svg(native: Native) -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg"><text y="20">{escape(native.text)}</text></svg>'.encode()


def _png(_: Native) -> bytes:
    """One white pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0\xff\xff\xff")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


_WRITERS: Mapping[tuple[type, str], Callable[[Native], bytes]] = {
    (Document, MARKDOWN): lambda native: native.text.encode(),
    (Document, PLAIN): _text,
    (Document, HTML): lambda native: markdown.to_html(native.text).encode(),
    (Document, DOCX): lambda native: office.docx(native.text),
    (Document, PDF): _pdf,
    (Spreadsheet, CSV): _separated(","),
    (Spreadsheet, TSV): _separated("\t"),
    (Spreadsheet, XLSX): _xlsx,
    (Spreadsheet, PDF): _pdf,
    (Presentation, PLAIN): _slides_text,
    (Presentation, PPTX): _pptx,
    (Presentation, PDF): _pdf,
    (Drawing, SVG): _svg,
    (Drawing, PNG): _png,
    (Drawing, PDF): _pdf,
}


def _decoded(data: bytes) -> str:
    return data.decode("utf-8-sig", errors="replace")


def _read_table(separator: str) -> Callable[[bytes], Native]:
    def read(data: bytes) -> Native:
        rows = csv.reader(StringIO(_decoded(data)), delimiter=separator)
        return Spreadsheet((Tab("Sheet1", tuple(tuple(row) for row in rows)),))

    return read


_READERS: Mapping[str, Callable[[bytes], Native]] = {
    MARKDOWN: lambda data: Document(_decoded(data)),
    PLAIN: lambda data: Document(_decoded(data)),
    HTML: lambda data: Document(markdown.from_html(_decoded(data))),
    DOCX: office.read_docx,
    CSV: _read_table(","),
    TSV: _read_table("\t"),
    XLSX: office.read_xlsx,
    PPTX: office.read_pptx,
}
