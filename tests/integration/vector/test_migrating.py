"""A collection that moves to another store is the same there, and nothing is embedded again."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import pytest

from integration.vector.databases import DATABASES, run
from integration.vector.samples import FILTERS, MANIFEST, QUERIES, corpus, document, filled
from ringmain_core.errors import NotFound
from ringmain_vector.domain import Where
from ringmain_vector.embedders.hashed import HashEmbedder
from ringmain_vector.migrating import Moved, StoresDiffer, migrate
from ringmain_vector.searching import Search, search
from ringmain_vector.stores.base import Collection, Store
from ringmain_vector.stores.memory import MemoryStore
from ringmain_vector.stores.pgvector import PgVectorStore
from ringmain_vector.stores.pgvector_adopted import Adoption

pytestmark = pytest.mark.anyio


@pytest.fixture
async def url() -> str:
    return await DATABASES.fresh()


@pytest.fixture
async def postgres(url: str) -> AsyncGenerator[PgVectorStore]:
    store = PgVectorStore(url)
    yield store
    await store.close()


async def quietly(_done: int, _total: int) -> None:
    """Whoever does not look."""


async def memory(count: int = 60) -> MemoryStore:
    store = MemoryStore()
    await filled(await store.create("docs", MANIFEST), count)
    return store


async def docs(store: Store) -> Collection:
    collection = await store.open("docs")
    assert collection is not None
    return collection


async def contents(store: Store) -> list[Any]:
    """Everything there is in a collection, for comparison."""
    collection = await docs(store)
    found: list[Any] = [collection.manifest]
    for tenant in await collection.tenants():
        for one in await collection.documents(Where(tenant), "", 1_000):
            passages = await collection.passages(tenant, one.id, whole=True)
            found.append((one, [(p.number, p.text, p.start, p.terms, p.vector.tolist()) for p in passages]))  # pyright: ignore[reportOptionalMemberAccess]
    return found


async def test_there_and_back_nothing_has_changed(postgres: PgVectorStore) -> None:
    first, last = await memory(), MemoryStore()
    told: list[tuple[int, int]] = []

    async def progress(done: int, total: int) -> None:
        told.append((done, total))

    passages = sum(len(parts) for _, parts in await corpus(60))
    assert await migrate(first, postgres, "docs", progress=progress) == Moved(60, 0, passages, 36)
    assert told == [(done, 60) for done in range(1, 61)]
    assert await migrate(postgres, last, "docs", progress=quietly) == Moved(60, 0, passages, 36)
    assert await contents(last) == await contents(first) == await contents(postgres)
    for where in FILTERS:
        for query in QUERIES:
            asked = Search(query, where, 10)
            one, other = [
                await search(await docs(store), HashEmbedder(), asked, passages=200)
                for store in (postgres, last)
            ]
            assert [hit.passage for hit in one.hits] == [hit.passage for hit in other.hits]


async def test_what_was_interrupted_goes_on(postgres: PgVectorStore) -> None:
    first = await memory()

    async def no_further(done: int, _total: int) -> None:
        if done == 20:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        await migrate(first, postgres, "docs", progress=no_further)
    changed, passages = await document(1, ["it was changed meanwhile"])
    await (await docs(first)).replace(changed, passages)
    moved = await migrate(first, postgres, "docs", progress=quietly)
    assert (moved.copied, moved.skipped) == (41, 19)
    assert (await contents(first)) == (await contents(postgres))


async def test_there_has_to_be_something_to_move(postgres: PgVectorStore) -> None:
    with pytest.raises(NotFound, match="no collection `docs` in the memory store"):
        await migrate(MemoryStore(), postgres, "docs", progress=quietly)
    assert await postgres.names() == []


async def test_a_collection_made_otherwise_is_left_alone(postgres: PgVectorStore) -> None:
    await postgres.create("docs", replace(MANIFEST, model="another"))
    with pytest.raises(StoresDiffer, match=r"made otherwise: .*model='another'"):
        await migrate(await memory(3), postgres, "docs", progress=quietly)


async def test_a_field_of_another_type_is_another_manifest(postgres: PgVectorStore) -> None:
    await (await postgres.create("docs", MANIFEST)).declare({"year": "keyword"})
    with pytest.raises(StoresDiffer, match="made otherwise"):
        await migrate(await memory(3), postgres, "docs", progress=quietly)


@pytest.mark.parametrize("tenant", ["", "stranger"])
async def test_a_document_that_only_the_target_has_is_told(postgres: PgVectorStore, tenant: str) -> None:
    await (await postgres.create("docs", MANIFEST)).replace(*await document(9_999, ["cache"], tenant))
    with pytest.raises(StoresDiffer, match="`doc-9999` is in the target only"):
        await migrate(await memory(9), postgres, "docs", progress=quietly)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("UPDATE documents_1 SET digest = 'x' WHERE id = 'doc-0002'", "`doc-0002` is not the same in both"),
        (
            "DELETE FROM passages_1 WHERE document = 3; DELETE FROM documents_1 WHERE key = 3",
            "`doc-0002` is in the source only",
        ),
        ("DELETE FROM passages_1 WHERE number = 4", "The source has 18 documents and"),
        (
            "UPDATE passages_1 SET embedding = (SELECT embedding FROM passages_1 LIMIT 1)",
            "nearest to the passage",
        ),
        ("UPDATE postings_1 SET weight = weight + 0.01", "with the words of the passage"),
        ("UPDATE frequencies_1 SET passages = 2 WHERE term > 0", "with the words of the passage"),
    ],
)
async def test_a_target_that_is_not_the_same_is_told(
    url: str, postgres: PgVectorStore, damage: str, said: str
) -> None:
    async def progress(done: int, total: int) -> None:
        if done == total:
            await run(url, f"SET search_path = ringmain_vector, public; {damage}")

    with pytest.raises(StoresDiffer, match=said):
        await migrate(await memory(20), postgres, "docs", progress=progress)


async def test_an_adopted_table_moves_with_its_vectors(url: str) -> None:
    await run(url, "CREATE EXTENSION vector; CREATE TABLE articles (id text, body text, meaning vector(64))")
    adoption = Adoption(MANIFEST, "public.articles", "id", "body", "meaning")
    store = PgVectorStore(url, adopted={"docs": adoption})
    for number, (made, passages) in enumerate(await corpus(20)):
        assert passages[0].vector is not None
        vector = (passages[0].vector * (number + 1)).tolist()
        text = passages[0].text.replace("'", "''")
        await run(url, f"INSERT INTO articles VALUES ('{made.id}', '{text}', '{vector}')")
    target = MemoryStore()
    moved = await migrate(store, target, "docs", progress=quietly)
    await store.close()
    assert (moved.copied, moved.searches) == (20, 12)
    found = await search(await docs(target), HashEmbedder(), Search("cold cache", Where(), 5), passages=20)
    assert found.hits[0].lexical is not None


@pytest.mark.parametrize(
    "change",
    [
        "body = 'changed'",
        "title = 'changed'",
        "kind = 'changed'",
        "meaning = (SELECT meaning FROM articles WHERE id = 'doc-0004')",
    ],
)
async def test_what_has_changed_in_an_adopted_table_is_copied_again(url: str, change: str) -> None:
    await run(
        url,
        "CREATE EXTENSION vector;"
        "CREATE TABLE articles (id text, body text, title text, kind text, meaning vector(64))",
    )
    adoption = Adoption(MANIFEST, "public.articles", "id", "body", "meaning", "title", metadata=("kind",))
    store = PgVectorStore(url, adopted={"docs": adoption})
    for made, passages in await corpus(9):
        assert passages[0].vector is not None
        text, vector = passages[0].text.replace("'", "''"), passages[0].vector.tolist()
        await run(url, f"INSERT INTO articles VALUES ('{made.id}', '{text}', 'x', 'y', '{vector}')")
    target = MemoryStore()
    await migrate(store, target, "docs", progress=quietly)
    await run(url, f"UPDATE articles SET {change} WHERE id = 'doc-0002'")
    moved = await migrate(store, target, "docs", progress=quietly)
    await store.close()
    assert (moved.copied, moved.skipped) == (1, 8)
