"""The worker: takes files from its standard input, one after the other, and says what is in them."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any, BinaryIO

from ringmain_gdrive.extraction.differences import differences
from ringmain_gdrive.extraction.extracted import Extracted, Unreadable
from ringmain_gdrive.extraction.formats import Format, true_format
from ringmain_gdrive.extraction.framing import LENGTHS, framed
from ringmain_gdrive.extraction.limits import allow_seconds, is_worn, tighten

_EXTRACTORS: Mapping[Format, tuple[str, str]] = {
    "csv": ("separated", "separated"),
    "docx": ("documents", "docx"),
    "html": ("web_pages", "html"),
    "markdown": ("texts", "markdown"),
    "pdf": ("pdfs", "pdf"),
    "pptx": ("presentations", "presentation"),
    "text": ("texts", "text"),
    "workbook": ("spreadsheets", "workbook"),
}


def main() -> None:
    """Work until the input ends, which it does with the parent."""
    tighten()
    source, into = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get between the messages
    while lengths := source.read(LENGTHS.size):
        head, body = LENGTHS.unpack(lengths)
        asked = json.loads(source.read(head))
        allow_seconds(asked["seconds"])
        _answer(into, partial(_done, asked, source.read(body)))


def extract(data: bytes, declared: Format) -> Extracted:
    """What is in a file.

    Raises:
        Unreadable: Where it cannot be read, for a reason in words; whatever a library raises, beside it.
    """
    found = true_format(data, declared)
    module, name = _EXTRACTORS[found]
    made: Extracted = getattr(import_module(f"ringmain_gdrive.extraction.{module}"), name)(data)
    if found == declared:
        return made
    return Extracted(made.parts, [f"It is named a {declared} file, but it is {found}.", *made.remarks])


def _done(asked: Mapping[str, Any], data: bytes) -> Extracted:
    if "compare" in asked:
        return differences(data, asked["compare"])
    return extract(data, asked["format"])


def _answer(into: BinaryIO, work: Callable[[], Extracted]) -> None:
    body = b""
    try:
        told, body = work().packed()
    except Unreadable as error:
        told: Mapping[str, Any] = {"unreadable": str(error)}
    except MemoryError:
        told = {"failed": "memory", "worn": True}
    except Exception as error:  # noqa: BLE001 (the edge of a process: nothing of the file gets out)
        told = {"failed": type(error).__name__}
    into.write(framed({"worn": is_worn()} | dict(told), body))
    into.write(body)
    into.flush()


if __name__ == "__main__":
    main()
