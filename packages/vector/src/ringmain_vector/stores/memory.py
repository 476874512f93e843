"""A store in memory, exact and simple: what the others are held against. It ends with the process."""

import bisect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ringmain_vector.domain import Document, FieldType, Key, Manifest, Passage, Scored, Stats, Where
from ringmain_vector.fields import merged
from ringmain_vector.lexical import idf, score

if TYPE_CHECKING:
    from ringmain_vector.domain import Vector


class MemoryCollection:
    """One collection."""

    is_read_only = False

    def __init__(self, name: str, manifest: Manifest) -> None:
        self.name = name
        self.manifest = manifest
        self._kept: dict[tuple[str, str], list[Passage]] = {}

    async def declare(self, fields: Mapping[str, FieldType]) -> None:
        self.manifest = replace(self.manifest, fields=merged(self.manifest.fields, fields))

    async def replace(self, document: Document, passages: Sequence[Passage]) -> None:
        if not passages:
            await self.delete(document.tenant, [document.id])
        else:
            self._kept[document.tenant, document.id] = list(passages)

    async def delete(self, tenant: str, ids: Sequence[str]) -> int:
        return sum(self._kept.pop((tenant, one), None) is not None for one in ids)

    async def dense(self, vector: "Vector", k: int, where: Where, *, exact: bool) -> list[Scored]:  # noqa: ARG002
        return _best(_by_meaning(self._all(where), vector), k)

    async def lexical(self, terms: Mapping[int, float], k: int, where: Where) -> list[Scored]:
        return _best(self._by_words(self._all(where), terms), k)

    async def measured(
        self, tenant: str, keys: Sequence[Key], vector: "Vector", terms: Mapping[int, float]
    ) -> tuple[list[Scored], list[Scored]]:
        meant = frozenset(keys)
        these = [
            one
            for document_id in {document_id for document_id, _ in keys}
            for one in self._kept.get((tenant, document_id), ())
            if one.key in meant
        ]
        return _by_meaning(these, vector), self._by_words(these, terms)

    async def fetch(self, tenant: str, keys: Sequence[Key]) -> list[Passage]:
        found: list[Passage] = []
        for document_id, number in keys:
            passages = self._kept.get((tenant, document_id), [])
            found += [_bare(one) for one in passages if one.number == number]
        return found

    async def documents(self, where: Where, after: str, limit: int) -> list[Document]:
        found = sorted((passages[0].document for passages in self._kept.values()), key=lambda one: one.id)
        meant = [one for one in found if where.holds(one)]
        begin = bisect.bisect_right([one.id for one in meant], after)
        return meant[begin : begin + limit]

    async def passages(self, tenant: str, document_id: str, *, whole: bool = False) -> list[Passage]:
        found = self._kept.get((tenant, document_id), [])
        return found if whole else [_bare(one) for one in found]

    async def tenants(self) -> list[str]:
        return sorted({tenant for tenant, _ in self._kept})

    async def stats(self, tenant: str) -> Stats:
        mine = [passages for (owner, _), passages in self._kept.items() if owner == tenant]
        return Stats(len(mine), sum(len(passages) for passages in mine))

    async def optimize(self) -> None:
        """Every passage is looked at anyway."""

    def _by_words(self, passages: Sequence[Passage], terms: Mapping[int, float]) -> list[Scored]:
        every = [one for passages in self._kept.values() for one in passages]
        rarity = {term: idf(len(every), sum(term in one.terms for one in every)) for term in terms}
        return [
            Scored(*one.key, score(terms, one.terms, rarity))
            for one in passages
            if not terms.keys().isdisjoint(one.terms)
        ]

    def _all(self, where: Where) -> list[Passage]:
        return [
            one for passages in self._kept.values() if where.holds(passages[0].document) for one in passages
        ]


class MemoryStore:
    """Collections by name."""

    kind = "memory"

    def __init__(self) -> None:
        self._collections: dict[str, MemoryCollection] = {}

    async def names(self) -> list[str]:
        return sorted(self._collections)

    async def open(self, name: str) -> MemoryCollection | None:
        return self._collections.get(name)

    async def create(self, name: str, manifest: Manifest) -> MemoryCollection:
        return self._collections.setdefault(name, MemoryCollection(name, manifest))

    async def close(self) -> None:
        """Nothing is held."""


def _by_meaning(passages: Sequence[Passage], vector: "Vector") -> list[Scored]:
    return [Scored(*one.key, float(one.vector @ vector)) for one in passages if one.vector is not None]


def _best(found: list[Scored], k: int) -> list[Scored]:
    return sorted(found, key=lambda one: -one.score)[:k]


def _bare(passage: Passage) -> Passage:
    return replace(passage, vector=None, terms={})
