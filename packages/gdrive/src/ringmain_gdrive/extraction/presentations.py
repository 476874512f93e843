"""PowerPoint presentations: slides in the order of the show, with tables and notes, by python-pptx."""

from collections.abc import Iterator
from importlib import import_module
from io import BytesIO
from typing import Any
from xml.etree import ElementTree as ET

from ringmain_core.text import clean
from ringmain_gdrive.extraction.archives import require_harmless
from ringmain_gdrive.extraction.extracted import Extracted, Part
from ringmain_gdrive.extraction.grids import table

_LEFT_OUT = (
    ("vbaProject.bin", "It has macros: they are left out."),
    ("ppt/media/", "It has images: they are left out, but for what describes them."),
    ("ppt/comments/", "It has comments: they are left out."),
)
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}relIds"
_DIAGRAM_DATA = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}dm"
_TEXT = "{http://schemas.openxmlformats.org/drawingml/2006/main}t"
_DEEPEST = 20  # groups within groups


def presentation(data: bytes) -> Extracted:
    """Each slide as a part: its title, what is on it, and what the speaker has noted."""
    names = require_harmless(data)
    shown = import_module("pptx").Presentation(BytesIO(data))
    parts = [_slide(slide) for slide in shown.slides]
    remarks = [remark for part, remark in _LEFT_OUT if any(part in name for name in names)]
    return Extracted(parts, remarks)


def _slide(slide: Any) -> Part:
    title = slide.shapes.title
    heading = " ".join(title.text_frame.text.split()) if title is not None else ""
    blocks = [block for shape in slide.shapes if shape != title for block in _blocks(shape, 0)]
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        notes = slide.notes_slide.notes_text_frame.text.strip()
        blocks += [f"Notes: {notes}"] if notes else []
    hidden = slide.element.get("show") in ("0", "false")
    return Part("slide", clean(heading), clean("\n\n".join(blocks)), hidden=hidden)


def _blocks(shape: Any, depth: int) -> Iterator[str]:
    if hasattr(shape, "shapes"):
        if depth < _DEEPEST:
            for inner in shape.shapes:
                yield from _blocks(inner, depth + 1)
    elif shape.has_text_frame:
        lines = [_line(paragraph) for paragraph in shape.text_frame.paragraphs]
        if text := "\n".join(line for line in lines if line.strip()):
            yield text
    elif getattr(shape, "has_table", False):
        yield table([[" ".join(cell.text.split()) for cell in row.cells] for row in shape.table.rows])
    elif getattr(shape, "has_chart", False):
        yield f"[chart: {shape.name}]"
    elif shape.element.tag.endswith("}graphicFrame"):
        yield f"[diagram: {_diagram(shape) or shape.name}]"
    elif described := shape.element.xpath("string(.//p:cNvPr/@descr)"):
        yield f"[image: {described}]"


def _diagram(shape: Any) -> str:
    """The texts of a diagram (SmartArt): they stand in a file of their own."""
    key = next((one.get(_DIAGRAM_DATA) for one in shape.element.iter(_DIAGRAM)), None)
    if key not in shape.part.rels:
        return ""
    root = ET.fromstring(shape.part.related_part(key).blob)  # noqa: S314 (no document type is in it)
    return "; ".join(one.text for one in root.iter(_TEXT) if one.text and one.text.strip())


def _line(paragraph: Any) -> str:
    text = "".join(run for run in paragraph.text.replace("\v", "\n"))
    return f"{'  ' * paragraph.level}{'- ' if paragraph.level else ''}{text}"
