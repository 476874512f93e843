"""Web pages as Markdown, as far as a person would see them."""

import re

from ringmain_core.text import clean, prose
from ringmain_gdrive.extraction.charset import decoded
from ringmain_gdrive.extraction.extracted import Extracted
from ringmain_gdrive.extraction.markup import to_markdown
from ringmain_gdrive.extraction.texts import sections

_CHARSET = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?([\w-]{2,40})""", re.IGNORECASE)
_MOST_TITLE = 300  # characters


def said_charset(data: bytes) -> str:
    """The charset that a page says it is in."""
    said = _CHARSET.search(data[:4_096])
    return said[1].decode() if said else ""


def html(data: bytes) -> Extracted:
    """A page without its scripts and what it hides."""
    made = to_markdown(decoded(data, said_charset(data)))
    remarks = [f"Its title: {clean(made.title)[:_MOST_TITLE]}"] if made.title else []
    if made.left_out:
        remarks.append("What the page hides from people is left out.")
    return Extracted(sections(prose(clean(made.text))), remarks)
