"""Documents and passages as Qdrant's points.

A document's first passage is its head: the one point whose id is made of tenant and document alone. The ids
of the others are made of a generation, too, and they count only as long as the head has the same one. So to
put a head in its place, which is one point and therefore at once, is to put the whole document in its place.
Nothing but passages is kept as points: all that there are count when Qdrant tells how rare a word is.
"""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ringmain_vector.domain import Document, FieldType, Passage
from ringmain_vector.stores.qdrant_filters import key_of
from ringmain_vector.stores.qdrant_shapes import Point
from ringmain_vector.vectors import vector_of

if TYPE_CHECKING:
    from ringmain_vector.domain import Vector

DENSE, WORDS = "meaning", "words"
"""The names of the two vectors."""

METADATA = "metadata"
_BOOLEAN = "bool"
INDEXES: Mapping[str, str] = {
    "tenant": "keyword",
    "document": "keyword",
    "number": "integer",
    "generation": "keyword",
    "written": "integer",
}
"""What is filtered by in every collection."""

KEYS = ("document", "number", "generation")
"""What a search wants to know of a point."""

_SPACE = uuid.UUID("5d0f1f4e-3b0c-5c43-9d6c-6f6e1c0a7b21")
_WORDLESS = 0x8000_0000  # no word has this number


def head_id(tenant: str, document_id: str) -> str:
    """The id of a document's head."""
    return _uuid(tenant, document_id, 0)


def point_id(tenant: str, document_id: str, number: int, generation: str) -> str:
    """The id of one of its passages."""
    return _uuid(tenant, document_id, number, generation) if number else head_id(tenant, document_id)


def points_of(passages: Sequence[Passage], generation: str, written: int) -> list[Point]:
    """The passages of a document.

    Args:
        passages: All of them.
        generation: Of this version; no other one has it.
        written: When, in seconds.
    """
    return [_point(one, generation, written, len(passages)) for one in passages]


def passage_of(point: Point, *, whole: bool = False) -> Passage:
    """What a point says."""
    payload = point.payload
    document = Document(
        id=payload["document"],
        tenant=payload["tenant"],
        title=payload["title"],
        uri=payload["uri"],
        digest=payload["digest"],
        length=payload["length"],
        passages=payload["passages"],
        metadata=payload[METADATA],
    )
    return Passage(
        document=document,
        number=payload["number"],
        text=payload["text"],
        start=payload["start"],
        terms=_terms(point) if whole else {},
        vector=_vector(point) if whole else None,
    )


def _point(passage: Passage, generation: str, written: int, of: int) -> Point:
    document = passage.document
    payload: dict[str, Any] = {
        "tenant": document.tenant,
        "document": document.id,
        "title": document.title,
        "uri": document.uri,
        "digest": document.digest,
        "length": document.length,
        "passages": document.passages,
        METADATA: dict(document.metadata),
        "number": passage.number,
        "text": passage.text,
        "start": passage.start,
        "generation": generation,
        "written": written,
        "points": of,
    }
    # Without a word of its own a passage would not count among those that have none of a query's.
    vectors: dict[str, Any] = {WORDS: passage.terms or {_WORDLESS: 1.0}}
    if passage.vector is not None:
        vectors[DENSE] = passage.vector.tolist()
    return Point(point_id(document.tenant, document.id, passage.number, generation), payload, vectors)


def _terms(point: Point) -> dict[int, float]:
    words = point.vectors.get(WORDS)
    terms = dict(words) if isinstance(words, Mapping) else {}
    terms.pop(_WORDLESS, None)
    return terms


def _vector(point: Point) -> "Vector | None":
    numbers = point.vectors.get(DENSE)
    return vector_of(numbers) if isinstance(numbers, Sequence) else None


def _uuid(*parts: str | int) -> str:
    return str(uuid.uuid5(_SPACE, json.dumps(parts)))


def indexes_of(fields: Mapping[str, FieldType]) -> dict[str, str]:
    """The payload indexes of a collection, by key."""
    kinds = {key_of(METADATA, name): _BOOLEAN if kind == "boolean" else kind for name, kind in fields.items()}
    return {**INDEXES, **kinds}


def parts_of(whole: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    """As many as go into one request."""
    return (whole[at : at + size] for at in range(0, len(whole), size))
