"""Takes in documents: texts become passages with their words and vectors, unless they are there."""

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal

from ringmain_core.errors import InvalidArguments, UpstreamRefused
from ringmain_core.text import clean
from ringmain_vector.chunking import CHUNKER, Chunk, Kind, chunks
from ringmain_vector.domain import Document, Passage, Value
from ringmain_vector.embedders.base import Embedder
from ringmain_vector.fields import fields_of, typed
from ringmain_vector.lexical import weights
from ringmain_vector.stores.base import Collection
from ringmain_vector.vectors import require_dimension

if TYPE_CHECKING:
    from ringmain_vector.domain import Vector

Outcome = Literal["added", "replaced", "unchanged"]

MOST_BYTES = 5_000_000
"""Of a document's text."""

_MOST_PASSAGES = 5_000
_LONGEST_NAME = 1_000  # characters of an id, a title, a URI
_HARMLESS = "A text."  # that any embedding model takes
_BATCH = 64  # passages that are embedded before the next ones are looked at


class Intake:
    """What all ways to add documents have in common.

    Args:
        embedder: The one that the collections were made with.
        most_passages: Of one document.
    """

    def __init__(self, embedder: Embedder, *, most_passages: int = _MOST_PASSAGES) -> None:
        self._embedder = embedder
        self._most_passages = most_passages

    @staticmethod
    def id_of(text: str) -> str:
        """An id for a text that was given none: equal texts have equal ones."""
        return hashlib.sha256(clean(text).encode()).hexdigest()[:32]

    async def take_in(
        self,
        collection: Collection,
        tenant: str,
        id: str,  # noqa: A002 (as in all of the package)
        text: str,
        title: str = "",
        uri: str = "",
        metadata: Mapping[str, object] | None = None,
        *,
        kind: Kind = "markdown",
    ) -> Outcome:
        """Put a document into a collection, in the place of the one with its id.

        Args:
            collection: To which the embedder belongs.
            tenant: Whose document it is.
            id: Its name among the tenant's documents.
            text: All of it.
            title: For people.
            uri: Where the original is.
            metadata: To filter by; new fields are declared.
            kind: How the text is cut.

        Raises:
            InvalidArguments: Where the text is empty or too long, or something else cannot be kept.
            UpstreamUnavailable, UpstreamRefused: Of the embedder and the store; nothing is changed.
        """
        title = _title(title)
        _require_id(id)
        _require_uri(uri)
        text = await asyncio.to_thread(_usable, text)
        kept = typed(metadata or {}, collection.manifest.fields)
        digest = self._digest(text, title, uri, kept, kind)
        before = await collection.fetch(tenant, [(id, 0)])
        if before and before[0].document.digest == digest:
            await _declare(collection, kept)  # whatever has lost a field of it
            return "unchanged"
        cut = await asyncio.to_thread(chunks, text, kind)
        if len(cut) > self._most_passages:
            raise InvalidArguments(
                f"The text makes {len(cut):,} passages; a document may have {self._most_passages:,}. "
                "Give it in parts."
            )
        document = Document(id, tenant, title, uri, digest, len(text), len(cut), kept)
        passages = await self._passages(document, cut)
        for one in passages:
            if one.vector is not None:
                require_dimension(collection.name, collection.manifest.dimension, one.vector)
        await _declare(collection, kept)
        await collection.replace(document, passages)
        return "replaced" if before else "added"

    async def check(self, id: str, text: str, uri: str, metadata: Mapping[str, object]) -> None:  # noqa: A002
        """Refuse what `take_in` would refuse of a document, as far as that needs no collection.

        Raises:
            InvalidArguments: As `take_in` does.
        """
        _require_id(id)
        _require_uri(uri)
        typed(metadata, {})
        await asyncio.to_thread(_usable, text)

    async def is_of(self, document: Document, text: str, title: str, kind: Kind) -> bool:
        """Whether a document was made of this text, wherever that was."""
        made = self._digest(
            await asyncio.to_thread(clean, text), _title(title), document.uri, document.metadata, kind
        )
        return made == document.digest

    async def _passages(self, document: Document, cut: Sequence[Chunk]) -> list[Passage]:
        found: list[Passage] = []
        for begin in range(0, len(cut), _BATCH):
            batch = cut[begin : begin + _BATCH]
            texts = [_in_context(chunk, document.title) for chunk in batch]
            vectors = await self._vectors(texts)
            found += await asyncio.to_thread(partial(_made, document, begin, batch, texts, vectors))
        return found

    async def _vectors(self, texts: Sequence[str]) -> "list[Vector]":
        try:
            return await self._embedder.documents(texts)
        except UpstreamRefused as error:
            await self._embedder.documents([_HARMLESS])  # raises where it refuses everything
            raise InvalidArguments(f"The embedding model refuses its text: {error.message}") from error

    def _digest(self, text: str, title: str, uri: str, metadata: Mapping[str, Value], kind: Kind) -> str:
        """Of all that a document's passages are made of, and of what makes them."""
        parts = [CHUNKER, kind, self._embedder.name, title, uri, sorted(metadata.items()), text]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


async def _declare(collection: Collection, metadata: Mapping[str, Value]) -> None:
    """Have the fields of a document in the manifest; others may have declared some since it was looked at."""
    fields = fields_of(metadata)
    if not fields.items() <= collection.manifest.fields.items():
        await collection.declare(fields)


def _made(
    document: Document,
    first: int,
    cut: Sequence[Chunk],
    texts: Sequence[str],
    vectors: "Sequence[Vector]",
) -> list[Passage]:
    return [
        Passage(document, first + number, chunk.text, chunk.start, weights(text), vector)
        for number, (chunk, text, vector) in enumerate(zip(cut, texts, vectors, strict=True))
    ]


def _in_context(chunk: Chunk, title: str) -> str:
    """What is looked for: a passage under the heading that says what it is about."""
    above = chunk.title or title
    return chunk.text if above in chunk.text else f"{above}\n{chunk.text}"


def _usable(text: str) -> str:
    """The text as it is kept: as people see it.

    Raises:
        InvalidArguments: Where nothing is left of it, or it is too long.
    """
    found = clean(text)
    if not found.strip():
        raise InvalidArguments("The text is empty: there is nothing to find in it.")
    size = len(found.encode())
    if size > MOST_BYTES:
        raise InvalidArguments(
            f"The text has {size:,} bytes; a document may have {MOST_BYTES:,}. Give it in parts."
        )
    return found


def _title(given: str) -> str:
    return " ".join(clean(given).split())[:_LONGEST_NAME]


def _require_id(given: str) -> None:
    is_line = clean(given) == given and not any(mark in given for mark in "\t\r\n")
    if not given or not is_line or len(given) > _LONGEST_NAME:
        raise InvalidArguments(
            f"A document's id is one line of 1 to {_LONGEST_NAME:,} characters that a person can see."
        )


def _require_uri(given: str) -> None:
    if clean(given) != given or any(mark.isspace() for mark in given) or len(given) > _LONGEST_NAME:
        raise InvalidArguments(
            f"A URI has at most {_LONGEST_NAME:,} characters, no spaces, and none that nobody sees."
        )
