"""What most tools return: rows, one thing with its parts, and what a write came to."""

import base64
import json
from collections.abc import Sequence
from typing import Any, Self, TypeVar

from pydantic import Field, PrivateAttr
from pydantic_core import PydanticSerializationError, to_json

from ringmain_core.results import Answer
from ringmain_core.text import untrusted

T = TypeVar("T")
Cell = str | int | float | bool | list[str] | None

_FRAME = 500  # bytes for what stands around the rows
_TOLD_OTHERWISE = frozenset({"done", "summary", "warnings", "requests", "preview"})


class Rows(Answer):
    """A list as rows: the names of the columns once, then the values."""

    source: str = Field(exclude=True)
    columns: list[str]
    rows: list[list[Any]]
    total: int | None = None
    next_cursor: str | None = None
    note: str | None = None

    def text(self) -> str:
        """One line a row, for a model."""
        lines = [" | ".join(self.columns), *(" | ".join(_cell(cell) for cell in row) for row in self.rows)]
        of = "" if self.total is None else f" of {self.total:,}"
        said = [untrusted("\n".join(lines), self.source), f"{len(self.rows)}{of} rows."]
        if self.note:
            said.append(self.note)
        if self.next_cursor:
            said.append(f"There are more: next_cursor={self.next_cursor}")
        return "\n".join(said)


class Item(Answer):
    """One thing: facts, and its parts as text that came from outside.

    `truncated` names the parts that are not whole, each with how to get the rest.
    """

    source: str = Field(exclude=True)
    facts: dict[str, Any]
    parts: dict[str, str] = Field(default_factory=dict)
    truncated: list[str] = Field(default_factory=list)

    def text(self) -> str:
        """Facts as lines, then each part under its name, for a model."""
        lines = [
            f"{name}: {_fact(value)}" for name, value in self.facts.items() if value not in (None, [], "")
        ]
        for name, part in self.parts.items():
            lines += ["", f"## {name}", part]
        said = [untrusted("\n".join(lines), self.source)]
        said += [f"Truncated: {what}" for what in self.truncated]
        return "\n".join(said)


class PagedItem(Item):
    """One thing, one of whose parts is a page."""

    next_cursor: str | None = None

    def text(self) -> str:
        """As of an item, with the cursor."""
        said = super().text()
        return f"{said}\nThere are more: next_cursor={self.next_cursor}" if self.next_cursor else said


class ContentItem(PagedItem):
    """One thing whose content is a page of text, or an image beside its facts."""

    _image: dict[str, Any] | None = PrivateAttr(None)

    def with_image(self, content: bytes, mime_type: str) -> Self:
        """The same with an image."""
        data = base64.b64encode(content).decode()
        self._image = {"type": "image", "data": data, "mimeType": mime_type}
        return self

    def media(self) -> list[dict[str, Any]]:
        """The image, if it is one."""
        return [] if self._image is None else [self._image]


class Outcome(Answer):
    """What a write came to, or with `dry_run` what it would come to.

    A connector adds facts of its own. `requests` is the exact effect that a rehearsal shows, as the system
    behind the connector would be asked for it.
    """

    done: bool
    summary: str
    url: str | None = None
    id: str | None = None
    warnings: list[str] = Field(default_factory=list)
    requests: list[dict[str, Any]] | None = None
    preview: str | None = None

    def text(self) -> str:
        """For a model: what happened, and where."""
        lines = [self.summary if self.done else f"Dry run, nothing was done. {self.summary}"]
        for name, value in self:
            if name not in _TOLD_OTHERWISE and value is not None:
                lines.append(f"{name}: {value}")
        lines += [f"Warning: {warning}" for warning in self.warnings]
        for request in self.requests or ():
            lines.append(f"Would send: {request}")
        if self.preview:
            lines.append(untrusted(self.preview, "preview"))
        return "\n".join(lines)


def fitting(rows: Sequence[T], budget: int) -> list[T]:
    """As many whole rows from the beginning as fit a number of bytes, but at least one."""
    used, kept = _FRAME, list[T]()
    for row in rows:
        used += size_of(row)
        if used > budget and kept:
            break
        kept.append(row)
    return kept


def beginning(text: str, room: int) -> str:
    """As much of a text as fits a number of bytes, once it is JSON."""
    kept = text[:room]
    while size_of(kept) > room:
        kept = kept[: len(kept) * 7 // 8]
    return kept


def size_of(value: object) -> int:
    """Bytes of a value as JSON."""
    try:
        return len(to_json(value, fallback=str)) + 1
    except (PydanticSerializationError, UnicodeEncodeError):  # half a character
        return len(json.dumps(value, ensure_ascii=False, default=str).encode(errors="replace")) + 1


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(" ".join(each.split()) for each in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(str(value).split())


def _fact(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(str(value).split())
