"""One search for all stores: both legs side by side, fused by how sure each is, the same everywhere.

`score` is between 0 and 1, higher is better. Semantic: the cosine, below 0 counting as 0. Keyword: BM25 as
`s / (s + 10)`. Hybrid: `(cosine + 0.6 * keyword) / 1.6`. The constants were chosen on a small English corpus;
they weigh a sure leg more than ranks would.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol

import anyio

from ringmain_vector.domain import Passage, Scored, Where
from ringmain_vector.embedders.base import Embedder
from ringmain_vector.lexical import query_terms
from ringmain_vector.stores.base import Collection

Mode = Literal["hybrid", "semantic", "keyword"]

HALF = 10.0
"""The BM25 score that counts as half sure."""

SHARE = 0.6
"""How much words weigh beside meaning, in hybrid searches."""

EXACT_BELOW = 20_000
"""Passages below which every vector is compared; above, by an index."""

_CANDIDATES = 4  # times as many as are asked for, from each leg
_FEWEST, _MOST = 40, 1_000
_DENSE_TIE, _LEXICAL_TIE = 1e-5, 1e-4
_DECIMALS = 6


class _Rank(Protocol):
    async def __call__(self, *, k: int) -> list[Scored]: ...


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found.

    Attributes:
        score: As the module says.
        cosine: Of meaning; `None` where it was not looked at.
        lexical: BM25 of the words; likewise.
    """

    passage: Passage
    score: float
    cosine: float | None
    lexical: float | None


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for.

    Attributes:
        text: The question.
        count: Most hits.
        skip: Hits that were shown before.
        a_document: Most hits of one document.
        least: Score that a hit has at least.
    """

    text: str
    where: Where
    count: int
    mode: Mode = "hybrid"
    skip: int = 0
    a_document: int = 3
    least: float = 0.0


@dataclass(frozen=True, slots=True)
class Found:
    """What came of a search.

    Attributes:
        mode: As it was done: keyword, where the model is not ready yet.
        more: Whether there are further hits.
        best: The best score there was, whatever was asked at least.
    """

    hits: Sequence[Hit]
    mode: Mode
    more: bool
    best: float


async def search(collection: Collection, embedder: Embedder, asked: Search, *, passages: int) -> Found:
    """Search a collection.

    Args:
        collection: Searched.
        embedder: The collection's.
        asked: For what.
        passages: How many there are, which decides whether every vector is compared.
    """
    mode = asked.mode
    if mode != "keyword" and not embedder.is_ready:
        mode = "keyword"  # whoever waits for a model waits in vain: words are searched meanwhile
    dense: list[Scored] = []
    lexical: list[Scored] = []

    async def by_meaning() -> None:
        vector = await embedder.query(asked.text)
        exact = passages <= EXACT_BELOW
        rank = partial(collection.dense, vector, where=asked.where, exact=exact)
        dense.extend(await _best(rank, asked, _DENSE_TIE))

    async def by_words() -> None:
        terms = query_terms(asked.text)
        if terms:
            rank = partial(collection.lexical, terms, where=asked.where)
            lexical.extend(await _best(rank, asked, _LEXICAL_TIE))

    async with anyio.create_task_group() as tasks:
        if mode != "keyword":
            tasks.start_soon(by_meaning)
        if mode != "semantic":
            tasks.start_soon(by_words)
    return await _fused(collection, asked, mode, dense, lexical)


async def _fused(
    collection: Collection,
    asked: Search,
    mode: Mode,
    dense: Sequence[Scored],
    lexical: Sequence[Scored],
) -> Found:
    cosines = {one.key: one.score for one in dense}
    words = {one.key: one.score for one in lexical}
    scores = {
        key: _score(mode, cosines.get(key), words.get(key)) for key in dict.fromkeys([*cosines, *words])
    }
    # Stores differ in the last digits only: rounded scores are equal in all of them, and ids decide then.
    ranked = sorted(scores, key=lambda key: (-round(scores[key], _DECIMALS), key))
    best = round(scores[ranked[0]], _DECIMALS) if ranked else 0.0
    kept: list[tuple[str, int]] = []
    counted: dict[str, int] = {}
    for key in ranked:
        if scores[key] < asked.least or round(scores[key], _DECIMALS) <= 0:
            break
        counted[key[0]] = counted.get(key[0], 0) + 1
        if counted[key[0]] <= asked.a_document:
            kept.append(key)
    wanted = asked.skip + asked.count
    passages = await _once(collection, asked.where.tenant, kept, wanted + 1)  # one more: are there any?
    hits = [
        Hit(one, round(scores[key], _DECIMALS), cosines.get(key), words.get(key))
        for one in passages[asked.skip : wanted]
        for key in [(one.document.id, one.number)]
    ]
    return Found(hits, mode, len(passages) > wanted, best)


def _score(mode: Mode, cosine: float | None, words: float | None) -> float:
    meaning = max(cosine or 0.0, 0.0)
    sure = (words or 0.0) / ((words or 0.0) + HALF)
    if mode == "semantic":
        return min(meaning, 1.0)
    if mode == "keyword":
        return sure
    return min((meaning + SHARE * sure) / (1 + SHARE), 1.0)


async def _best(rank: _Rank, asked: Search, width: float) -> Sequence[Scored]:
    """The best of one leg, without those that tie at the end of a full list.

    Which of them are in it, is the store's whim. Where too few are left to fill the page, more are fetched,
    until the tie is in it whole; what scores nothing is not worth that.
    """
    wanted = asked.skip + asked.count
    k = max(_FEWEST, min(_MOST, _CANDIDATES * wanted))
    while True:
        found = await rank(k=k)
        if len(found) < k:
            return found
        last = found[-1].score
        kept = [one for one in found if one.score > last + width]
        if len(kept) > wanted or last <= width:
            return kept
        if k > EXACT_BELOW:
            return kept or found
        k = min(_CANDIDATES * k, EXACT_BELOW + 1)


async def _once(
    collection: Collection, tenant: str, ranked: Sequence[tuple[str, int]], wanted: int
) -> list[Passage]:
    """The first passages, as many as are wanted; the same text in two documents is one find, the better."""
    kept: dict[str, Passage] = {}
    for begin in range(0, len(ranked), wanted):
        keys = ranked[begin : begin + wanted]
        found = {(one.document.id, one.number): one for one in await collection.fetch(tenant, keys)}
        for passage in (found[key] for key in keys if key in found):
            kept.setdefault(" ".join(passage.text.split()), passage)
        if len(kept) >= wanted:
            break
    return list(kept.values())[:wanted]
