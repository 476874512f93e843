"""What comes out of a file: parts with their text, and how it travels from the worker."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

Kind = Literal["text", "section", "page", "slide", "sheet"]

VERSION = 2
"""Of all extractors together: what an older one made of a file is not used any more."""

_OVERHEAD = 300  # bytes that a part costs beside its text


class Unreadable(Exception):
    """A file cannot be read, for a reason in words."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a file, as an extractor makes it.

    Attributes:
        title: A sheet's name, a slide's title, a section's heading.
        text: Cleaned. Of a sheet: a line for each row from the first on, its cells as JSON values with
            commas; what is empty at a row's end is left out.
        hidden: Whether it is not shown to whoever opens the file.
    """

    kind: Kind
    title: str
    text: str
    rows: int = 0
    columns: int = 0
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Extracted:
    """What an extractor makes of a file.

    Attributes:
        remarks: What a reader should know about what is not there.
    """

    parts: Sequence[Part]
    remarks: Sequence[str] = ()

    def packed(self) -> tuple[Mapping[str, Any], bytes]:
        """For the way to the parent: what the parts are, and their texts one after the other."""
        texts = [part.text.encode(errors="replace") for part in self.parts]
        entries = [
            [part.kind, part.title, len(text), len(part.text), part.rows, part.columns, part.hidden]
            for part, text in zip(self.parts, texts, strict=True)
        ]
        return {"parts": entries, "remarks": list(self.remarks)}, b"".join(texts)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a part without its text.

    Attributes:
        number: From 1 on.
        start: Where its bytes are.
        characters: Of its text.
    """

    number: int
    kind: Kind
    title: str
    start: int
    end: int
    characters: int
    rows: int
    columns: int
    hidden: bool

    @property
    def label(self) -> str:
        """Stands before its text; sections bring a heading along."""
        hidden = ", hidden" if self.hidden else ""
        if self.kind == "page":
            return f"[page {self.number}{hidden}]\n"
        if self.kind == "slide":
            return f"[slide {self.number}{hidden}: {self.title}]\n"
        if self.kind == "sheet":
            return f"[sheet {self.title}: {self.rows:,} rows, {self.columns:,} columns{hidden}]\n"
        return ""


@dataclass(frozen=True)
class Extract:
    """What was extracted from a file, kept as bytes: only what is asked for becomes text again."""

    entries: Sequence[Entry]
    body: bytes = field(repr=False)
    remarks: Sequence[str] = ()

    @classmethod
    def unpacked(cls, told: Mapping[str, Any], body: bytes) -> "Extract":
        """From what `Extracted.packed` made.

        Raises:
            ValueError, KeyError, TypeError: Where it was something else.
        """
        entries = tuple(_entries(told["parts"]))
        if (entries[-1].end if entries else 0) != len(body):
            raise ValueError("the parts do not add up")
        return cls(entries, body, tuple(str(remark) for remark in told["remarks"]))

    @property
    def size(self) -> int:
        """Bytes that it takes in memory, about."""
        return len(self.body) + _OVERHEAD * (1 + len(self.entries))

    @cached_property
    def digest(self) -> str:
        """Changes with the content: a cursor is good for one only."""
        told = json.dumps([entry.title for entry in self.entries]).encode()
        return hashlib.blake2b(told + b"\0" + self.body, digest_size=9).hexdigest()

    def text(self, entry: Entry) -> str:
        """The text of one part."""
        return self.body[entry.start : entry.end].decode()

    def joined(self, entries: Sequence[Entry]) -> str:
        """The text of several parts, each under its label."""
        return "\n".join(f"{entry.label}{self.text(entry)}" for entry in entries)


def row_of(line: str) -> list[Any]:
    """The cells of a line of a sheet."""
    cells: list[Any] = json.loads(f"[{line}]")
    return cells


def _entries(told: Sequence[Sequence[Any]]) -> Iterator[Entry]:
    at = 0
    for number, (kind, title, size, characters, rows, columns, hidden) in enumerate(told, start=1):
        yield Entry(number, kind, title, at, at + size, characters, rows, columns, hidden)
        at += size
