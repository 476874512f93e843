"""The store for Qdrant servers, against a stand-in as strict as Qdrant Cloud. No real server was there."""

import random
import socket
import uuid
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
import numpy as np
import pytest
from qdrant_client import AsyncQdrantClient, models

from integration.vector.samples import FIELDS, FILTERS, MANIFEST, QUERIES, document, filled
from ringmain_core.errors import (
    InvalidArguments,
    OutcomeUnknown,
    ToolFailure,
    UpstreamRefused,
    UpstreamUnavailable,
)
from ringmain_vector.domain import Condition, Passage, Scored, Stats, Where
from ringmain_vector.embedders.hashed import HashEmbedder
from ringmain_vector.lexical import query_terms
from ringmain_vector.stores.base import Collection
from ringmain_vector.stores.memory import MemoryStore
from ringmain_vector.stores.qdrant import QdrantStore
from ringmain_vector.stores.qdrant_adopted import Adopted
from standins.qdrant.serve import serving
from standins.qdrant.state import FakeQdrant

pytestmark = pytest.mark.anyio

WORD = query_terms("cache")
EVERYTHING = Where()
SWITCH = "POST */points/batch"


@pytest.fixture
def fake() -> Generator[FakeQdrant]:
    server = FakeQdrant()
    with serving(server):
        yield server
    assert server.violations == []


@asynccontextmanager
async def opened(url: str, api_key: str | None = None, **more: Any) -> AsyncGenerator[QdrantStore]:
    store = QdrantStore(url, api_key, **more)
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture
async def store(fake: FakeQdrant) -> AsyncGenerator[QdrantStore]:
    async with opened(fake.url) as it:
        yield it


@pytest.fixture
async def collection(store: QdrantStore) -> Collection:
    return await store.create("docs", MANIFEST)


async def put(collection: Collection, number: int, *texts: str, **metadata: Any) -> list[Passage]:
    made, passages = await document(number, texts, metadata=metadata)
    await collection.replace(made, passages)
    return passages


async def texts(collection: Collection, number: int) -> list[str]:
    return [one.text for one in await collection.passages("", f"doc-{number:04d}")]


def keys(found: Sequence[Scored]) -> list[tuple[str, int]]:
    return sorted(one.key for one in found)


def near(found: Sequence[Scored]) -> dict[tuple[str, int], Any]:
    return {one.key: pytest.approx(one.score, abs=1e-4) for one in found}


@pytest.mark.filterwarnings("ignore:Payload indexes have no effect", "ignore:Local mode performs exact")
async def test_the_clients_own_imitation_finds_what_the_simple_store_finds() -> None:
    simple = await filled(await MemoryStore().create("docs", MANIFEST), 40)
    async with opened(":memory:") as store:
        collection = await filled(await store.create("docs", MANIFEST), 40)
        for where in FILTERS:
            for query in QUERIES:
                vector, terms = await HashEmbedder().query(query), query_terms(query)
                ours = await collection.dense(vector, 1_000, where, exact=True)
                assert {one.key: one.score for one in ours} == near(
                    await simple.dense(vector, 1_000, where, exact=True)
                )
                ours = await collection.lexical(terms, 1_000, where)
                assert {one.key: one.score for one in ours} == near(await simple.lexical(terms, 1_000, where))
        assert await collection.stats("") == await simple.stats("")
        assert await collection.documents(EVERYTHING, "", 99) == await simple.documents(EVERYTHING, "", 99)
        assert await collection.delete("", ["doc-0000", "doc-0001", "nothing"]) == 2
        assert await collection.tenants() == ["", "other"]
        again = await store.open("docs")
        assert again is not None
        assert again.manifest == simple.manifest


async def test_conditions_hold_for_what_they_hold_for_in_memory(collection: Collection) -> None:
    simple = await filled(await MemoryStore().create("docs", MANIFEST), 40)
    await filled(collection, 40)
    chance = random.Random(3)  # noqa: S311 (the same conditions each time)

    def condition() -> Condition:
        name, values = chance.choice(
            [
                ("kind", ["note", "mail", "x"]),
                ("year", [2020, 2021.0, 2023.5, 2026]),
                ("weight", [0, 0.5, 0.271]),
                ("draft", [True, False]),
            ]
        )
        negated = chance.random() < 0.4
        if name in {"kind", "draft"} or chance.random() < 0.4:
            return Condition(name, chance.sample(values, chance.randint(1, 2)), negated=negated)
        scale = 1 if name == "weight" else 2020
        return Condition(
            name,
            least=chance.choice([None, scale * 0.3, scale + chance.choice([0, 1, 1.5])]),
            most=chance.choice([None, scale + chance.choice([0.2, 2, 3.5])]),
            least_counts=chance.random() < 0.5,
            most_counts=chance.random() < 0.5,
            negated=negated,
        )

    for _ in range(150):
        where = Where(chance.choice(["", "other"]), [condition() for _ in range(chance.randint(1, 2))])
        assert keys(await collection.lexical(query_terms("cache cold search"), 999, where)) == keys(
            await simple.lexical(query_terms("cache cold search"), 999, where)
        ), where


async def test_what_is_filtered_by_is_indexed_before(fake: FakeQdrant, collection: Collection) -> None:
    await collection.declare({"kind": "keyword", "odd name. 'of'": "float", "draft": "boolean"})
    assert fake.collections["docs"].indexes == {
        "tenant": "keyword",
        "document": "keyword",
        "number": "integer",
        "generation": "keyword",
        "written": "integer",
        "metadata.kind": "keyword",
        "metadata.\"odd name. 'of'\"": "float",
        "metadata.draft": "bool",
    }
    await put(collection, 1, "cold cache", **{"odd name. 'of'": 2.5})
    odd = Where(conditions=(Condition("odd name. 'of'", (2.5,)),))
    assert keys(await collection.lexical(WORD, 9, odd)) == [("doc-0001", 0)]
    with pytest.raises(InvalidArguments, match="cannot filter by"):
        await collection.declare({'a"b': "keyword"})


async def test_a_missing_index_is_told_with_its_repair_and_made_by_the_next_document(
    fake: FakeQdrant, store: QdrantStore, collection: Collection
) -> None:
    await collection.declare({"kind": "keyword"})
    del fake.collections["docs"].indexes["metadata.kind"]
    again = await store.open("docs")
    assert again is not None
    notes = Where(conditions=(Condition("kind", ("note",)),))
    with pytest.raises(UpstreamRefused) as refused:
        await again.lexical(WORD, 9, notes)
    assert refused.value.message == (
        "Qdrant does not filter by `metadata.kind` without a payload index (strict mode). Add a document "
        "with that field, which makes the index; or let the operator make it: PUT /collections/…/index with "
        '{"field_name": "metadata.kind", "field_schema": "keyword"}.'
    )
    assert (await again.stats("")).notes == (
        "there is no payload index for `metadata.kind`: the next document that is added makes it",
    )
    await put(again, 1, "cold cache", kind="note")
    assert keys(await again.lexical(WORD, 9, notes)) == [("doc-0001", 0)]
    assert (await again.stats("")).notes == ()


async def test_writes_wait_and_are_ordered(fake: FakeQdrant, collection: Collection) -> None:
    await put(collection, 1, "cold cache", "warm cache")
    await collection.delete("", ["doc-0001"])
    changes = fake.asked("/points/batch")
    assert [dict(one.query) for one in changes] == [{"wait": "true", "ordering": "strong"}] * 3


async def test_passages_without_words_count_like_all_others(collection: Collection) -> None:
    simple = await MemoryStore().create("docs", MANIFEST)
    for each in (collection, simple):
        await put(each, 1, "cold cache", "the of and", "warm")
    assert {one.key: one.score for one in await collection.lexical(WORD, 9, EVERYTHING)} == near(
        await simple.lexical(WORD, 9, EVERYTHING)
    )
    found = await collection.passages("", "doc-0001", whole=True)
    assert found[1].terms == {}


@pytest.mark.parametrize(("request_", "skip"), [(SWITCH, 0), (SWITCH, 1), ("POST */points", 0)])
async def test_a_replacement_that_fails_leaves_the_document_as_it_was(
    fake: FakeQdrant, collection: Collection, request_: str, skip: int
) -> None:
    await put(collection, 1, "cold cache", "warm cache", "no cache")
    fake.fault(request_, "cut", times=3, skip=skip)
    with pytest.raises(ToolFailure):
        await put(collection, 1, "new cache", "newer cache")
    fake.faults.clear()
    assert await texts(collection, 1) == ["cold cache", "warm cache", "no cache"]
    assert keys(await collection.lexical(WORD, 3, EVERYTHING)) == [("doc-0001", at) for at in range(3)]
    assert [one.text for one in await collection.fetch("", [("doc-0001", 1)])] == ["warm cache"]
    await put(collection, 1, "new cache", "newer cache")
    assert await texts(collection, 1) == ["new cache", "newer cache"]
    assert keys(await collection.lexical(WORD, 9, EVERYTHING)) == [("doc-0001", 0), ("doc-0001", 1)]


async def test_leftovers_go_when_nobody_can_be_at_work_on_them(fake: FakeQdrant) -> None:
    now = 1_000_000.0
    async with opened(fake.url, clock=lambda: now) as store:
        collection = await store.create("docs", MANIFEST)
        points = fake.collections["docs"].points
        fake.fault(SWITCH, "500", skip=1)
        with pytest.raises(OutcomeUnknown):
            await put(collection, 1, "cold cache", "warm cache")
        assert await collection.documents(EVERYTHING, "", 9) == []
        assert await collection.lexical(WORD, 1, EVERYTHING) == []
        await put(collection, 1, "a cache", "another")
        assert len(points) == 3
        now += 3_601
        await put(collection, 1, "a cache", "another")
        assert len(points) == 2
        assert await collection.delete("", ["doc-0001", "doc-0001"]) == 1
        assert points == {}


async def test_a_search_never_sees_half_a_document(collection: Collection) -> None:
    old = ["cold cache"] * 6
    new = ["warm cache and budget"] * 4
    await put(collection, 1, *old)
    vector = await HashEmbedder().query("cache")
    seen: set[int] = set()
    done = False

    async def replace() -> None:
        nonlocal done
        for _ in range(8):
            await put(collection, 1, *new)
            await put(collection, 1, *old)
        done = True

    async def search() -> None:
        while not done:
            for found in (
                await collection.lexical(WORD, 10, EVERYTHING),
                await collection.dense(vector, 10, EVERYTHING, exact=False),
            ):
                assert keys(found) == [("doc-0001", at) for at in range(len(found))]
                assert len({round(one.score, 3) for one in found}) == 1
                seen.add(len(found))
            whole = await texts(collection, 1)
            assert whole in (old, new)

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(search)
        tasks.start_soon(replace)
    assert seen == {4, 6}


async def test_of_many_who_replace_one_document_one_wins(fake: FakeQdrant) -> None:
    versions = [["cold cache"] * 5, ["warm cache"] * 3, ["no cache"] * 7] * 4
    async with opened(fake.url, at_once=len(versions)) as store:
        collection = await store.create("docs", MANIFEST)
        async with anyio.create_task_group() as tasks:
            for version in versions:
                tasks.start_soon(lambda one=version: put(collection, 1, *one))
        assert await texts(collection, 1) in versions


@pytest.mark.parametrize("kind", ["429", "429-silent", "500", "503", "cut", "html"])
async def test_reads_are_tried_again(fake: FakeQdrant, collection: Collection, kind: str) -> None:
    await put(collection, 1, "cold cache")
    fake.fault("POST */points/query", kind, seconds=0)
    assert keys(await collection.lexical(WORD, 9, EVERYTHING)) == [("doc-0001", 0)]
    assert len(fake.asked("/points/query")) == 2


@pytest.mark.parametrize(
    ("kind", "failure", "said"),
    [
        ("500", UpstreamUnavailable, "`qdrant` cannot be reached now"),
        ("html", UpstreamUnavailable, "What answers is no Qdrant server"),
        ("slow", UpstreamUnavailable, "`qdrant` cannot be reached now"),
    ],
)
async def test_reads_that_keep_failing_say_so(
    fake: FakeQdrant, kind: str, failure: type[ToolFailure], said: str
) -> None:
    async with opened(fake.url, timeout=0.5) as store:
        collection = await store.create("docs", MANIFEST)
        fake.fault("POST */points/query", kind, times=None, seconds=1.3)
        with pytest.raises(failure, match=said):
            await collection.lexical(WORD, 9, EVERYTHING)


@pytest.mark.parametrize("kind", ["done-cut", "500", "html"])
async def test_a_write_without_an_answer_is_not_known_to_have_happened(
    fake: FakeQdrant, collection: Collection, kind: str
) -> None:
    fake.fault(SWITCH, kind)
    with pytest.raises(OutcomeUnknown):
        await put(collection, 1, "cold cache")
    await put(collection, 1, "cold cache")
    assert await texts(collection, 1) == ["cold cache"]
    assert await collection.stats("") == Stats(1, 1)


async def test_a_server_that_is_not_there_is_told_at_once() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    async with opened(f"http://127.0.0.1:{port}") as store:
        with pytest.raises(UpstreamUnavailable) as failed:
            await store.names()
    assert failed.value.detail == {"cause": "down"}


async def test_keys_are_asked_for(fake: FakeQdrant) -> None:
    fake.api_key, fake.reading_key = "s3cret", "looker"
    for wrong in (None, "guessed"):
        async with opened(fake.url, wrong) as store:
            with pytest.raises(UpstreamRefused, match="does not accept the API key") as refused:
                await store.names()
            assert refused.value.detail == {"cause": "auth"}
    async with opened(fake.url, "s3cret") as store:
        await put(await store.create("docs", MANIFEST), 1, "cold cache")
    async with opened(fake.url, "looker") as store:
        looked = await store.open("docs")
        assert looked is not None
        assert await texts(looked, 1) == ["cold cache"]
        with pytest.raises(UpstreamRefused, match="does not let this API key do that"):
            await put(looked, 2, "warm cache")
    assert "s3cret" not in repr(fake.requests)


async def test_names_have_a_prefix_at_the_server(fake: FakeQdrant, store: QdrantStore) -> None:
    await store.create("others", MANIFEST)
    async with opened(fake.url, prefix="team-") as mine:
        await put(await mine.create("docs", MANIFEST), 1, "cold cache")
        assert await mine.names() == ["docs"]
        assert await mine.open("others") is None
    assert list(fake.collections) == ["others", "team-docs"]


async def test_servers_that_note_nothing_keep_the_manifest_in_a_point(fake: FakeQdrant) -> None:
    fake.notes = False
    async with opened(fake.url) as store:
        made = await store.create("docs", MANIFEST)
        await made.declare({"kind": "keyword"})
        await made.declare({"year": "integer"})
        await put(made, 1, "cold cache", kind="note")
        found = await store.open("docs")
        assert found is not None
        assert found.manifest == made.manifest
        assert dict(found.manifest.fields) == {"kind": "keyword", "year": "integer"}
        assert await store.names() == ["docs"]
        assert await found.stats("") == Stats(1, 1)
        assert await found.tenants() == [""]
        assert keys(await found.lexical(WORD, 9, EVERYTHING)) == [("doc-0001", 0)]


async def test_several_shards_are_told(fake: FakeQdrant, store: QdrantStore, collection: Collection) -> None:
    assert (await collection.stats("")).notes == ()
    fake.collections["docs"].created["shard_number"] = 3
    found = await store.open("docs")
    assert found is not None
    (note,) = (await found.stats("")).notes
    assert note.startswith("it has 3 shards, which each count by themselves how rare a word is")


async def test_more_tenants_than_fit_an_answer_are_all_told(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringmain_vector.stores.qdrant_collection._PAGE", 3)
    monkeypatch.setattr("ringmain_vector.stores.qdrant_collection._PAGE_OF_IDS", 3)
    for tenant in "fedcba":
        for number in range(5):
            made, passages = await document(number, ["cold cache"] * 5, tenant)
            await collection.replace(made, passages)
    assert await collection.tenants() == list("abcdef")
    found = await collection.documents(Where("c"), "doc-0000", 3)
    assert [one.id for one in found] == ["doc-0001", "doc-0002", "doc-0003"]
    assert len(await collection.passages("c", "doc-0004")) == 5


IDS: list[models.ExtendedPointId] = [7, 30, str(uuid.UUID(int=1))]


@pytest.fixture
async def foreign(fake: FakeQdrant) -> FakeQdrant:
    """A collection that others have made, the way they do."""
    client = AsyncQdrantClient(fake.url, check_compatibility=False)
    await client.create_collection(
        "wiki", vectors_config=models.VectorParams(size=64, distance=models.Distance.COSINE)
    )
    await client.create_payload_index("wiki", "meta.lang", models.PayloadSchemaType.KEYWORD)
    pages = ["cold cache", "warm cache", "a budget"]
    vectors = await HashEmbedder().documents(pages)
    await client.upsert(
        "wiki",
        [
            models.PointStruct(
                id=one,
                vector=vector.tolist(),
                payload={
                    "body": {"text": page},
                    "name": page.title(),
                    "meta": {"lang": "en" if page != "a budget" else "de", "tags": ["x"], "size": 3},
                },
            )
            for one, page, vector in zip(IDS, pages, vectors, strict=True)
        ],
    )
    await client.close()
    return fake


async def test_collections_of_others_are_not_ours(foreign: FakeQdrant, store: QdrantStore) -> None:
    assert await store.names() == []
    assert await store.open("wiki") is None
    before = dict(foreign.collections["wiki"].points)
    with pytest.raises(UpstreamRefused, match="`wiki` was made by others"):
        await store.create("wiki", MANIFEST)
    assert foreign.collections["wiki"].points == before
    assert foreign.collections["wiki"].indexes == {"meta.lang": "keyword"}


WIKI = Adopted("wiki", "hash-64", text="body.text", title="name", metadata="meta")


async def test_collections_of_others_are_searched_as_they_are(foreign: FakeQdrant) -> None:
    async with opened(foreign.url, adopted={"pages": WIKI, "gone": Adopted("nothing", "hash-64")}) as store:
        assert await store.names() == ["gone", "pages"]
        assert await store.open("gone") is None
        pages = await store.open("pages")
        assert pages is not None
        assert (pages.is_read_only, pages.manifest.dimension) == (True, 64)
        assert dict(pages.manifest.fields) == {"lang": "keyword"}
        vector = await HashEmbedder().query("cold cache")
        found = await pages.dense(vector, 9, EVERYTHING, exact=True)
        assert (found[0].key, round(found[0].score, 5)) == (("7", 0), 1.0)
        german = Where(conditions=(Condition("lang", ("de",)),))
        assert keys(await pages.dense(vector, 9, german, exact=True)) == [(IDS[2], 0)]
        assert await pages.lexical(WORD, 9, EVERYTHING) == []
        (page,) = await pages.fetch("", [("7", 0), ("7", 1), ("99", 0)])
        assert (page.text, page.document.title, dict(page.document.metadata)) == (
            "cold cache",
            "Cold Cache",
            {"lang": "en", "size": 3},
        )
        (whole,) = await pages.passages("", "30", whole=True)
        assert whole.vector is not None
        assert np.allclose(whole.vector, await HashEmbedder().query("warm cache"), atol=1e-6)
        walked = await pages.documents(EVERYTHING, "", 2)
        assert [one.id for one in walked] == ["7", "30"]
        assert [one.id for one in await pages.documents(EVERYTHING, "30", 2)] == [IDS[2]]
        stats = await pages.stats("")
        assert (stats.documents, stats.passages) == (3, 3)
        assert stats.notes == (
            "it was made by others, without the words of its passages: only meaning is searched",
        )
        await pages.optimize()


async def test_collections_of_others_are_never_written_to(foreign: FakeQdrant) -> None:
    made, passages = await document(1, ["cold cache"])
    async with opened(foreign.url, adopted={"pages": WIKI}) as store:
        pages = await store.open("pages")
        assert pages is not None
        before = len(foreign.requests)
        for write in (
            lambda: pages.declare({"kind": "keyword"}),
            lambda: pages.replace(made, passages),
            lambda: pages.delete("", ["7"]),
        ):
            with pytest.raises(UpstreamRefused, match="it is only searched"):
                await write()
        assert len(foreign.requests) == before
        with pytest.raises(UpstreamRefused, match="was made by others"):
            await store.create("pages", MANIFEST)
        assert "pages" not in foreign.collections


async def test_tenants_see_nothing_of_what_others_have_made(foreign: FakeQdrant) -> None:
    async with opened(foreign.url, adopted={"pages": WIKI}) as store:
        pages = await store.open("pages")
        assert pages is not None
        mine = Where("acme")
        assert await pages.dense(await HashEmbedder().query("cache"), 9, mine, exact=True) == []
        assert await pages.documents(mine, "", 9) == []
        assert await pages.fetch("acme", [("7", 0)]) == []
        assert await pages.passages("acme", "7") == []
        assert await pages.stats("acme") == Stats(0, 0)
        assert await pages.tenants() == [""]


async def test_a_mapping_that_names_no_vector_is_told_which_there_are(foreign: FakeQdrant) -> None:
    async with opened(foreign.url, adopted={"pages": Adopted("wiki", "hash-64", vector="meaning")}) as store:
        with pytest.raises(UpstreamRefused, match=r"has no vector `meaning`.*Its vectors are: `` \(Cosine\)"):
            await store.open("pages")


async def test_fields_that_two_declare_at_once_are_both_kept(fake: FakeQdrant, store: QdrantStore) -> None:
    first = await store.create("docs", MANIFEST)
    second = await store.create("docs", MANIFEST)
    await first.declare({"kind": "keyword"})
    await second.declare({"year": "integer"})
    found = await store.open("docs")
    assert found is not None
    assert dict(found.manifest.fields) == {"kind": "keyword", "year": "integer"}
    assert len(fake.asked("PUT /collections/docs")) == 2
    assert set(FIELDS) > set(found.manifest.fields)


async def test_what_has_changed_in_a_collection_of_others_has_another_digest(foreign: FakeQdrant) -> None:
    async with opened(foreign.url, adopted={"pages": WIKI}) as store:
        pages = await store.open("pages")
        assert pages is not None
        before = [one.digest for one in await pages.documents(EVERYTHING, "", 9)]
        assert len(set(before)) == len(before)
        point = foreign.collections["wiki"].points[7]
        for change in ({"name": "Other"}, {"body": {"text": "other"}}, {"meta": {"lang": "fr"}}):
            kept = dict(point.payload)
            point.payload.update(change)
            assert (await pages.documents(EVERYTHING, "", 9))[0].digest != before[0]
            point.payload.clear()
            point.payload.update(kept)
        point.dense[""] = -point.dense[""]
        assert (await pages.documents(EVERYTHING, "", 9))[0].digest != before[0]


async def test_an_id_that_qdrant_has_not_is_of_no_document(foreign: FakeQdrant) -> None:
    async with opened(foreign.url, adopted={"pages": WIKI}) as store:
        pages = await store.open("pages")
        assert pages is not None
        for odd in ("handbook", "99999", "9" * 30, "\u0667", ""):
            assert await pages.passages("", odd) == []
            assert await pages.fetch("", [(odd, 0)]) == []
