"""Rows as what is searched."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ringmain_vector.domain import Document, Passage, Scored
from ringmain_vector.lexical import idf
from ringmain_vector.stores.pgvector_connections import Row
from ringmain_vector.vectors import vector_of


def scored(rows: Sequence[Row]) -> list[Scored]:
    """What was found, the best first as it came."""
    return [Scored(row["id"], row["number"], row["score"]) for row in rows]


def rarity_of(rows: Sequence[Row], every: int) -> tuple[list[int], list[float]]:
    """The words that there are at all, and how much each tells; in the place of one, the count of all."""
    counted: dict[int, int] = {row["term"]: row["passages"] for row in rows}
    passages = counted.pop(every, 0)
    return list(counted), [idf(passages, count) for count in counted.values()]


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


def row_of(passage: Passage, metadata: str) -> tuple[Any, ...]:
    """What is kept of a passage, beside whose it is."""
    vector = None if passage.vector is None else passage.vector.tolist()
    return passage.number, passage.start, passage.text, metadata, vector
