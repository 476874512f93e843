"""Bytes as text, in whatever way they were written down."""

import codecs
import re

from ringmain_gdrive.extraction.extracted import Unreadable

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = re.compile("[\x01-\x07\x0b\x0e-\x1a\x1c-\x1f]")
_LOOKED_AT = 4_096


def decoded(data: bytes, hint: str = "") -> str:
    """The text; its lines end with a line feed.

    Args:
        data: Of which a mark at the beginning says the most; then it is UTF-8 if it can be.
        hint: The charset that it is said to be in.

    Raises:
        Unreadable: Where it is no text.
    """
    text = _decoded(data, hint)
    start = text[:_LOOKED_AT]
    if "\0" in text or len(_CONTROLS.findall(start)) * 20 > len(start):
        raise Unreadable("It is no text, whatever its name says.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decoded(data: bytes, hint: str) -> str:
    for mark, charset in _MARKS:
        if data.startswith(mark):
            return data.decode(charset, errors="replace")
    for charset in ("utf-8", *_wide(data), hint or "utf-8", "cp1252"):
        try:
            found = data.decode(charset)
        except (ValueError, LookupError):  # the latter of what is no charset
            continue
        if "\0" not in found:
            return found
    return data.decode("latin-1")


def _wide(data: bytes) -> list[str]:
    """UTF-16 without a mark: of most scripts, every other byte is zero."""
    start = data[:_LOOKED_AT]
    even, odd = start[::2].count(0), start[1::2].count(0)
    if max(even, odd) * 8 < len(start) or min(even, odd) * 50 > len(start):
        return []
    return ["utf-16-le" if odd > even else "utf-16-be"]
