"""A shard of Qdrant Edge in our terms: the only module that speaks to that library. All of it blocks."""

import bisect
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import qdrant_edge as edge

from ringmain_vector.domain import Condition, Document, FieldType, Key, Passage, Scored, Where
from ringmain_vector.stores.edge_points import (
    DOCUMENT,
    GONE,
    document_of,
    ends_of,
    passage_of,
    payload_of,
    point_id,
    range_key,
    same,
    same_key,
)
from ringmain_vector.vectors import vector_of

if TYPE_CHECKING:
    from ringmain_vector.domain import Vector

_DENSE, _WORDS = "dense", "words"
# A point without words would not count as a passage for the IDF, so it gets one that no text has.
_NO_WORD = 2**32 - 1
_ALL = 1 << 31
# Points: what is not flushed has to be done again after a crash, by whoever opens the shard.
_FLUSH_EVERY = 5_000
# Rarity is counted over a filter that all points pass: else what was deleted would still count.
_COUNTED = edge.SearchParams(idf=edge.IdfParams(edge.Filter()))
# Edges between points that share a value take 15 times as long to build; filters are fast without.
_HNSW = edge.HnswIndexConfig(m=16, ef_construct=100, full_scan_threshold=10_000, payload_m=0)


class ShardFailed(Exception):
    """The library has raised something; this has its words."""


class Shard:
    """A shard that is open.

    Several threads may read at once; whoever writes has to be alone. A write is one entry of the shard's
    log with all points of a document, so that it happens or does not, however the process ends.

    Every method may raise `ShardFailed`.
    """

    def __init__(self, shard: edge.EdgeShard) -> None:
        self._shard = shard
        self._unflushed = 0
        self._listing: tuple[str, list[str]] | None = None  # for the next page: one takes sorting all
        self._others: dict[str, bool] = {}  # by tenant

    @classmethod
    def create(cls, folder: Path, dimension: int) -> "Shard":
        """A new one, in a folder that is empty."""
        config = edge.EdgeConfig(
            vectors={_DENSE: edge.EdgeVectorParams(size=dimension, distance=edge.Distance.Cosine)},
            sparse_vectors={_WORDS: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
            hnsw_config=_HNSW,
        )
        with _in_words():
            made = cls(edge.EdgeShard.create(str(folder), config))
        made._index("tenant", edge.PayloadSchemaType.Keyword)
        made._index("id", edge.PayloadSchemaType.Keyword)
        made._index("number", edge.IntegerIndexParams(lookup=True, range=False))
        return made

    @classmethod
    def load(cls, folder: Path) -> "Shard":
        """One that is there, without what a write left over that was cut short."""
        with _in_words():
            loaded = cls(edge.EdgeShard.load(str(folder)))
            left_over = edge.Filter(must=[_number_is(GONE)])
            if loaded._count(left_over):
                loaded._shard.update(edge.UpdateOperation.delete_points_by_filter(left_over))
        return loaded

    def close(self) -> None:
        with _in_words():
            self._shard.close()

    def declare(self, fields: Mapping[str, FieldType]) -> None:
        """Have filters by these fields fast."""
        for field, kind in fields.items():
            self._index(same_key(field), edge.PayloadSchemaType.Keyword)
            if kind in ("integer", "float"):
                self._index(range_key(field), edge.PayloadSchemaType.Float)

    def replace(self, document: Document, passages: Sequence[Passage]) -> None:
        """Put passages in the place of those that a document has."""
        with _in_words():
            points = [_point(one) for one in passages]
            surplus = self._ids(document.tenant, [document.id]) - {str(point.id) for point in points}
            points += [edge.Point(one, {}, {"number": GONE}) for one in surplus]
            self._forget()
            self._shard.update(edge.UpdateOperation.upsert_points(points))
            if surplus:
                self._shard.update(edge.UpdateOperation.delete_points(list(surplus)))
            self._flush_after(len(points))

    def delete(self, tenant: str, ids: Sequence[str]) -> int:
        """Remove documents; returns how many were there."""
        with _in_words():
            there = edge.Filter(must=[*_those(tenant, ids), _number_is(0)])
            count = self._count(there)
            points = self._ids(tenant, ids)
            if points:
                self._forget()
                self._shard.update(edge.UpdateOperation.delete_points(list(points)))
                self._flush_after(len(points))
        return count

    def dense(self, vector: "Vector", k: int, where: Where, *, exact: bool) -> list[Scored]:
        # Edges of the index lead through what a filter leaves out, too, and would end there.
        exact = exact or bool(where.conditions) or self._has_others(where.tenant)
        query = edge.Query.Nearest(vector.tolist(), _DENSE)
        return self._found(query, k, _filter(where), edge.SearchParams(exact=exact))

    def lexical(self, terms: Mapping[int, float], k: int, where: Where) -> list[Scored]:
        return self._found(_with_words(terms), k, _filter(where), _COUNTED)

    def measured(
        self, tenant: str, keys: Sequence[Key], vector: "Vector", terms: Mapping[int, float]
    ) -> tuple[list[Scored], list[Scored]]:
        ids: Any = {point_id(tenant, *key) for key in keys}
        these = edge.Filter(must=[edge.HasIdCondition(ids)])
        query = edge.Query.Nearest(vector.tolist(), _DENSE)
        by_meaning = self._found(query, len(ids), these, edge.SearchParams(exact=True))
        return by_meaning, self._found(_with_words(terms), len(ids), these, _COUNTED) if terms else []

    def fetch(self, tenant: str, keys: Sequence[Key]) -> list[Passage]:
        ids = [point_id(tenant, *key) for key in keys]
        with _in_words():
            return [passage_of(_payload(one)) for one in self._shard.retrieve([*ids], True, False)]

    def passages(self, tenant: str, document_id: str, *, whole: bool) -> list[Passage]:
        meant = edge.Filter(must=_those(tenant, [document_id]))
        with _in_words():
            found = self._scrolled(meant, with_payload=True, with_vector=whole)
            passages = [_whole(one) if whole else passage_of(_payload(one)) for one in found]
        return sorted(passages, key=lambda one: one.number)

    def documents(self, where: Where, after: str, limit: int) -> list[Document]:
        with _in_words():
            ids = self._sorted_ids(where)
            begin = bisect.bisect_right(ids, after)
            points = [point_id(where.tenant, one, 0) for one in ids[begin : begin + limit]]
            found = self._shard.retrieve([*points], [*DOCUMENT], False)
            return sorted((document_of(_payload(one)) for one in found), key=lambda one: one.id)

    def tenants(self) -> list[str]:
        with _in_words():
            found = self._shard.facet(edge.FacetRequest("tenant", limit=_ALL, exact=True))
        return sorted(str(hit.value) for hit in found.hits if hit.count)

    def counts(self, tenant: str) -> tuple[int, int]:
        """How many documents and passages a tenant has."""
        mine = _is("tenant", [tenant])
        with _in_words():
            documents = self._count(edge.Filter(must=[mine, _number_is(0)]))
            return documents, self._count(edge.Filter(must=[mine]))

    def size(self) -> tuple[int, int]:
        """How many passages there are, and how many of them have no index of their vectors."""
        with _in_words():
            info = self._shard.info()
        by_words = info.points_count  # all of them have an index of their words, which is counted, too
        return info.points_count, info.points_count - (info.indexed_vectors_count - by_words)

    def optimize(self) -> None:
        """Build what makes searching among many points fast. It takes minutes."""
        with _in_words():
            self._shard.optimize()

    def _index(self, key: str, kind: "edge.PayloadSchemaType | edge.IntegerIndexParams") -> None:
        with _in_words():
            self._shard.update(edge.UpdateOperation.create_field_index(key, kind))

    def _found(
        self, query: edge.Query, k: int, meant: edge.Filter, params: edge.SearchParams
    ) -> list[Scored]:
        request = edge.QueryRequest(
            limit=k, query=query, filter=meant, params=params, with_payload=["id", "number"]
        )
        with _in_words():
            found = [(_payload(one), one.score) for one in self._shard.query(request)]
        return [Scored(payload["id"], payload["number"], score) for payload, score in found]

    def _sorted_ids(self, where: Where) -> list[str]:
        listing, asked = self._listing, repr(where)  # which tells true from 1, unlike being equal
        if listing is None or listing[0] != asked:
            firsts = _filter(where, _number_is(0))
            found = self._scrolled(firsts, with_payload=["id"], with_vector=False)
            listing = self._listing = (asked, sorted(_payload(one)["id"] for one in found))
        return listing[1]

    def _has_others(self, tenant: str) -> bool:
        """Whether there are passages of other tenants; to count them takes as long as comparing vectors."""
        if tenant not in self._others:
            with _in_words():
                mine = self._count(edge.Filter(must=[_is("tenant", [tenant])]))
                self._others[tenant] = mine < self._shard.info().points_count
        return self._others[tenant]

    def _forget(self) -> None:
        """Something is about to change."""
        self._listing = None
        self._others.clear()

    def _ids(self, tenant: str, ids: Sequence[str]) -> set[str]:
        meant = edge.Filter(must=_those(tenant, ids))
        found = self._scrolled(meant, with_payload=False, with_vector=False)
        return {str(one.id) for one in found}

    def _scrolled(
        self, meant: edge.Filter, *, with_payload: bool | list[str], with_vector: bool
    ) -> list[edge.Record]:
        request = edge.ScrollRequest(
            limit=_ALL, filter=meant, with_payload=with_payload, with_vector=with_vector
        )
        return self._shard.scroll(request)[0]

    def _count(self, meant: edge.Filter) -> int:
        return self._shard.count(edge.CountRequest(filter=meant))

    def _flush_after(self, points: int) -> None:
        self._unflushed += points
        if self._unflushed >= _FLUSH_EVERY:
            self._shard.flush()
            self._unflushed = 0


@contextmanager
def _in_words() -> Generator[None]:
    try:
        yield
    except ShardFailed:
        raise
    except Exception as error:  # the library knows no class of its own
        raise ShardFailed(str(error)) from error


def _with_words(terms: Mapping[int, float]) -> edge.Query:
    return edge.Query.Nearest(edge.SparseVector(list(terms), list(terms.values())), _WORDS)


def _point(passage: Passage) -> edge.Point:
    terms = passage.terms or {_NO_WORD: 1.0}
    vectors: dict[str, Any] = {_WORDS: edge.SparseVector(list(terms), list(terms.values()))}
    if passage.vector is not None:
        vectors[_DENSE] = passage.vector.tolist()
    document = passage.document
    name = point_id(document.tenant, document.id, passage.number)
    return edge.Point(name, vectors, payload_of(passage))


def _whole(record: edge.Record) -> Passage:
    bare = passage_of(_payload(record))
    vectors = cast("dict[str, Any]", record.vector)
    words: edge.SparseVector = vectors[_WORDS]
    terms = dict(zip(words.indices, words.values, strict=True))
    terms.pop(_NO_WORD, None)
    vector = vector_of(vectors[_DENSE]) if _DENSE in vectors else None
    return Passage(bare.document, bare.number, bare.text, bare.start, terms, vector)


def _payload(found: "edge.Record | edge.ScoredPoint") -> dict[str, Any]:
    return found.payload or {}


def _filter(where: Where, *more: edge.FieldCondition) -> edge.Filter:
    must = [_is("tenant", [where.tenant]), *more]
    must += [_condition(one) for one in where.conditions if not one.negated]
    must_not = [_condition(one) for one in where.conditions if one.negated]
    return edge.Filter(must=[*must], must_not=[*must_not])


def _condition(condition: Condition) -> edge.FieldCondition:
    if condition.any_of:
        return _is(same_key(condition.field), [same(one) for one in condition.any_of])
    return edge.FieldCondition(range_key(condition.field), range=edge.RangeFloat(**ends_of(condition)))


def _those(tenant: str, ids: Sequence[str]) -> list[Any]:
    return [_is("tenant", [tenant]), _is("id", ids)]


def _is(key: str, values: Sequence[str]) -> edge.FieldCondition:
    return edge.FieldCondition(key, match=edge.MatchAny([*values]))


def _number_is(number: int) -> edge.FieldCondition:
    return edge.FieldCondition("number", match=edge.MatchValue(number))
