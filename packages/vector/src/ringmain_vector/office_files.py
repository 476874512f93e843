"""PDF and Word files as text, by libraries that come with the extra `files`."""

import zipfile
from importlib import import_module
from io import BytesIO
from typing import Any

from ringmain_vector.web_pages import web_page

_MOST_UNPACKED = 200 * 1024 * 1024
_BROKEN_WORD = "\ufffe"  # a hyphen at a line's end, as PDFium gives it


class Unreadable(Exception):
    """Nothing is had of a file; the text says why."""


def pdf(data: bytes) -> str:
    """The text of all pages."""
    library = _library("pypdfium2")
    try:
        document = library.PdfDocument(data)
    except library.PdfiumError as error:
        raise Unreadable("it is protected by a password, or no PDF file") from error
    try:
        pages = [_page(document, number) for number in range(len(document))]
    except library.PdfiumError as error:
        raise Unreadable("it is damaged: not all of its pages can be read") from error
    finally:
        document.close()
    if not any(pages):
        raise Unreadable("its pages have no text: they are pictures, scanned perhaps")
    return "\n\n".join(pages)


def _page(document: Any, number: int) -> str:
    page = document[number]
    try:
        content = page.get_textpage()
        text: str = content.get_text_bounded()
        content.close()
    finally:
        page.close()
    return text.replace("\r\n", "\n").replace(_BROKEN_WORD, "-").strip()


def docx(data: bytes) -> str:
    """A document with its headings as in Markdown; nothing outside of the file is opened."""
    library = _library("mammoth")
    if _unpacked(data) > _MOST_UNPACKED:
        raise Unreadable(f"it unpacks to more than {_MOST_UNPACKED:,} bytes")
    try:
        made = library.convert_to_html(
            BytesIO(data),
            convert_image=library.images.img_element(_no_image),
            include_embedded_style_map=False,
            external_file_access=False,
        )
    except Exception as error:  # the library meets a damaged file in many ways
        raise Unreadable("it is damaged, or no Word document") from error
    return web_page(made.value).text


def _unpacked(data: bytes) -> int:
    """Bytes that an archive says it unpacks to; more than it says, nothing unpacks of it."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, EOFError) as error:
        raise Unreadable("it is damaged, or no Word document") from error


def _no_image(_: Any) -> dict[str, str]:
    return {"src": ""}


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise Unreadable("reading it needs `pip install 'ringmain-vector[files]'`") from None
