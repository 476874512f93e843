"""How a text has changed, as a unified diff."""

import difflib

from ringmain_gdrive.extraction.extracted import Extracted, Part

_AROUND = 2  # lines that are shown before and after a change


def differences(data: bytes, end: int) -> Extracted:
    """What has changed from one text to the next; empty where nothing has.

    Args:
        data: Both texts, one after the other.
        end: Of the first.
    """
    before, after = data[:end].decode().split("\n"), data[end:].decode().split("\n")
    lines = difflib.unified_diff(before, after, "old", "new", lineterm="", n=_AROUND)
    return Extracted([Part("text", "", "\n".join(lines))])
