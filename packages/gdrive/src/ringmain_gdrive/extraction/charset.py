"""Bytes as text, in whatever way they were written down."""

import codecs

from ringmain_gdrive.extraction.extracted import Unreadable

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
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
    if "\0" in text:
        raise Unreadable("It is no text, whatever its name says.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decoded(data: bytes, hint: str) -> str:
    for mark, charset in _MARKS:
        if data.startswith(mark):
            return data.decode(charset, errors="replace")
    said = (hint,) if hint and _is_charset(hint) else ()
    for charset in ("utf-8", *_wide(data), *said, "cp1252"):
        try:
            found = data.decode(charset)
        except UnicodeError:
            continue
        if "\0" not in found:
            return found
    return data.decode("latin-1")


def _wide(data: bytes) -> list[str]:
    """UTF-16 without a mark: of most scripts, every other byte is zero."""
    start = data[:_LOOKED_AT]
    even, odd = start[::2].count(0), start[1::2].count(0)
    if max(even, odd) < len(start) // 8 or min(even, odd) > len(start) // 50:
        return []
    return ["utf-16-le" if odd > even else "utf-16-be"]


def _is_charset(name: str) -> bool:
    try:
        b"".decode(name)
    except LookupError:
        return False
    return True
