"""The store in Postgres: exact where it says so, whole documents or none, no SQL but its own."""

import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import anyio
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integration.vector.databases import DATABASES, asyncpg, run, value
from integration.vector.samples import MANIFEST, WORDS, corpus, document, filled
from ringmain_core.errors import DeadlineExceeded, UpstreamRefused, UpstreamUnavailable
from ringmain_core.upstream.guards import Guards
from ringmain_vector.domain import Condition, Document, Passage, Scored, Value, Where
from ringmain_vector.embedders.hashed import HashEmbedder
from ringmain_vector.lexical import query_terms
from ringmain_vector.stores.memory import MemoryCollection, MemoryStore
from ringmain_vector.stores.pgvector import PgVectorCollection, PgVectorStore
from ringmain_vector.stores.pgvector_adopted import AdoptedTable, Adoption
from ringmain_vector.stores.pgvector_connections import Limits

pytestmark = pytest.mark.anyio

KILL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'relation'"
COUNTED = """
    SELECT count(*) FROM (
        SELECT term, count(*) AS passages FROM ringmain_vector.postings_1 GROUP BY term
        UNION ALL SELECT -1, count(*) FROM ringmain_vector.passages_1
    ) real FULL JOIN (SELECT * FROM ringmain_vector.frequencies_1 WHERE passages <> 0) kept USING (term)
    WHERE real.passages IS DISTINCT FROM kept.passages
"""
"""How many counts are not what they should be."""


@pytest.fixture
async def url() -> str:
    return await DATABASES.fresh()


@pytest.fixture
async def store(url: str) -> AsyncGenerator[PgVectorStore]:
    async with opened(url) as it:
        yield it


@pytest.fixture
async def collection(store: PgVectorStore) -> PgVectorCollection:
    return await store.create("docs", MANIFEST)


@asynccontextmanager
async def opened(
    url: str, limits: Limits | None = None, index_above: int = 20_000, guards: Guards | None = None
) -> AsyncGenerator[PgVectorStore]:
    store = PgVectorStore(url, guards, limits, index_above=index_above)
    try:
        yield store
    finally:
        await store.close()


def name_of(url: str) -> str:
    """Of the database."""
    return url.partition("@/")[2].partition("?")[0]


def as_rounded(found: Sequence[Scored]) -> dict[tuple[str, int], float]:
    return {one.key: round(one.score, 5) for one in found}


async def many(collection: PgVectorCollection, count: int, rare: int) -> MemoryCollection:
    """Passages with random vectors, every `rare`th of the kind `rare`; the same in memory."""
    chance = np.random.default_rng(5)
    simple = await MemoryStore().create("docs", MANIFEST)
    await collection.declare({"kind": "keyword"})
    for start in range(0, count, 100):
        vectors = chance.normal(size=(100, MANIFEST.dimension)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        for batch in range(2):
            kind = "rare" if batch == 0 else "usual"
            mine = [at for at in range(100) if ((start + at) % rare == 0) == (batch == 0)]
            made = Document(f"{start:05d}-{kind}", "", "", "", str(start), 1, len(mine), {"kind": kind})
            passages = [Passage(made, at, f"text {at}", at, {}, vectors[at]) for at in mine]
            await collection.replace(made, passages)
            await simple.replace(made, passages)
    return simple


async def test_scores_are_those_of_the_store_in_memory(collection: PgVectorCollection) -> None:
    simple = cast("MemoryCollection", await filled(await MemoryStore().create("docs", MANIFEST)))
    await filled(collection)
    chance = random.Random(3)  # noqa: S311 (the same queries each time)
    for _ in range(30):
        text = " ".join(chance.choices(WORDS, k=chance.randint(1, 6)))
        vector, terms = await HashEmbedder().query(text), query_terms(text)
        for where in (Where(), Where("other"), Where(conditions=(Condition("year", least=2023),))):
            ours = await collection.dense(vector, 1_000, where, exact=False)
            assert as_rounded(ours) == pytest.approx(
                as_rounded(await simple.dense(vector, 1_000, where, exact=True)), abs=1.1e-5
            )
            ours = await collection.lexical(terms, 1_000, where)
            assert as_rounded(ours) == pytest.approx(
                as_rounded(await simple.lexical(terms, 1_000, where)), abs=1.1e-5
            )
            assert [one.score for one in ours] == sorted((one.score for one in ours), reverse=True)


# -- Filters --

LONG = "long " * 70
VALUES: list[Value] = [
    True, False, 1, 0, 1.0, 1.5, -3, 10**17, 10**17 + 1, 1e17, 1e300, -0.0, "1", "true", "", "größe",
    'a"b\\c', "it's", LONG + "a", LONG + "b", "%", "null", "\u2028\x01",
]  # fmt: skip
ODD_FIELDS = ["kind", "it's", 'a"b', "$1", "x') OR true --", "größe", "{passages}", "%s%L"]

conditions = st.builds(
    Condition,
    st.sampled_from([*ODD_FIELDS, "nowhere", "\0"]),
    any_of=st.lists(st.sampled_from([*VALUES, "\0", "\ud800", float("inf")]), min_size=1, max_size=3),
    negated=st.booleans(),
) | st.builds(
    Condition,
    st.sampled_from(ODD_FIELDS),
    least=st.sampled_from([None, 0, 1, 1.5, 10**17 + 1, 1e17, float("-inf"), float("nan")]),
    most=st.sampled_from([None, 0, 1, 10**17, 1e300, float("inf"), float("nan")]),
    least_counts=st.booleans(),
    most_counts=st.booleans(),
    negated=st.booleans(),
)


@pytest.fixture(scope="module")
async def mixed() -> AsyncGenerator[tuple[PgVectorCollection, list[Document]]]:
    """Documents with every value, in fields of odd names."""
    async with opened(await DATABASES.fresh()) as store:
        collection = await store.create("docs", MANIFEST)
        await collection.declare(dict.fromkeys(ODD_FIELDS, "keyword"))
        chance = random.Random(1)  # noqa: S311 (the same documents each time)
        kept: list[Document] = []
        for number, one in enumerate([*VALUES, *VALUES, *VALUES]):
            metadata = {chance.choice(ODD_FIELDS): chance.choice(VALUES), chance.choice(ODD_FIELDS): one}
            made, passages = await document(number, ["a cache"], metadata=metadata)
            await collection.replace(made, passages)
            kept.append(made)
        yield collection, kept


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=st.lists(conditions, min_size=1, max_size=2))
async def test_filters_let_through_what_conditions_say(
    mixed: tuple[PgVectorCollection, list[Document]], wanted: list[Condition]
) -> None:
    collection, kept = mixed
    where = Where(conditions=wanted)
    found = await collection.documents(where, "", 1_000)
    assert [one.id for one in found] == [one.id for one in kept if where.holds(one)]


async def test_metadata_come_back_as_they_were_given(
    mixed: tuple[PgVectorCollection, list[Document]],
) -> None:
    collection, kept = mixed
    found = await collection.documents(Where(), "", 1_000)
    assert [repr(one.metadata) for one in found] == [repr(one.metadata) for one in kept]


async def test_a_declared_field_is_found_by_its_index(url: str) -> None:
    await run(url, f"ALTER DATABASE {name_of(url)} SET enable_seqscan = off")
    async with opened(url) as store:
        collection = await store.create("docs", MANIFEST)
        await collection.declare({"it's": "keyword", "year": "integer"})
        for number in range(30):
            metadata: dict[str, Value] = {"it's": f"kind {number}", "year": number}
            await collection.replace(*await document(number, ["cache"], metadata=metadata))
        vector = await HashEmbedder().query("cache")
        for condition in (Condition("it's", ("kind 7",)), Condition("year", least=7, most=7)):
            (found,) = await collection.dense(vector, 9, Where(conditions=[condition]), exact=True)
            assert found.document_id == "doc-0007"
    used = "SELECT count(*) FROM pg_stat_user_indexes WHERE indexrelname LIKE 'field%' AND idx_scan > 0"
    assert await value(url, used) == 2


async def test_a_word_too_long_for_an_index_is_kept_and_found(collection: PgVectorCollection) -> None:
    await collection.declare({"kind": "keyword"})
    endless = "".join(str(number) for number in range(3_000))
    made, passages = await document(1, ["cache"], metadata={"kind": endless})
    await collection.replace(made, passages)
    for wanted, found in ((endless, [made]), (endless[:-1], [])):
        where = Where(conditions=[Condition("kind", (wanted,))])
        assert await collection.documents(where, "", 9) == found


# -- The index of vectors --


SCANS = "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'vectors_1'"


@pytest.fixture(scope="module")
async def indexed() -> AsyncGenerator[tuple[str, MemoryCollection]]:
    """2,000 passages, 2% of which are rare, with an index of their vectors."""
    url = await DATABASES.fresh()
    async with opened(url, index_above=1_000) as store:
        collection = await store.create("docs", MANIFEST)
        simple = await many(collection, 2_000, rare=50)
        assert (await collection.stats("")).notes == [
            "The index of vectors is missing: each search looks at all passages until it is built."
        ]
        await collection.optimize()
        await collection.optimize()
        assert (await collection.stats("")).notes == []
        yield url, simple


@pytest.mark.parametrize(
    ("plan", "uses_index"),
    [
        ("SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off", True),
        ("SET enable_seqscan = off; SET enable_sort = off; SET hnsw.max_scan_tuples = 1", True),
        ("SET enable_seqscan = off; SET enable_indexscan = off", False),
    ],
    ids=["by the index", "by an index that gives up", "by a bitmap"],
)
async def test_a_filter_that_lets_little_through_gets_all_that_is_asked_for(
    indexed: tuple[str, MemoryCollection], plan: str, uses_index: bool
) -> None:
    url, simple = indexed
    database = name_of(url)
    before = await value(url, SCANS)
    await run(url, "".join(f"ALTER DATABASE {database} {one};" for one in plan.split("; ")))
    try:
        async with opened(url, index_above=10) as store:  # few enough would be compared, all of them
            collection = await store.open("docs")
            assert collection is not None
            where = Where(conditions=[Condition("kind", ("rare",))])
            vector = await HashEmbedder().query("cold cache")
            found = await collection.dense(vector, 10, where, exact=False)
            exact = await simple.dense(vector, 10, where, exact=True)
            assert len(found) == 10
            assert len(as_rounded(found).keys() & as_rounded(exact).keys()) >= (9 if uses_index else 10)
            assert len(await collection.dense(vector, 60, where, exact=False)) == 40
            assert as_rounded(await collection.dense(vector, 10, where, exact=True)) == pytest.approx(
                as_rounded(exact), abs=1.1e-5
            )
    finally:
        await run(url, f"ALTER DATABASE {database} RESET ALL")
    assert (await value(url, SCANS) > before) is uses_index


async def test_by_the_index_98_of_100_hits_are_the_nearest(
    indexed: tuple[str, MemoryCollection],
) -> None:
    url, simple = indexed
    database = name_of(url)
    chance = np.random.default_rng(6)
    shared = hits = 0
    before = await value(url, SCANS)
    await run(url, f"ALTER DATABASE {database} SET enable_seqscan = off")
    await run(url, f"ALTER DATABASE {database} SET enable_sort = off")
    try:
        async with opened(url, index_above=1_000) as store:
            collection = await store.open("docs")
            assert collection is not None
            for conditions in ((), (Condition("kind", ("usual",)),), (Condition("kind", ("rare",)),)):
                for _ in range(20):
                    vector = chance.normal(size=MANIFEST.dimension).astype(np.float32)
                    vector /= np.linalg.norm(vector)
                    where = Where(conditions=conditions)
                    found = await collection.dense(vector, 10, where, exact=False)
                    exact = await simple.dense(vector, 10, where, exact=True)
                    shared += len({one.key for one in found} & {one.key for one in exact})
                    hits += len(exact)
    finally:
        await run(url, f"ALTER DATABASE {database} RESET ALL")
    assert await value(url, SCANS) >= before + 40  # the rare ones are few enough to be compared
    assert hits == 600
    assert shared >= 0.98 * hits


async def test_few_passages_get_no_index(collection: PgVectorCollection, url: str) -> None:
    await filled(collection, 5)
    await collection.optimize()
    assert await value(url, "SELECT to_regclass('ringmain_vector.vectors_1')") is None


async def test_vectors_too_long_for_an_index_are_found_without(url: str) -> None:
    async with opened(url, index_above=0) as store:
        collection = await store.create("docs", replace(MANIFEST, dimension=2_500))
        made, passages = await document(1, ["cache"])
        vector = np.zeros(2_500, dtype=np.float32)
        vector[7] = 1.0
        await collection.replace(made, [replace(passages[0], vector=vector)])
        await collection.optimize()
        (found,) = await collection.dense(vector, 3, Where(), exact=False)
        assert found.score == pytest.approx(1.0)
        assert "no index" in (await collection.stats("")).notes[0]


# -- Whole documents or none --


async def test_of_many_who_replace_one_document_one_wins(collection: PgVectorCollection, url: str) -> None:
    async def put(version: int) -> None:
        texts = [f"version{version} cache {at}" for at in range(version + 1)]
        await collection.replace(*await document(1, texts))

    async with anyio.create_task_group() as tasks:
        for version in range(12):
            tasks.start_soon(put, version % 6)
    found = await collection.passages("", "doc-0001")
    (version,) = {one.text.split()[0] for one in found}
    assert len(found) == found[0].document.passages == int(version.removeprefix("version")) + 1
    assert await value(url, COUNTED) == 0


async def test_writers_of_the_same_words_do_not_stand_in_each_others_way(
    collection: PgVectorCollection, url: str
) -> None:
    made = await corpus(24)

    async def put(at: int) -> None:
        for one, passages in made[at::6] * 2:
            await collection.replace(one, passages)
        await collection.delete(made[at][0].tenant, [made[at][0].id])

    async with anyio.create_task_group() as tasks:
        for at in range(6):
            tasks.start_soon(put, at)
    assert await value(url, COUNTED) == 0


async def test_a_connection_that_breaks_amid_a_replace_leaves_the_old_document(
    collection: PgVectorCollection, url: str
) -> None:
    old = await document(1, ["the old cache", "as it was"])
    await collection.replace(*old)
    async with locked(url, "frequencies_1"), anyio.create_task_group() as tasks:
        tasks.start_soon(expect, UpstreamUnavailable, collection, await document(1, ["the new cache"]))
        await until(url, KILL)
    assert [one.text for one in await collection.passages("", "doc-0001")] == ["the old cache", "as it was"]
    assert await value(url, COUNTED) == 0
    await collection.replace(*await document(1, ["the newest cache"]))
    assert [one.text for one in await collection.passages("", "doc-0001")] == ["the newest cache"]


async def test_behind_a_guard_a_replace_that_broke_is_tried_again(url: str) -> None:
    async with opened(url, guards=Guards()) as store, anyio.create_task_group() as tasks:
        collection = await store.create("docs", MANIFEST)
        async with locked(url, "frequencies_1"):
            tasks.start_soon(collection.replace, *await document(1, ["the new cache"]))
            await until(url, KILL)
        await until(url, "SELECT count(*) FROM ringmain_vector.documents_1")
        assert await value(url, COUNTED) == 0


async def test_a_statement_that_takes_too_long_is_stopped(url: str) -> None:
    async with opened(url, Limits(connections=1, statement=0.2)) as store:
        collection = await store.create("docs", MANIFEST)
        await collection.replace(*await document(1, ["the old cache"]))
        async with locked(url, "postings_1"):
            await expect(DeadlineExceeded, collection, await document(1, ["the new cache"]))
            with pytest.raises(DeadlineExceeded):
                await collection.lexical(query_terms("cache"), 3, Where())
        (found,) = await collection.lexical(query_terms("cache"), 3, Where())
        assert (found.document_id, await value(url, COUNTED)) == ("doc-0001", 0)


async def test_a_caller_who_goes_away_leaves_no_connection_unusable(url: str) -> None:
    async with opened(url, Limits(connections=1)) as store:
        collection = await store.create("docs", MANIFEST)
        async with locked(url, "frequencies_1"):
            with anyio.move_on_after(0.1):
                await collection.replace(*await document(1, ["cache"]))
        assert await collection.documents(Where(), "", 9) == []
        await collection.replace(*await document(1, ["cache"]))
        assert (await collection.stats("")).documents == 1


@asynccontextmanager
async def locked(url: str, table: str) -> AsyncGenerator[None]:
    """Nobody else gets at a table."""
    connection: Any = await asyncpg.connect(url)
    try:
        await connection.execute(f"BEGIN; LOCK TABLE ringmain_vector.{table}")
        yield
    finally:
        await connection.close()


async def expect(
    error: type[Exception], collection: PgVectorCollection, made: tuple[Document, list[Passage]]
) -> None:
    with pytest.raises(error):
        await collection.replace(*made)


async def until(url: str, sql: str) -> None:
    with anyio.fail_after(5):
        while not await value(url, sql):  # noqa: ASYNC110 (nothing tells when another session waits)
            await anyio.sleep(0.01)


# -- Set-up --


async def test_who_only_looks_sets_nothing_up(store: PgVectorStore, url: str) -> None:
    assert await store.names() == []
    assert await store.open("docs") is None
    assert await value(url, "SELECT count(*) FROM pg_namespace WHERE nspname = 'ringmain_vector'") == 0


async def test_several_set_up_at_once(url: str) -> None:
    async def create(number: int) -> None:
        async with opened(url) as store:
            made = await store.create("docs", MANIFEST)
            await made.replace(*await document(number, ["cache"]))

    async with anyio.create_task_group() as tasks:
        for number in range(4):
            tasks.start_soon(create, number)
    async with opened(url) as store:
        collection = await store.open("docs")
        assert collection is not None
        assert (await collection.stats("")).documents == 4


async def test_pgvector_can_be_in_any_schema(url: str, store: PgVectorStore) -> None:
    await run(url, 'CREATE SCHEMA "Odd ones"; CREATE EXTENSION vector SCHEMA "Odd ones"')
    collection = await store.create("docs", MANIFEST)
    await collection.replace(*await document(1, ["cold cache"]))
    (found,) = await collection.dense(await HashEmbedder().query("cold cache"), 3, Where(), exact=False)
    assert found.score == pytest.approx(1.0, abs=1e-5)


async def test_who_may_only_read_can_search(url: str, store: PgVectorStore) -> None:
    await filled(await store.create("docs", MANIFEST), 10)
    name = name_of(url)
    await run(
        url,
        f"CREATE ROLE reader_{name} LOGIN; GRANT USAGE ON SCHEMA ringmain_vector TO reader_{name};"
        f"GRANT SELECT ON ALL TABLES IN SCHEMA ringmain_vector TO reader_{name}",
    )
    try:
        async with opened(DATABASES.url(name, f"reader_{name}")) as reading:
            collection = await reading.open("docs")
            assert collection is not None
            assert await collection.lexical(query_terms("cold cache"), 3, Where())
            with pytest.raises(UpstreamRefused, match="role may not do that"):
                await collection.delete("", ["doc-0001"])
    finally:
        await run(url, f"DROP OWNED BY reader_{name}; DROP ROLE reader_{name}")


async def test_who_may_not_add_the_extension_is_told_who_has_to(url: str) -> None:
    name = name_of(url)
    await run(url, f"CREATE ROLE plain_{name} LOGIN")
    try:
        async with opened(DATABASES.url(name, f"plain_{name}")) as store:
            with pytest.raises(
                UpstreamRefused, match="Ask the owner of the database to run `CREATE EXTENSION"
            ):
                await store.create("docs", MANIFEST)
    finally:
        await run(url, f"DROP ROLE plain_{name}")


async def test_what_a_newer_version_has_made_is_left_alone(url: str, store: PgVectorStore) -> None:
    await store.create("docs", MANIFEST)
    await run(url, "UPDATE ringmain_vector.manifests SET format = 2")
    with pytest.raises(UpstreamRefused, match="is kept in format 2; this version reads 1"):
        await store.open("docs")


@pytest.mark.parametrize("guarded", [False, True])
async def test_a_database_that_is_not_there_is_said_to_be_unavailable(guarded: bool) -> None:
    guards = Guards() if guarded else None
    async with opened("postgresql://127.0.0.1:1/none?user=x", guards=guards) as store:
        with pytest.raises(UpstreamUnavailable):
            await store.names()


# -- Tables of others --

ARTICLES = """
    CREATE EXTENSION vector; CREATE SCHEMA "Their's";
    CREATE TABLE "Their's"."the ""articles" (
        "no" integer PRIMARY KEY, body text, link text, "Team" text, year integer, tags jsonb,
        means vector(64), half halfvec(64)
    )
"""
ADOPTED = Adoption(
    replace(MANIFEST, fields={"year": "integer"}),
    table="Their's.the \"articles",
    id="no",
    text="body",
    vector="means",
    title="link",
    uri="link",
    metadata=("year", "Team", "tags"),
    tenant="Team",
)


@asynccontextmanager
async def adopting(url: str, adoption: Adoption) -> AsyncGenerator[AdoptedTable]:
    store = PgVectorStore(url, adopted={"theirs": adoption})
    try:
        assert await store.names() == ["theirs"]
        found = await store.open("theirs")
        assert isinstance(found, AdoptedTable)
        with pytest.raises(UpstreamRefused, match="Choose another"):
            await store.create("theirs", MANIFEST)
        yield found
    finally:
        await store.close()


@pytest.fixture
async def articles(url: str) -> str:
    """Articles of two teams; those of the first five years have no team."""
    connection: Any = await asyncpg.connect(url)
    await connection.execute(ARTICLES)
    for number in range(20):
        text = f"cold cache {WORDS[number]}"
        vector = str(((await HashEmbedder().query(text)) * 3).tolist())
        team = None if number < 5 else "ab"[number % 2]
        await connection.execute(
            """INSERT INTO "Their's"."the ""articles" VALUES
            ($1, $2, $3, $4, $5, $6, $7::text::vector, $7::text::halfvec)""",
            number, text, f"https://x/{number}", team, 2000 + number, '{"a": [1]}', vector,
        )  # fmt: skip
    await connection.close()
    return url


@pytest.mark.parametrize("column", ["means", "half"])
async def test_a_table_of_others_is_searched_as_it_is(articles: str, column: str) -> None:
    vector = await HashEmbedder().query(f"cold cache {WORDS[8]}")
    async with adopting(articles, replace(ADOPTED, vector=column)) as table:
        (best, *others) = await table.dense(vector, 10, Where("a"), exact=column == "half")
        assert (best.key, round(best.score, 3), len(others)) == (("8", 0), 1.0, 6)
        later = Where("a", [Condition("year", least=2009)])
        assert {one.document_id for one in await table.dense(vector, 9, later, exact=False)} == {
            "10", "12", "14", "16", "18",
        }  # fmt: skip
        (passage,) = await table.fetch("a", [best.key, ("8", 1), ("9", 0)])
        assert (passage.text, passage.document.uri) == (f"cold cache {WORDS[8]}", "https://x/8")
        assert passage.document.metadata == {"year": 2008, "Team": "a"}
        listed = await table.documents(Where("a"), "12", 2)
        assert [one.id for one in listed] == ["14", "16"]
        (whole,) = await table.passages("a", "8", whole=True)
        assert whole.vector is not None
        assert float(whole.vector @ vector) == pytest.approx(1.0, abs=1e-3)
        assert await table.tenants() == ["a", "b"]
        assert await table.lexical(query_terms("cache"), 9, Where("a")) == []
        stats = await table.stats("a")
        assert (stats.documents, stats.passages) == (7, 7)
        assert "only its vectors are searched" in stats.notes[0]


async def test_a_table_without_tenants_is_nobodys(articles: str) -> None:
    async with adopting(articles, replace(ADOPTED, tenant=None, metadata="tags")) as table:
        assert (await table.stats("")).documents == 20
        assert (await table.stats("a")).documents == 0
        assert await table.dense(await HashEmbedder().query("cache"), 9, Where("a"), exact=False) == []


async def test_a_table_of_others_is_not_written(articles: str) -> None:
    async with adopting(articles, ADOPTED) as table:
        made, passages = await document(1, ["cache"])
        for attempt in (table.replace(made, passages), table.delete("a", ["8"]), table.declare({})):
            with pytest.raises(UpstreamRefused, match="only searched"):
                await attempt


@pytest.mark.parametrize(
    ("adoption", "said"),
    [
        (replace(ADOPTED, table="articles"), "with its schema"),
        (replace(ADOPTED, table="public.articles"), 'no table "public"."articles"'),
        (replace(ADOPTED, text='body" FROM pg_authid --'), "has no column body"),
        (replace(ADOPTED, vector="body"), "is a text, not a vector"),
    ],
)
async def test_what_a_table_lacks_is_told(articles: str, adoption: Adoption, said: str) -> None:
    with pytest.raises(UpstreamRefused, match=said):
        async with adopting(articles, adoption):
            pass


# -- Nobody's SQL --


async def test_names_of_tenants_documents_and_collections_are_only_names(
    store: PgVectorStore,
) -> None:
    for odd in ("'; DROP SCHEMA ringmain_vector CASCADE; --", "$1", "{documents}", 'x" y', "\\", "%L"):
        collection = await store.create(odd, MANIFEST)
        made, passages = await document(1, ["cold cache"], odd)
        made = replace(made, id=odd)
        await collection.replace(made, [replace(one, document=made) for one in passages])
        assert await collection.documents(Where(odd), "", 9) == [made]
        assert await collection.documents(Where(), "", 9) == []
        assert [one.document for one in await collection.fetch(odd, [(odd, 0)])] == [made]
        assert await collection.delete(odd, [odd, "'"]) == 1
    assert len(await store.names()) == 6


async def test_what_postgres_cannot_keep_is_refused(collection: PgVectorCollection) -> None:
    for odd in ("a\0b", "a\ud800b"):
        made, passages = await document(1, ["cache"])
        with pytest.raises(UpstreamRefused):
            await collection.replace(made, [replace(passages[0], text=odd)])
        with pytest.raises(UpstreamRefused):
            await collection.documents(Where(odd), "", 9)
    assert (await collection.stats("")).documents == 0
