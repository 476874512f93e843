"""Rows as what is searched."""

import json
from collections.abc import Sequence
from dataclasses import replace

from ringmain_vector.domain import Document, Passage, Scored
from ringmain_vector.stores.pgvector_connections import Row
from ringmain_vector.vectors import vector_of


def scored(rows: Sequence[Row]) -> list[Scored]:
    """What was found, the best first as it came."""
    return [Scored(row["id"], row["number"], row["score"]) for row in rows]


def document_of(row: Row) -> Document:
    return Document(
        id=row["id"],
        tenant=row["tenant"],
        title=row["title"],
        uri=row["uri"],
        digest=row["digest"],
        length=row["length"],
        passages=row["passages"],
        metadata=json.loads(row["metadata"]),
    )


def passage_of(row: Row) -> Passage:
    return Passage(document_of(row), row["number"], row["text"], row["start"])


def whole_passage_of(row: Row) -> Passage:
    """With its vector and its words."""
    return replace(
        passage_of(row),
        terms=dict(zip(row["terms"], row["weights"], strict=True)),
        vector=None if row["vector"] is None else vector_of(row["vector"]),
    )
