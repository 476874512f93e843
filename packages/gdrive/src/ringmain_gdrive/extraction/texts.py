"""Text, code and Markdown; long Markdown is cut into sections at its headings."""

import re
from collections.abc import Iterator

from ringmain_core.text import clean, prose
from ringmain_gdrive.extraction.charset import decoded
from ringmain_gdrive.extraction.extracted import Extracted, Part

_LONG = 8_000  # characters
_MOST_SECTIONS = 100
_HEADING = re.compile(r"(#{1,6})[ \t]+(.*)")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_DATA_DEFINITION = re.compile(r"(?im)^ {0,3}\[[^\]\n]{1,200}\]:[ \t]*<?data:[^\n]*\n?")
_DATA_TARGET = re.compile(
    r"""(\]\(\s{0,9}<?|\bsrc\s{0,9}=\s{0,9}["']?)(data:[\w/+.-]{0,100})[^\s)>"']*""", re.IGNORECASE
)
_MARKS = re.compile(r"[*_`\\]|\{#[^}]*\}")


def text(data: bytes) -> Extracted:
    """Plain text and code, as it is."""
    return Extracted([Part("text", "", clean(decoded(data)))])


def markdown(data: bytes) -> Extracted:
    """A file in Markdown, without images that are in the text as data: Google's exports have them so."""
    whole = decoded(data)
    words = _DATA_TARGET.sub(r"\1\2", _DATA_DEFINITION.sub("", whole))
    remarks = [] if words == whole else ["It has images as data: they are left out."]
    return Extracted(sections(prose(words)), remarks)


def sections(markdown: str) -> list[Part]:
    """Markdown as one part; if it is long, as one for each heading."""
    if len(markdown) > _LONG:
        for deepest in (3, 2, 1):
            found = list(_cut(markdown, deepest))
            if 1 < len(found) <= _MOST_SECTIONS:
                return found
    return [Part("text", "", markdown)]


def _cut(markdown: str, deepest: int) -> Iterator[Part]:
    title, lines, fence = "", list[str](), ""
    for line in markdown.split("\n"):
        mark = _FENCE.match(line)
        if mark is not None and fence in ("", mark[1]):
            fence = "" if fence else mark[1]
        heading = None if fence else _HEADING.match(line)
        if heading is not None and len(heading[1]) <= deepest:
            if any(lines):
                yield Part("section", title, "\n".join(lines))
            title, lines = _MARKS.sub("", heading[2]).strip(" #")[:200], []
        lines.append(line)
    yield Part("section", title, "\n".join(lines))
