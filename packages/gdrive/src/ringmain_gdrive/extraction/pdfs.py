"""PDF files, page by page, by PDFium."""

from importlib import import_module
from typing import Any

from ringmain_core.text import clean
from ringmain_gdrive.extraction.extracted import Extracted, Part, Unreadable

_NO_FORM, _XFA_ONLY = 0, 2  # FORMTYPE_NONE, FORMTYPE_XFA_FULL
_BROKEN_WORD = "\ufffe"  # a hyphen at a line's end, as PDFium gives it


def pdf(data: bytes) -> Extracted:
    """Each page as a part, with what was filled in, if it is a form."""
    library: Any = import_module("pypdfium2")
    try:
        document = library.PdfDocument(data)
    except library.PdfiumError as error:
        said = str(error).lower()
        if "password" in said or "security" in said:
            raise Unreadable("It is protected by a password.") from error
        raise Unreadable("It is damaged: it is no PDF file as far as can be seen.") from error
    is_form = document.get_formtype() != _NO_FORM
    if is_form:
        document.init_forms()
    parts = [_page(document, number, is_form=is_form) for number in range(len(document))]
    empty = sum(1 for part in parts if not part.text)
    remarks: list[str] = []
    if document.get_formtype() == _XFA_ONLY:
        remarks.append("It is a form of a kind that only Adobe's programs show (XFA): it is left out.")
    if empty:
        which = "Its pages have" if empty == len(parts) else f"{empty:,} of {len(parts):,} pages have"
        remarks.append(f"{which} no text: they are pictures, scanned perhaps, which are not read.")
    return Extracted(parts, remarks)


def _page(document: Any, number: int, *, is_form: bool) -> Part:
    page = document[number]
    if is_form:
        page.flatten()  # what was filled in becomes text of the page, once that is opened again
        page.close()
        page = document[number]
    try:
        content = page.get_textpage()
        text = content.get_text_bounded()
        content.close()
    finally:
        page.close()
    plain = text.replace("\r\n", "\n").replace(_BROKEN_WORD, "-")
    return Part("page", "", clean(plain).strip())
