"""Word documents, by mammoth: it knows headings, lists, tables, footnotes and comments by their styles."""

import re
import zipfile
from collections.abc import Iterator, Sequence
from importlib import import_module
from io import BytesIO
from typing import Any
from xml.etree import ElementTree as ET

from ringmain_core.text import clean, prose
from ringmain_gdrive.extraction.archives import require_harmless
from ringmain_gdrive.extraction.extracted import Extracted
from ringmain_gdrive.extraction.markup import to_markdown
from ringmain_gdrive.extraction.texts import sections

_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_LEFT_OUT = (
    ("vbaProject.bin", "It has macros: they are left out."),
    ("word/media/", "It has images: they are left out."),
    ("word/charts/", "It has charts: they are left out."),
    ("word/diagrams/", "It has diagrams: they are left out."),
)
_BODY = re.compile(r"word/document\d*\.xml")
_EQUATION = re.compile(rb"<m:oMath\b")
_UNSEEN = re.compile(rb'<w:(?:vanish|specVanish)(?:\s*/>|\s+w:val="(?:1|true|on)")')
_OUTER_LIST_END = re.compile(r"</ol>(?!</li>)")
_NOTES = re.compile(r'<ol><li id="(?:foot|end)note-')


def docx(data: bytes) -> Extracted:
    """A document as Markdown. No image is opened, no file outside of it, no mapping of styles in it."""
    names = require_harmless(data)
    mammoth: Any = import_module("mammoth")
    made = mammoth.convert_to_html(
        BytesIO(data),
        style_map="comment-reference => sup",  # without, comments are dropped
        convert_image=mammoth.images.img_element(_no_image),
        include_embedded_style_map=False,
        external_file_access=False,
    )
    with zipfile.ZipFile(BytesIO(data)) as archive:
        margins = [*_margins(archive, "header"), "", *_margins(archive, "footer")]
        body = b"".join(archive.read(name) for name in names if _BODY.fullmatch(name))
    margins[margins.index("")] = to_markdown(made.value).text
    text = "\n\n".join(block for block in margins if block)
    return Extracted(sections(prose(clean(text))), [*_remarks(names, body, made.value)])


def _margins(archive: zipfile.ZipFile, which: str) -> Iterator[str]:
    """What stands above or below the pages, each text once."""
    found: dict[str, None] = {}
    for name in archive.namelist():
        if re.fullmatch(rf"word/{which}\d*\.xml", name):
            root = ET.fromstring(archive.read(name))  # noqa: S314 (no document type is in it)
            found[" / ".join(_paragraphs(root))] = None
    return (f"[{which}: {text}]" for text in found if text)


def _paragraphs(root: ET.Element) -> Iterator[str]:
    for paragraph in root.iter(f"{_WORD}p"):
        text = "".join(" " if one.tag == f"{_WORD}tab" else one.text or "" for one in _written(paragraph))
        if text.strip():
            yield " ".join(text.split())


def _written(paragraph: ET.Element) -> Iterator[ET.Element]:
    return (one for one in paragraph.iter() if one.tag in (f"{_WORD}t", f"{_WORD}tab"))


def _remarks(names: Sequence[str], body: bytes, html: str) -> Iterator[str]:
    for part, remark in _LEFT_OUT:
        if any(part in name for name in names):
            yield remark
    if _EQUATION.search(body):
        yield "It has equations: they are left out."
    if _UNSEEN.search(body):
        yield "It has text that people do not see: here it stands among the other."
    if len(_OUTER_LIST_END.findall(html)) - len(_NOTES.findall(html)) > 1:
        yield "Its numbered lists all begin with 1 here; in it, one may go on where another has ended."


def _no_image(_: Any) -> dict[str, str]:
    return {"src": ""}
