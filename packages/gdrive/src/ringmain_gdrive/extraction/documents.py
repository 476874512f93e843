"""Word documents, by mammoth: it knows headings, lists, tables and footnotes by their styles."""

from importlib import import_module
from io import BytesIO
from typing import Any

from ringmain_core.text import clean, prose
from ringmain_gdrive.extraction.archives import require_harmless
from ringmain_gdrive.extraction.extracted import Extracted
from ringmain_gdrive.extraction.markup import to_markdown
from ringmain_gdrive.extraction.texts import sections


def docx(data: bytes) -> Extracted:
    """A document as Markdown. No image is opened, no file outside of it, no mapping of styles in it."""
    names = require_harmless(data)
    mammoth: Any = import_module("mammoth")
    made = mammoth.convert_to_html(
        BytesIO(data),
        convert_image=mammoth.images.img_element(_no_image),
        include_embedded_style_map=False,
        external_file_access=False,
    )
    remarks: list[str] = []
    if any(name.endswith("vbaProject.bin") for name in names):
        remarks.append("It has macros: they are left out.")
    if any(name.startswith("word/media/") for name in names):
        remarks.append("It has images: they are left out.")
    return Extracted(sections(prose(clean(to_markdown(made.value).text))), remarks)


def _no_image(_: Any) -> dict[str, str]:
    return {"src": ""}
