"""A collection of our own in Qdrant.

Scores of words are those of `lexical.py` as long as the collection has one shard, for Qdrant counts how
rare a word is in each shard by itself; and it goes on counting what was deleted until its optimizer has been
there. What a replacement that broke in the middle has left counts, too, until that document is replaced again
an hour later or more; it is never found.
"""

import heapq
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import anyio

from ringmain_vector.domain import Document, FieldType, Key, Manifest, Passage, Scored, Stats, Where
from ringmain_vector.fields import merged
from ringmain_vector.stores.qdrant_filters import among, conditions_of, equal
from ringmain_vector.stores.qdrant_manifest import manifest_of, note, noted_fields
from ringmain_vector.stores.qdrant_points import (
    DENSE,
    KEYS,
    METADATA,
    WORDS,
    head_id,
    indexes_of,
    parts_of,
    passage_of,
    point_id,
    points_of,
)
from ringmain_vector.stores.qdrant_rest import Rest
from ringmain_vector.stores.qdrant_shapes import Dense, Described, Drop, Filter, Id, Point, Put, Sparse

if TYPE_CHECKING:
    from ringmain_vector.domain import Vector

_AT_ONCE = 64  # points in one request that writes
_PAGE = 500  # points in one that reads
_PAGE_OF_IDS = 2_000
_TRIES = 5  # of a read while documents are being replaced under it
_FORSAKEN = 3600  # seconds after which nobody is still at work on a replacement


class QdrantCollection:
    """One collection.

    Args:
        rest: The server.
        kept_as: The name there.
        name: As it is called here.
        described: As it was found.
        clock: As the store has it.
        declaring: Held while fields are declared: Qdrant has no way to note one only where it is new.
    """

    is_read_only = False

    def __init__(
        self,
        rest: Rest,
        kept_as: str,
        name: str,
        manifest: Manifest,
        described: Described,
        clock: Callable[[], float],
        declaring: anyio.Lock,
    ) -> None:
        self.name = name
        self.manifest = manifest
        self._rest = rest
        self._kept_as = kept_as
        self._described = described
        self._indexes = dict(described.indexes)
        self._clock = clock
        self._declaring = declaring

    async def prepare(self) -> None:
        """Make the payload indexes that are missing: where Qdrant is strict, it filters by nothing else."""
        for key, kind in indexes_of(self.manifest.fields).items():
            if self._indexes.get(key) != kind:
                await self._rest.index(self._kept_as, key, kind, parts=key == "tenant")
                self._indexes[key] = kind

    async def declare(self, fields: Mapping[str, FieldType]) -> None:
        async with self._declaring:
            described = await self._rest.describe(self._kept_as)
            now = described and await manifest_of(self._rest, self._kept_as, described)
            known = (now or self.manifest).fields
            self.manifest = replace(self.manifest, fields=merged(known, fields))
            await self.prepare()
            if self.manifest.fields != known:
                await note(self._rest, self._kept_as, noted_fields(fields))

    async def replace(self, document: Document, passages: Sequence[Passage]) -> None:
        if not passages:
            await self.delete(document.tenant, [document.id])
            return
        await self.prepare()
        now, generation = int(self._clock()), uuid.uuid4().hex
        head, *others = points_of(passages, generation, now)
        before = await self._heads(document.tenant, [document.id], KEYS)
        for at in range(0, len(others), _AT_ONCE):
            await self._rest.change(self._kept_as, Put(others[at : at + _AT_ONCE]), again=True)
        old = self._stale(document.tenant, [document.id], before, now)
        await self._rest.change(
            self._kept_as, Put([head]), Drop({**old, "must_not": [equal("generation", generation)]})
        )

    async def delete(self, tenant: str, ids: Sequence[str]) -> int:
        there = 0
        await self.prepare()
        for some in parts_of(list(dict.fromkeys(ids)), _AT_ONCE):
            heads = await self._heads(tenant, some, KEYS)
            if heads:
                old = self._stale(tenant, list(heads), heads, int(self._clock()))
                await self._rest.change(self._kept_as, Drop([one.id for one in heads.values()]), Drop(old))
            there += len(heads)
        return there

    async def dense(self, vector: "Vector", k: int, where: Where, *, exact: bool) -> list[Scored]:
        return await self._ranked(vector.tolist(), DENSE, k, where.tenant, self._meant(where), exact=exact)

    async def lexical(self, terms: Mapping[int, float], k: int, where: Where) -> list[Scored]:
        return await self._ranked(terms, WORDS, k, where.tenant, self._meant(where)) if terms else []

    async def measured(
        self, tenant: str, keys: Sequence[Key], vector: "Vector", terms: Mapping[int, float]
    ) -> tuple[list[Scored], list[Scored]]:
        heads = await self._heads(tenant, list({document_id for document_id, _ in keys}), KEYS)
        ids = [
            point_id(tenant, document_id, number, heads[document_id].payload["generation"])
            for document_id, number in keys
            if document_id in heads
        ]
        these: Filter = {"must": [{"has_id": ids}]}
        if not ids:
            return [], []
        by_meaning = await self._ranked(vector.tolist(), DENSE, len(ids), tenant, these, exact=True)
        return by_meaning, await self._ranked(terms, WORDS, len(ids), tenant, these) if terms else []

    async def fetch(self, tenant: str, keys: Sequence[Key]) -> list[Passage]:
        numbers: dict[str, set[int]] = {}
        for document_id, number in keys:
            numbers.setdefault(document_id, set()).add(number)
        found = await self._passages(tenant, list(numbers), lambda head: numbers[head.payload["document"]])
        return [passage_of(one) for one in found]

    async def documents(self, where: Where, after: str, limit: int) -> list[Document]:
        """As the protocol says; the ids of all documents that are meant are read for it, a page at a time."""
        ids: list[str] = []
        async for page in self._heads_where(where):
            ids += [found for one in page if (found := one.payload["document"]) > after]
            ids = heapq.nsmallest(limit, ids)
        heads = await self._heads(where.tenant, ids)
        return [passage_of(heads[one]).document for one in ids if one in heads]

    async def passages(self, tenant: str, document_id: str, *, whole: bool = False) -> list[Passage]:
        def every(head: Point) -> Iterable[int]:
            return range(head.payload["points"])

        found = await self._passages(tenant, [document_id], every, vectors=whole)
        return sorted((passage_of(one, whole=whole) for one in found), key=lambda one: one.number)

    async def tenants(self) -> list[str]:
        heads: Filter = {"must": [equal("number", 0)]}
        limit = _PAGE
        while True:
            found = await self._rest.values(self._kept_as, "tenant", heads, limit)
            if len(found) < limit:
                return sorted(found)
            limit *= 4

    async def stats(self, tenant: str) -> Stats:
        mine = equal("tenant", tenant)
        documents = await self._rest.count(self._kept_as, {"must": [mine, equal("number", 0)]})
        passages = await self._rest.count(self._kept_as, {"must": [mine]})
        return Stats(documents, passages, tuple(self._notes()))

    async def optimize(self) -> None:
        """Qdrant does it by itself."""

    def _notes(self) -> list[str]:
        missing = [
            key for key, kind in indexes_of(self.manifest.fields).items() if self._indexes.get(key) != kind
        ]
        notes = [
            f"there is no payload index for `{key}`: the next document that is added makes it"
            for key in missing
        ]
        if self._described.shards > 1:
            notes.append(
                f"it has {self._described.shards} shards, which each count by themselves how rare a word is: "
                "keyword scores differ a little from those of other stores"
            )
        if self._described.status != "green":
            notes.append(f"Qdrant says that its status is {self._described.status}")
        return notes

    async def _ranked(
        self, query: Dense | Sparse, using: str, k: int, tenant: str, meant: Filter, *, exact: bool = False
    ) -> list[Scored]:
        """The best points that are parts of a document as it is now.

        What is not was replaced since the search, or has never been current: the same search again tells.
        """
        asked, old_before = k, frozenset[Id]()
        kept: list[Point] = []
        for _ in range(_TRIES):
            found = await self._rest.rank(self._kept_as, query, using, meant, asked, KEYS, exact=exact)
            kept = await self._current(tenant, found)
            old = frozenset(one.id for one in found) - {one.id for one in kept}
            if old <= old_before and (len(kept) >= k or len(found) < asked):
                break
            asked, old_before = k + 2 * len(old), old
        return [
            Scored(one.payload["document"], one.payload["number"], one.score)
            for one in sorted(kept, key=lambda one: -one.score)[:k]
        ]

    async def _current(self, tenant: str, found: Sequence[Point]) -> list[Point]:
        parts = {one.payload["document"] for one in found if one.payload["number"]}
        heads = await self._heads(tenant, list(parts), KEYS)
        now = {document_id: head.payload["generation"] for document_id, head in heads.items()}
        return [
            one
            for one in found
            if one.payload["document"] not in parts
            or now.get(one.payload["document"]) == one.payload["generation"]
        ]

    async def _passages(
        self,
        tenant: str,
        document_ids: Sequence[str],
        numbers_of: Callable[[Point], Iterable[int]],
        *,
        vectors: bool = False,
    ) -> list[Point]:
        """Points of documents, by the numbers that are told of each head; all of one version."""
        found: list[Point] = []
        for _ in range(_TRIES):
            heads = await self._heads(tenant, document_ids, vectors=vectors)
            found, ids = [], list[str]()
            for document_id, head in heads.items():
                numbers = {one for one in numbers_of(head) if 0 <= one < head.payload["points"]}
                found += [head] if 0 in numbers else []
                generation = head.payload["generation"]
                ids += [point_id(tenant, document_id, one, generation) for one in numbers if one]
            others = await self._read(ids, vectors=vectors)
            found += others
            if len(others) == len(ids):
                break  # else one was replaced meanwhile
        return found

    async def _heads(
        self,
        tenant: str,
        document_ids: Sequence[str],
        keys: Sequence[str] | None = None,
        *,
        vectors: bool = False,
    ) -> dict[str, Point]:
        """The heads of documents, those that are there, by the ids of the documents."""
        ids = [head_id(tenant, one) for one in document_ids]
        return {one.payload["document"]: one for one in await self._read(ids, keys, vectors=vectors)}

    async def _read(
        self, ids: Sequence[str], keys: Sequence[str] | None = None, *, vectors: bool = False
    ) -> list[Point]:
        found: list[Point] = []
        for some in parts_of(ids, _PAGE):
            found += await self._rest.read(self._kept_as, some, keys, vectors=vectors)
        return found

    async def _heads_where(self, where: Where) -> AsyncIterator[list[Point]]:
        meant = self._meant(where)
        heads: Filter = {**meant, "must": [*meant["must"], equal("number", 0)]}
        begin: Id | None = None
        while True:
            page, begin = await self._rest.page(self._kept_as, heads, _PAGE_OF_IDS, begin, ["document"])
            yield page
            if begin is None:
                return

    def _meant(self, where: Where) -> Filter:
        made = conditions_of(where, METADATA, self.manifest.fields)
        return {**made, "must": [equal("tenant", where.tenant), *made["must"]]}

    def _stale(self, tenant: str, ids: Sequence[str], heads: Mapping[str, Point], now: int) -> Filter:
        """What is left of documents when their heads are gone. Others may be at work on what is younger."""
        generations = [one.payload["generation"] for one in heads.values()]
        return {
            "must": [equal("tenant", tenant), among("document", ids)],
            "should": [
                among("generation", generations),
                {"key": "written", "range": {"lt": now - _FORSAKEN}},
            ],
        }
