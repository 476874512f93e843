"""One search for all stores: both legs side by side, fused by how sure each is, the same everywhere.

`score` is between 0 and 1, higher is better. Semantic: the cosine, below 0 counting as 0. Keyword: BM25 as
`s / (s + 10)`. Hybrid: `(cosine + 0.6 * keyword) / 1.6`. The constants were chosen on a small English corpus;
they weigh a sure leg more than ranks would.

A passage's score depends on nothing but the question: both measures are taken of whatever one of them has
found. What neither has listed cannot score more than the ends of both lists say, so a hit that scores more
has its place for good, however many are asked for and on whichever page (Fagin's threshold algorithm).
"""

import heapq
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import anyio

from ringmain_core.errors import ToolFailure
from ringmain_vector.domain import Key, Passage, Where
from ringmain_vector.embedders.base import Embedder
from ringmain_vector.lexical import query_terms
from ringmain_vector.scoring import Leg, Mode, score
from ringmain_vector.stores.base import Collection
from ringmain_vector.vectors import require_dimension

if TYPE_CHECKING:
    from ringmain_vector.domain import Vector

EXACT_BELOW = 20_000
"""Passages below which every vector is compared; above, by an index."""

NOT_READY = "The model is being loaded: this was searched by words only. Ask again in a moment."
WORDLESS = "This collection was made by others and has no index of words: it was searched by meaning only."
CUT = f"Only the best {EXACT_BELOW:,} passages were looked at: narrow it by `filters`."

_CANDIDATES = 4  # times as many as are asked for, from each leg
_DEPTHS = (100, 400, 1_600, 6_400, EXACT_BELOW + 1)  # the same for all, so that all pages see the same
_SURE, _SURE_BY_INDEX = 1_600, 400  # deeper, a place that is certain is not worth the time
_BATCHES = (64, 512, 2 * EXACT_BELOW + 2)  # so many passages are measured until it is enough
_DENSE_WIDTH, _LEXICAL_WIDTH = 1e-5, 1e-4
_DECIMALS = 6


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
        mode: As it was done.
        more: Whether there are further hits.
        best: The best score there was, whatever was asked at least.
        note: Why it was not done as it was asked for; empty where it was.
    """

    hits: Sequence[Hit]
    mode: Mode
    more: bool
    best: float
    note: str = ""


async def search(collection: Collection, embedder: Embedder, asked: Search, *, passages: int) -> Found:
    """Search a collection.

    Args:
        collection: Searched.
        embedder: The collection's.
        asked: For what.
        passages: How many there are, which decides whether every vector is compared.

    Raises:
        ToolFailure: Of the store; of the embedder, where words cannot take its place.
    """
    mode, note = asked.mode, ""
    if mode == "hybrid" and not collection.manifest.tokenizer:
        mode, note = "semantic", WORDLESS
    if mode != "keyword" and not embedder.is_ready:
        mode, note = "keyword", NOT_READY  # whoever waits for a model waits in vain
    run = _Run(collection, embedder, asked, exact=passages <= EXACT_BELOW)
    try:
        return await run.found(mode, note)
    except _NoVector as failed:
        if mode != "hybrid":
            raise failed.error from failed
        return await run.found("keyword", f"{failed.error.message} This was searched by words only.")


class _NoVector(Exception):
    """The embedder has failed."""

    def __init__(self, error: ToolFailure) -> None:
        super().__init__(error.message)
        self.error = error


class _Run:
    """One search, which goes down both lists until it is certain of enough."""

    def __init__(self, collection: Collection, embedder: Embedder, asked: Search, *, exact: bool) -> None:
        self._collection = collection
        self._embedder = embedder
        self._asked = asked
        self._exact = exact
        self._vector: Vector | None = None
        self._terms = query_terms(asked.text)
        self._dense, self._lexical = Leg(_DENSE_WIDTH), Leg(_LEXICAL_WIDTH)
        self._measured: set[Key] = set()
        self._fetched: dict[Key, Passage] = {}

    async def found(self, mode: Mode, note: str) -> Found:
        """Search; again, where it has failed in another mode.

        Raises:
            ToolFailure: Of the store.
            _NoVector: Where the embedder fails.
        """
        wanted = self._asked.skip + self._asked.count
        self._dense.beyond = float(mode != "keyword")
        self._lexical.beyond = float(mode != "semantic" and bool(self._terms))
        scores: dict[Key, float] = {}
        passages: list[Passage] = []
        is_whole = False
        for depth in _depths(wanted):
            await self._look(depth)
            beyond = score(mode, self._dense.beyond, self._lexical.beyond)
            is_whole = round(beyond, _DECIMALS) <= self._asked.least
            is_deep = depth >= (_SURE if self._exact else _SURE_BY_INDEX)
            for batch in _BATCHES:
                others = await self._measure(mode, batch)
                scores = self._scores(mode)
                floor = others if is_whole or is_deep else max(beyond, others)
                passages = await self._distinct(scores, floor, wanted + 1)
                if len(passages) > wanted or not others:
                    break
            if is_whole or len(passages) > wanted:
                break
        if not is_whole and len(passages) <= wanted:
            note = note or CUT
        best = max(scores.values(), default=0.0)
        hits = [self._hit(one, scores) for one in passages[self._asked.skip : wanted]]
        return Found(hits, mode, len(passages) > wanted, best, note)

    async def _look(self, depth: int) -> None:
        """Go so far down each list that goes on."""
        legs = [(self._dense, self._by_meaning), (self._lexical, self._by_words)]
        await _together([partial(look, depth) for leg, look in legs if leg.beyond])

    async def _measure(self, mode: Mode, batch: int) -> float:
        """Take both measures of what only one list has, for as many as a batch, the most promising first.

        Returns:
            What the others of these can score at most.
        """
        most = self._most(mode)
        lacking = heapq.nlargest(batch, most, key=lambda key: (most[key], key))
        if lacking and self._vector is not None:
            tenant = self._asked.where.tenant
            dense, lexical = await self._collection.measured(tenant, lacking, self._vector, self._terms)
            self._dense.scores.update((one.key, one.score) for one in dense)
            self._lexical.scores.update((one.key, one.score) for one in lexical)
            self._measured.update(lacking)
        return max((most[key] for key in most.keys() - lacking), default=0.0)

    def _most(self, mode: Mode) -> dict[Key, float]:
        """What those can score at most of which one measure is not known."""
        cosines, words = self._dense.scores, self._lexical.scores
        most: dict[Key, float] = {}
        if self._lexical.beyond:
            least = self._lexical.beyond
            most |= {key: score(mode, cosines[key], least) for key in cosines.keys() - words - self._measured}
        if self._dense.beyond:
            least = self._dense.beyond
            most |= {key: score(mode, least, words[key]) for key in words.keys() - cosines - self._measured}
        return most

    async def _by_meaning(self, depth: int) -> None:
        vector = self._vector
        if vector is None:
            try:
                vector = self._vector = await self._embedder.query(self._asked.text)
            except ToolFailure as error:
                raise _NoVector(error) from error
            require_dimension(self._collection.name, self._collection.manifest.dimension, vector)
        found = await self._collection.dense(vector, depth, self._asked.where, exact=self._exact)
        self._dense.take(found, depth)

    async def _by_words(self, depth: int) -> None:
        self._lexical.take(await self._collection.lexical(self._terms, depth, self._asked.where), depth)

    def _scores(self, mode: Mode) -> dict[Key, float]:
        """Of all that was found. Stores differ in the last digits only: rounded, all have the same."""
        cosines, words = self._dense.scores, self._lexical.scores
        return {
            key: round(score(mode, cosines.get(key), words.get(key)), _DECIMALS)
            for key in dict.fromkeys([*cosines, *words])
        }

    async def _distinct(self, scores: Mapping[Key, float], floor: float, count: int) -> list[Passage]:
        """The first passages above a score: few of one document, and of equal texts only the better one."""
        ranked = sorted(scores, key=lambda key: (-scores[key], key))
        floor = round(floor, _DECIMALS)
        counted: Counter[str] = Counter()
        meant: list[Key] = []
        for key in ranked:
            if scores[key] < self._asked.least or scores[key] <= floor:
                break
            counted[key[0]] += 1
            if counted[key[0]] <= self._asked.a_document:
                meant.append(key)
        if floor and len(meant) < count:
            return []  # there will be more
        kept: dict[str, Passage] = {}
        begin, size = 0, count
        while begin < len(meant) and len(kept) < count:
            for passage in await self._fetch(meant[begin : begin + size]):
                kept.setdefault(" ".join(passage.text.split()), passage)
            begin, size = begin + size, 2 * size  # where many are equal, few requests get past them
        return list(kept.values())[:count]

    async def _fetch(self, keys: Sequence[Key]) -> list[Passage]:
        """Passages in this order; those that have gone meanwhile are left out."""
        new = [key for key in keys if key not in self._fetched]
        if new:
            found = await self._collection.fetch(self._asked.where.tenant, new)
            self._fetched |= {one.key: one for one in found}
        return [self._fetched[key] for key in keys if key in self._fetched]

    def _hit(self, passage: Passage, scores: Mapping[Key, float]) -> Hit:
        cosine, words = self._dense.scores.get(passage.key), self._lexical.scores.get(passage.key)
        return Hit(passage, scores[passage.key], cosine, words)


def _depths(wanted: int) -> Sequence[int]:
    """How far down the lists is looked, until it is enough."""
    return [one for one in _DEPTHS if one >= _CANDIDATES * wanted] or _DEPTHS[-1:]


async def _together(works: Sequence[Callable[[], Awaitable[None]]]) -> None:
    """Do several things at once. The first failure ends the others, and comes as it is, in no group."""
    failures: list[ToolFailure | _NoVector] = []

    async def one(work: Callable[[], Awaitable[None]], scope: anyio.CancelScope) -> None:
        try:
            await work()
        except (ToolFailure, _NoVector) as failure:
            failures.append(failure)
            scope.cancel()

    async with anyio.create_task_group() as tasks:
        for work in works:
            tasks.start_soon(one, work, tasks.cancel_scope)
    if failures:
        raise failures[0]


__all__ = ["CUT", "EXACT_BELOW", "NOT_READY", "WORDLESS", "Found", "Hit", "Mode", "Search", "search"]
