"""Which format a file really has: its first bytes decide, whatever its name says."""

import zipfile
from io import BytesIO
from typing import Literal

from ringmain_gdrive.extraction.extracted import Unreadable

Format = Literal["markdown", "html", "text", "csv", "docx", "workbook", "pptx", "pdf"]
"""What there are extractors for; `workbook` is xlsx, xls, xlsb and ods."""

_TEXTUAL = frozenset({"markdown", "html", "text", "csv"})
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_INSIDE: tuple[tuple[str, Format], ...] = (
    ("word/document", "docx"),
    ("xl/workbook", "workbook"),
    ("ppt/presentation", "pptx"),
    ("content.xml", "workbook"),
)


def true_format(data: bytes, declared: Format) -> Format:
    """The format to read a file in.

    Raises:
        Unreadable: Where it is none of those that can be read.
    """
    start = data[:1024].lstrip()
    if start.startswith(b"%PDF-") or (declared == "pdf" and b"%PDF-" in data[:1024]):
        return "pdf"
    if data.startswith(_OLE):
        if declared == "workbook":
            return declared
        raise Unreadable(
            "It is in an old format of Office, or encrypted with a password. A person can open it with "
            "Google's editors and save it in theirs."
        )
    if data.startswith(b"PK\x03\x04"):
        return _inside(data)
    if declared in _TEXTUAL:
        return declared
    if start[:15].lower().startswith((b"<!doctype html", b"<html")):
        return "html"
    raise Unreadable(f"It is named a {declared} file, but it is none, or it is damaged.")


def _inside(data: bytes) -> Format:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise Unreadable("It is damaged: the end of the file is missing.") from error
    for beginning, found in _INSIDE:
        if any(name.startswith(beginning) for name in names):
            return found
    raise Unreadable("It is an archive of files: they cannot be read in it.")
