"""All stores give the same answers: the same ids, in the same order, with the same scores."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from integration.vector.samples import FILTERS, MANIFEST, QUERIES, corpus, document, filled
from integration.vector.stores import STORES
from ringmain_core.errors import InvalidArguments
from ringmain_vector.domain import Condition, Scored, Where
from ringmain_vector.embedders.hashed import HashEmbedder
from ringmain_vector.lexical import query_terms
from ringmain_vector.searching import Found, Mode, Search, search
from ringmain_vector.stores.base import Collection, Store
from ringmain_vector.stores.memory import MemoryStore

pytestmark = pytest.mark.anyio

OTHERS = [name for name in STORES if name != "memory"]
MODES: tuple[Mode, ...] = ("hybrid", "semantic", "keyword")


@pytest.fixture(params=list(STORES))
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Store]:
    async with STORES[request.param](tmp_path) as opened:
        yield opened


@pytest.fixture
async def collection(store: Store) -> Collection:
    return await store.create("docs", MANIFEST)


def scores(found: list[Scored]) -> dict[tuple[str, int], float]:
    """Of each passage; the list has to come sorted."""
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    return {one.key: one.score for one in found}


async def test_what_is_found_is_what_the_simple_store_finds(collection: Collection) -> None:
    simple = await filled(await MemoryStore().create("docs", MANIFEST))
    await filled(collection)
    embedder = HashEmbedder()
    for where in FILTERS:
        for query in QUERIES:
            vector, terms = await embedder.query(query), query_terms(query)
            ours = await collection.dense(vector, 1_000, where, exact=True)
            theirs = await simple.dense(vector, 1_000, where, exact=True)
            assert scores(ours) == pytest.approx(scores(theirs), abs=1e-5), (query, where)
            said = scores(await collection.lexical(terms, 1_000, where))
            expected = scores(await simple.lexical(terms, 1_000, where))
            assert said == pytest.approx(expected, abs=1e-4), (query, where)


async def test_searches_have_identical_ids_and_order(collection: Collection) -> None:
    simple = await filled(await MemoryStore().create("docs", MANIFEST))
    await filled(collection)

    async def ids(of: Collection, asked: Search) -> list[tuple[str, float]]:
        found: Found = await search(of, HashEmbedder(), asked, passages=400)
        return [(hit.passage.id, round(hit.score, 4)) for hit in found.hits]

    for mode in MODES:
        for where in FILTERS:
            for query in QUERIES:
                asked = Search(query, where, 10, mode=mode)
                assert await ids(collection, asked) == await ids(simple, asked), asked


async def test_passages_are_measured_as_they_are_ranked(collection: Collection) -> None:
    await filled(collection)
    vector, terms = await HashEmbedder().query("cold cache"), query_terms("cold cache")
    by_meaning = scores(await collection.dense(vector, 1_000, Where(), exact=True))
    by_words = scores(await collection.lexical(terms, 1_000, Where()))
    some = [*list(by_meaning)[::3], ("nobody", 0), ("doc-0001", 99)]
    dense, lexical = await collection.measured("", some, vector, terms)
    expected = {key: score for key, score in by_meaning.items() if key in some}
    assert {one.key: one.score for one in dense} == pytest.approx(expected, abs=1e-5)
    expected = {key: score for key, score in by_words.items() if key in some}
    assert {one.key: one.score for one in lexical} == pytest.approx(expected, abs=1e-4)
    assert await collection.measured("stranger", some, vector, terms) == ([], [])
    assert (await collection.measured("", some, vector, {}))[1] == []


async def test_pages_of_any_length_are_parts_of_one_list(collection: Collection) -> None:
    await filled(collection)

    async def ids(count: int, skip: int) -> list[tuple[str, float]]:
        asked = Search("deploy on friday after the review", Where(), count, skip=skip)
        found = await search(collection, HashEmbedder(), asked, passages=400)
        return [(hit.passage.id, round(hit.score, 4)) for hit in found.hits]

    whole = await ids(60, 0)
    assert [one for skip in range(0, 60, 12) for one in await ids(12, skip)] == whole


async def test_a_field_keeps_its_type(store: Store, collection: Collection) -> None:
    other = await store.open("docs")
    assert other is not None
    await collection.declare({"year": "integer"})
    with pytest.raises(InvalidArguments, match="`year` is a integer field in this collection, and would"):
        await other.declare({"year": "keyword", "kind": "keyword"})
    await other.declare({"kind": "keyword"})
    again = await store.open("docs")
    assert again is not None
    assert again.manifest.fields == {"year": "integer", "kind": "keyword"}


@pytest.mark.parametrize("mode", MODES)
async def test_more_that_tie_than_are_fetched_come_in_the_order_of_ids(
    collection: Collection, mode: Mode
) -> None:
    simple = await MemoryStore().create("docs", MANIFEST)
    every = [
        await document(number, ["cold cache" + "!" * number, f"coffee {number}"]) for number in range(70)
    ]
    for one, passages in every:
        await simple.replace(one, passages)
    for one, passages in reversed(every):
        await collection.replace(one, passages)

    async def keys(of: Collection, query: str, skip: int) -> list[str]:
        asked = Search(query, Where(), 9, mode=mode, skip=skip)
        found = await search(of, HashEmbedder(), asked, passages=140)
        return [hit.passage.id for hit in found.hits]

    assert await keys(collection, "cold cache", 0) == [f"doc-{number:04}#0" for number in range(9)]
    assert await keys(collection, "cold cache", 57) == [f"doc-{number:04}#0" for number in range(57, 66)]
    for query in ("coffee", "warm", "nothing of this"):
        assert await keys(collection, query, 0) == await keys(simple, query, 0), query


async def test_a_document_is_replaced_whole(collection: Collection) -> None:
    made, passages = await document(1, ["cold cache", "warm cache", "no cache"])
    await collection.replace(made, passages)
    again, fewer = await document(1, ["a budget"])
    await collection.replace(again, fewer)
    found = await collection.passages("", made.id)
    assert [one.text for one in found] == ["a budget"]
    assert found[0].document == again
    assert await collection.lexical(query_terms("cache"), 10, Where()) == []
    assert (await collection.stats("")).passages == 1


async def test_documents_are_walked_in_the_order_of_their_ids(collection: Collection) -> None:
    await filled(collection, 30)
    every = [one for one, _ in await corpus(30)]
    mine = [one for one in every if not one.tenant]
    assert await collection.documents(Where(), "", 1_000) == mine
    assert await collection.documents(Where(), mine[4].id, 3) == mine[5:8]
    noted = Where(conditions=(Condition("kind", ("note",)),))
    assert await collection.documents(noted, "", 1_000) == [
        one for one in mine if one.metadata.get("kind") == "note"
    ]
    assert await collection.tenants() == ["", "other"]


async def test_passages_come_back_as_they_were(collection: Collection) -> None:
    made, passages = await document(5, ["größe 日本 \u2028 x", "it's \\ 'quoted' \"twice\"\n\tend"], "other")
    await collection.replace(made, passages)
    found = await collection.passages("other", made.id, whole=True)
    for one, other in zip(found, passages, strict=True):
        assert (one.document, one.number, one.text, one.start) == (
            other.document,
            other.number,
            other.text,
            other.start,
        )
        assert one.terms == pytest.approx(other.terms, abs=1e-5)
        assert one.vector is not None
        assert other.vector is not None
        assert float(one.vector @ other.vector) == pytest.approx(1.0, abs=1e-5)
    (bare,) = await collection.fetch("other", [(made.id, 1), (made.id, 9), ("nobody", 0)])
    assert (bare.text, bare.vector, dict(bare.terms)) == (passages[1].text, None, {})
    assert await collection.passages("", made.id) == []


async def test_tenants_have_nothing_in_common(collection: Collection) -> None:
    for tenant in ("", "one", "two"):
        made, passages = await document(1, [f"cold cache of {tenant or 'nobody'}"], tenant)
        await collection.replace(made, passages)
    assert await collection.delete("one", ["doc-0001", "doc-0002"]) == 1
    assert await collection.passages("one", "doc-0001") == []
    for tenant in ("", "two"):
        (found,) = await collection.lexical(query_terms("cache"), 10, Where(tenant))
        assert found.key == ("doc-0001", 0)
        assert (await collection.stats(tenant)).documents == 1


async def test_odd_names_are_only_names(collection: Collection) -> None:
    for number, odd in enumerate(("it's; drop table x", "a/../b", "ü" * 40, '"', "%", "_")):
        made, passages = await document(number, ["cache"], metadata={"kind": odd})
        await collection.declare({"kind": "keyword"})
        await collection.replace(
            replace(made, id=odd), [replace(passages[0], document=replace(made, id=odd))]
        )
        where = Where(conditions=(Condition("kind", (odd,)),))
        assert [one.id for one in await collection.documents(where, "", 10)] == [odd]
        assert [one.document_id for one in await collection.lexical(query_terms("cache"), 9, where)] == [odd]


async def test_collections_are_made_once_and_found_by_name(store: Store) -> None:
    assert await store.names() == []
    assert await store.open("docs") is None
    made = await store.create("docs", MANIFEST)
    await made.declare({"kind": "keyword"})
    again = await store.create("docs", MANIFEST)
    assert again.manifest.fields == {"kind": "keyword"}
    opened = await store.open("docs")
    assert opened is not None
    assert (opened.name, opened.manifest, opened.is_read_only) == ("docs", again.manifest, False)
    assert await store.names() == ["docs"]


async def test_many_write_at_once(collection: Collection) -> None:
    every = await corpus(40)

    async def put(at: int) -> None:
        for one, passages in every[at::8]:
            await collection.replace(one, passages)

    async with anyio.create_task_group() as tasks:
        for at in range(8):
            tasks.start_soon(put, at)
    assert (await collection.stats("")).passages == sum(
        len(passages) for one, passages in every if not one.tenant
    )


async def test_a_document_without_passages_is_kept_nowhere(collection: Collection) -> None:
    made, passages = await document(1, ["cold cache", "warm cache"])
    await collection.replace(made, passages)
    await collection.replace(replace(made, passages=0), [])
    await collection.replace(replace(made, id="doc-0002", passages=0), [])
    assert await collection.passages("", made.id, whole=True) == []
    assert await collection.documents(Where(), "", 10) == []
    assert await collection.lexical(query_terms("cache"), 10, Where()) == []
    assert await collection.tenants() == []
    assert (await collection.stats("")).passages == 0
