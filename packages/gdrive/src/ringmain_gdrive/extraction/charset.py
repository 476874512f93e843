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
_WITHOUT_MARK = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
ANY = "latin-1"
"""What decodes all data, rightly or not."""

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
    text = data.decode(charset_of(data, hint), errors="replace")
    start = text[:_LOOKED_AT]
    if "\0" in text or len(_CONTROLS.findall(start)) * 20 > len(start):
        raise Unreadable("It is no text, whatever its name says.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def charset_of(data: bytes, hint: str = "") -> str:
    """The charset that data is in, as far as can be seen; `ANY` where it is in none of those that are usual.

    Args:
        data: As for `decoded`.
        hint: As for `decoded`.
    """
    for mark, charset in _MARKS:
        if data.startswith(mark):
            return charset
    for charset in ("utf-8", *_wide(data), hint or "utf-8", "cp1252"):
        try:
            found = data.decode(charset)
        except (ValueError, LookupError):  # the latter of what is no charset
            continue
        if "\0" not in found:
            return charset
    return ANY


def encoded_after(before: bytes, more: str, hint: str = "") -> bytes:
    """A text in the charset of the data that it comes behind.

    Raises:
        Unreadable: Where it cannot be written in that.
    """
    charset = _WITHOUT_MARK.get(before[:4]) or _WITHOUT_MARK.get(before[:2]) or charset_of(before, hint)
    charset = {"utf-8-sig": "utf-8", ANY: "ascii"}.get(charset, charset)
    try:
        return more.encode(charset)
    except UnicodeEncodeError as error:
        raise Unreadable(f"It is in {charset}, in which `{more[error.start]}` cannot be written.") from error


def _wide(data: bytes) -> list[str]:
    """UTF-16 without a mark: of most scripts, every other byte is zero."""
    start = data[:_LOOKED_AT]
    even, odd = start[::2].count(0), start[1::2].count(0)
    if max(even, odd) * 8 < len(start) or min(even, odd) * 50 > len(start):
        return []
    return ["utf-16-le" if odd > even else "utf-16-be"]
