"""A passage has one score and one place, whatever is asked for; what fails says so in its own words."""

import random
from collections.abc import Mapping
from typing import Any

import pytest

from integration.vector.samples import MANIFEST, WORDS, document
from ringmain_core.errors import ToolFailure, UpstreamRefused, UpstreamUnavailable
from ringmain_vector.domain import Scored, Where
from ringmain_vector.embedders.hashed import HashEmbedder
from ringmain_vector.searching import CUT, Mode, Search, search
from ringmain_vector.stores.memory import MemoryCollection

pytestmark = pytest.mark.anyio

MODES: tuple[Mode, ...] = ("hybrid", "semantic", "keyword")
DOCUMENTS = 400


class Counting(MemoryCollection):
    """Remembers how deep it was looked into."""

    def __init__(self) -> None:
        super().__init__("docs", MANIFEST)
        self.depths: list[int] = []
        self.failure: ToolFailure | None = None

    async def lexical(self, terms: Mapping[int, float], k: int, where: Where) -> list[Scored]:
        self.depths.append(k)
        if self.failure is not None:
            raise self.failure
        return await super().lexical(terms, k, where)


class Failing(HashEmbedder):
    """A model whose server no longer takes the key."""

    async def query(self, text: str) -> Any:
        raise UpstreamRefused(f"The key is not accepted for {len(text)} characters.")


@pytest.fixture
async def collection() -> Counting:
    made = Counting()
    chance = random.Random(3)  # noqa: S311 (the same each time)
    for number in range(DOCUMENTS):
        texts = [" ".join(chance.choices(WORDS, k=chance.randint(5, 40))) for _ in range(2)]
        await made.replace(*await document(number, texts))
    return made


async def hits(collection: MemoryCollection, **asked: Any) -> list[tuple[str, float]]:
    wanted = Search("cold cache of the deploy", Where(), **asked)
    found = await search(collection, HashEmbedder(), wanted, passages=2 * DOCUMENTS)
    return [(hit.passage.id, hit.score) for hit in found.hits]


@pytest.mark.parametrize("mode", MODES)
async def test_pages_are_parts_of_one_list_however_long_they_are(collection: Counting, mode: Mode) -> None:
    whole = await hits(collection, count=700, mode=mode)
    assert [score for _, score in whole] == sorted((score for _, score in whole), reverse=True)
    for count in (1, 7, 50):
        pages = [await hits(collection, count=count, skip=skip, mode=mode) for skip in range(0, 100, count)]
        together = [one for page in pages for one in page]
        assert together == whole[: len(together)]


async def test_a_score_is_of_both_measures_even_where_one_list_has_ended_before(
    collection: Counting,
) -> None:
    embedder = HashEmbedder()
    best: dict[Mode, dict[str, float]] = {}
    for mode in MODES:
        wanted = Search("cold cache of the deploy", Where(), 700, mode)
        found = await search(collection, embedder, wanted, passages=2 * DOCUMENTS)
        best[mode] = {hit.passage.id: hit.score for hit in found.hits}
    for name, score in await hits(collection, count=8):
        cosine, words = best["semantic"].get(name, 0.0), best["keyword"].get(name, 0.0)
        assert score == pytest.approx((cosine + 0.6 * words) / 1.6, abs=1e-5)


@pytest.mark.parametrize("mode", MODES)
async def test_one_long_document_does_not_hide_the_others(mode: Mode) -> None:
    collection = Counting()
    await collection.replace(*await document(0, [f"cold cache {'cold ' * (n % 7)}{n}" for n in range(900)]))
    for number in range(1, 21):
        await collection.replace(*await document(number, [f"cold cache and other things {'x' * number}"]))
    wanted = Search("cold cache", Where(), 8, mode)
    first = await search(collection, HashEmbedder(), wanted, passages=920)
    assert (len(first.hits), first.more) == (8, True)
    every = await search(collection, HashEmbedder(), Search("cold cache", Where(), 50, mode), passages=920)
    assert {hit.passage.document.id for hit in every.hits} == {f"doc-{number:04}" for number in range(21)}
    assert not every.more


async def test_what_is_enough_is_not_looked_for_further(collection: Counting) -> None:
    await hits(collection, count=8, mode="keyword")
    assert collection.depths == [100]


async def test_the_end_of_what_was_looked_at_is_said(
    collection: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringmain_vector.searching._DEPTHS", (100, 200))
    wanted = Search("cold cache", Where(), 700, "keyword")
    found = await search(collection, HashEmbedder(), wanted, passages=2 * DOCUMENTS)
    assert (len(found.hits) <= 200, found.more, found.note) == (True, False, CUT)


@pytest.mark.parametrize("mode", ["hybrid", "keyword"])
async def test_a_failure_of_the_store_comes_as_it_is(collection: Counting, mode: Mode) -> None:
    collection.failure = UpstreamUnavailable("The database is away.", retry_after_ms=500)
    with pytest.raises(UpstreamUnavailable, match="The database is away") as caught:
        await hits(collection, count=8, mode=mode)
    assert caught.value is collection.failure


async def test_where_only_the_model_fails_words_answer_and_say_so(collection: Counting) -> None:
    wanted = Search("cold cache", Where(), 8)
    found = await search(collection, Failing(), wanted, passages=2 * DOCUMENTS)
    assert found.mode == "keyword"
    assert found.note == "The key is not accepted for 10 characters. This was searched by words only."
    wanted = Search("cold cache", Where(), 8, "keyword")
    by_words = await search(collection, HashEmbedder(), wanted, passages=2 * DOCUMENTS)
    assert found.hits == by_words.hits


async def test_where_meaning_was_asked_for_the_models_failure_is_told(collection: Counting) -> None:
    wanted = Search("cold cache", Where(), 8, "semantic")
    with pytest.raises(UpstreamRefused, match="The key is not accepted"):
        await search(collection, Failing(), wanted, passages=2 * DOCUMENTS)


@pytest.mark.parametrize("mode", ["hybrid", "semantic"])
async def test_a_question_of_another_dimension_is_refused(
    collection: Counting, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringmain_vector.embedders.hashed._DIMENSION", 32)
    with pytest.raises(UpstreamRefused, match="has vectors of 64 numbers, and the embedding model gives 32"):
        await hits(collection, count=8, mode=mode)
