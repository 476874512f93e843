"""What the tools return."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from ringmain_core.answers import Outcome
from ringmain_core.results import Answer
from ringmain_core.text import clean, prose, untrusted
from ringmain_vector.domain import Value


class FoundPassage(BaseModel):
    """A passage, and where it is from. `score` is 0..1, higher is better, the same for every store."""

    id: str
    document_id: str
    title: str | None = None
    uri: str | None = None
    score: float
    text: str
    truncated: bool | None = None
    metadata: dict[str, Any] | None = None


class Hits(Answer):
    """What a search has found. `mode` says how it was searched."""

    hits: list[FoundPassage]
    collection: str
    mode: str
    hint: str | None = None
    next_cursor: str | None = None

    def text(self) -> str:
        """Each passage in a fence of its own, for a model to read and to cite."""
        said = [f"{len(self.hits)} passages of `{self.collection}`, searched by {self.mode}."]
        for hit in self.hits:
            about = [f"[{hit.id}]", f"score {hit.score:.4f}", hit.title or "", hit.uri or ""]
            cut = " (cut; `get_document` has the rest)" if hit.truncated else ""
            body = f"{' | '.join(part for part in about if part)}\n{hit.text}"
            said.append(f"{untrusted(body, self.collection)}{cut}")
        if self.hint:
            said.append(self.hint)
        if self.next_cursor:
            said.append(f"There are more: next_cursor={self.next_cursor}")
        return "\n".join(said)


class DocumentText(Answer):
    """A part of a document's text."""

    source: str = Field(exclude=True)
    document_id: str
    title: str | None = None
    uri: str | None = None
    offset: int
    total_chars: int
    content: str
    metadata: dict[str, Any] | None = None
    next_cursor: str | None = None

    def text(self) -> str:
        """The text in a fence, with where it is from."""
        end = self.offset + len(self.content)
        about = " | ".join(part for part in (self.title or self.document_id, self.uri) if part)
        said = [
            untrusted(f"{about}\n\n{self.content}", self.source),
            f"Characters {self.offset:,} to {end:,} of {self.total_chars:,}.",
        ]
        if self.next_cursor:
            said.append(f"There is more: next_cursor={self.next_cursor}")
        return "\n".join(said)


class Taken(Outcome):
    """What adding documents came to, by their ids."""

    added: int = 0
    replaced: int = 0
    unchanged: int = 0


class Texts(Answer):
    """What a search found, as texts only: what agents of the first version of the API know."""

    result: list[str]

    def text(self) -> str:
        """Each text in a fence of its own."""
        return "\n".join(untrusted(one, "passage") for one in self.result) or "Nothing was found."


def said(metadata: Mapping[str, Value]) -> dict[str, Value] | None:
    """Metadata as it is shown."""
    shown = {
        clean(name): prose(value) if isinstance(value, str) else value for name, value in metadata.items()
    }
    return shown or None


def line(uri: str) -> str:
    """An address as it is shown: whatever it was given as, it is one word, and loads nothing."""
    return "".join(prose(uri).split())
