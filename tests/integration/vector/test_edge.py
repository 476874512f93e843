"""The embedded store: the simple one's answers, whatever happens to its processes and files."""

import json
import os
import random
import stat
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import anyio
import numpy as np
import numpy.typing as npt
import pytest

from integration.vector.edge_process import DOCUMENTS, revision
from integration.vector.samples import FIELDS, MANIFEST, WORDS, corpus, document, filled
from ringmain_core.errors import InvalidArguments, UpstreamRefused, UpstreamUnavailable
from ringmain_vector.domain import Condition, Document, Passage, Scored, Where
from ringmain_vector.embedders.hashed import HashEmbedder
from ringmain_vector.lexical import query_terms
from ringmain_vector.stores import edge as edge_module
from ringmain_vector.stores.base import Collection
from ringmain_vector.stores.edge import EdgeCollection, EdgeStore
from ringmain_vector.stores.edge_lease import Lease, Times
from ringmain_vector.stores.edge_lock import ProcessLock
from ringmain_vector.stores.edge_shard import Shard
from ringmain_vector.stores.memory import MemoryStore

pytestmark = pytest.mark.anyio

TESTS = Path(__file__).parents[2]
QUICK = Times(hold=0.05)
CONDITIONS: list[tuple[Condition, ...]] = [
    (),
    (Condition("kind", ("note",)),),
    (Condition("kind", ("note", "mail")), Condition("draft", (True,))),
    (Condition("kind", ("note",), negated=True),),
    (Condition("year", (2021, 2024)),),
    (Condition("year", (2021.0,)),),
    (Condition("year", (True,)),),
    (Condition("draft", (1,)),),
    (Condition("draft", (True,), negated=True),),
    (Condition("year", least=2022),),
    (Condition("year", least=2022, least_counts=False),),
    (Condition("year", most=2023, most_counts=False),),
    (Condition("year", least=2021.5, most=2023.5),),
    (Condition("year", least=2024, most=2021),),
    (Condition("year", least=2022, negated=True),),
    (Condition("year"),),
    (Condition("weight", least=0.25, most=0.75, most_counts=False), Condition("year", most=10**400)),
    (Condition("kind", least=1),),
    (Condition("missing", ("x",)),),
    (Condition("missing", ("x",), negated=True),),
    (Condition('a."b"[0] %', ("x",)),),
]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncGenerator[EdgeStore]:
    opened = EdgeStore(tmp_path / "vectors", QUICK)
    yield opened
    await opened.close()


@pytest.fixture
async def collection(store: EdgeStore) -> EdgeCollection:
    return await store.create("docs", MANIFEST)


@contextmanager
def process(*arguments: object) -> Generator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "integration.vector.edge_process", *map(str, arguments)]
    with subprocess.Popen(command, cwd=TESTS, stdout=subprocess.PIPE, text=True) as running:
        try:
            yield running
        finally:
            running.kill()


def line(of: "subprocess.Popen[str]") -> str:
    assert of.stdout is not None
    return of.stdout.readline().strip()


async def all_scores(of: Collection, query: str, where: Where) -> list[dict[tuple[str, int], float]]:
    def by_key(found: list[Scored]) -> dict[tuple[str, int], float]:
        assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
        return {one.key: one.score for one in found}

    vector = await HashEmbedder().query(query)
    return [
        by_key(await of.dense(vector, 1_000, where, exact=True)),
        by_key(await of.dense(vector, 1_000, where, exact=False)),
        by_key(await of.lexical(query_terms(query), 1_000, where)),
    ]


async def test_fields_that_are_declared_while_others_look_are_not_lost(store: EdgeStore) -> None:
    await store.create("docs", MANIFEST)
    done = anyio.Event()

    async def look() -> None:
        while not done.is_set():
            await store.open("docs")

    async def declare(writer: int) -> None:
        for number in range(20):
            found = await store.open("docs")
            assert found is not None
            await found.declare({f"f{writer}_{number}": "keyword"})

    async with anyio.create_task_group() as looking:
        for _ in range(3):
            looking.start_soon(look)
        async with anyio.create_task_group() as declaring:
            for writer in range(3):
                declaring.start_soon(declare, writer)
        done.set()
    kept = json.loads((store._folder / "docs" / "manifest.json").read_text())  # pyright: ignore[reportPrivateUsage]
    found = await store.open("docs")
    assert found is not None
    assert len(kept["manifest"]["fields"]) == len(found.manifest.fields) == 60


async def test_what_another_process_has_declared_stays(tmp_path: Path) -> None:
    one, other = EdgeStore(tmp_path, QUICK), EdgeStore(tmp_path, QUICK)
    mine = await one.create("docs", MANIFEST)
    theirs = await other.open("docs")
    assert theirs is not None
    await mine.declare({"mine": "keyword"})
    await theirs.declare({"theirs": "keyword"})
    await mine.declare({"more": "keyword"})
    found = await one.open("docs")
    assert found is not None
    assert set(found.manifest.fields) == {"mine", "theirs", "more"}
    await one.close()
    await other.close()


async def test_who_waits_for_one_collection_keeps_no_other_waiting(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path, Times(patience=600))
    mine = await store.create("mine", MANIFEST)
    await mine.replace(*await document(1, ["cold cache"]))
    with process("hold", tmp_path) as holder:
        assert line(holder) == "held"
        docs = await store.open("docs")
        assert docs is not None
        async with anyio.create_task_group() as waiting:
            for _ in range(20):
                waiting.start_soon(docs.tenants)
            await anyio.wait_all_tasks_blocked()
            with anyio.fail_after(20):
                assert await mine.lexical(query_terms("cache"), 3, Where())
                assert await store.names() == ["docs", "mine"]
            holder.kill()
    await store.close()


async def test_scores_are_those_of_the_simple_store_whatever_was_changed_and_is_filtered(
    collection: EdgeCollection,
) -> None:
    simple = await MemoryStore().create("docs", MANIFEST)
    chance = random.Random(11)  # noqa: S311 (the same changes each time)
    for one in (collection, simple):
        await filled(one, 80)
        await one.declare({'a."b"[0] %': "keyword"})
    for _ in range(60):
        number, tenant = chance.randrange(80), chance.choice(["", "other"])
        if chance.random() < 0.3:
            name = f"doc-{number:04d}"
            assert await collection.delete(tenant, [name, name]) == await simple.delete(tenant, [name])
            continue
        lengths = [chance.randint(0, 9) for _ in range(chance.randint(1, 7))]
        texts = [" ".join(chance.choices(WORDS, k=length)) for length in lengths]
        kept = {
            "kind": chance.choice(["note", "plan"]),
            "year": chance.randint(2020, 2025),
            'a."b"[0] %': "x",
        }
        changed = await document(number, texts, tenant, kept)
        for one in (collection, simple):
            await one.replace(*changed)
    for conditions in CONDITIONS:
        for tenant in ("", "other", "nobody"):
            where = Where(tenant, conditions)
            query = " ".join(chance.choices(WORDS, k=3))
            ours = await all_scores(collection, query, where)
            theirs = await all_scores(simple, query, where)
            assert ours == [pytest.approx(one, abs=1e-5) for one in theirs], where
            ids = await collection.documents(where, "doc-0020", 20)
            assert ids == await simple.documents(where, "doc-0020", 20), where
            assert await collection.stats(tenant) == await simple.stats(tenant)
    assert await collection.tenants() == await simple.tenants()


async def test_metadata_comes_back_exactly(collection: EdgeCollection) -> None:
    odd = {"a": 2**70, "b": 1.0, "c": 1, "d": True, "e": float("inf"), 'f."x"': "\u2028 \\ ", "g": -0.1}
    await collection.replace(*await document(1, ["cache"], "", odd))
    (found,) = await collection.documents(Where(), "", 9)
    assert {name: (type(one), one) for name, one in found.metadata.items()} == {
        name: (type(one), one) for name, one in odd.items()
    }
    for name, value in odd.items():
        same = Where("", (Condition(name, (value,)),))
        assert await collection.documents(same, "", 9) == [found], name
        others = Where("", (Condition(name, (value, "-"), negated=True),))
        assert await collection.documents(others, "", 9) == []
    large = Where("", (Condition("a", least=2**69), Condition("e", least=1e300)))
    assert await collection.documents(large, "", 9) == [found]


async def test_only_some_names_are_names(store: EdgeStore, tmp_path: Path) -> None:
    for name in ("", "..", "../up", "a/b", "a b", "ä", "x" * 65, ".hidden"):
        with pytest.raises(InvalidArguments, match="1 to 64 letters"):
            await store.create(name, MANIFEST)
        assert await store.open(name) is None
    assert not await anyio.Path(tmp_path / "vectors").exists()


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
async def test_others_may_not_look_inside(collection: EdgeCollection, tmp_path: Path) -> None:
    await filled(collection, 5)
    for folder in (
        tmp_path / "vectors",
        tmp_path / "vectors" / "docs",
        tmp_path / "vectors" / "docs" / "shard",
    ):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for file in (tmp_path / "vectors" / "docs").glob("*.*"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_what_is_not_ours_is_refused_and_left_alone(
    store: EdgeStore, collection: EdgeCollection, tmp_path: Path
) -> None:
    foreign = tmp_path / "vectors" / "foreign"
    foreign.mkdir()
    (foreign / "meta.json").write_text("{}")
    for doing in (store.open("foreign"), store.create("foreign", MANIFEST)):
        with pytest.raises(UpstreamRefused, match=r"no collection of ringmain-vector.*move it away"):
            await doing
    manifest = tmp_path / "vectors" / collection.name / "manifest.json"
    manifest.write_text(json.dumps({"format": 2, "manifest": {}}))
    with pytest.raises(UpstreamRefused, match=r"has the format 2, .* knows only 1\..*index` again"):
        await store.open("docs")
    for damaged in ("", "[1]", '{"format": 1}', '{"format": 1, "manifest": {"model": "x"}}'):
        manifest.write_text(damaged)
        with pytest.raises(UpstreamRefused, match=r"is damaged\. .*`ringmain-vector index` again"):
            await store.open("docs")
    assert [one.name for one in foreign.iterdir()] == ["meta.json"]


@pytest.mark.parametrize("damaged", ["segments/*/segment.json", "segments/*/payload_storage/page_0.dat"])
async def test_a_damaged_shard_says_what_to_do_and_stays_as_it_is(
    store: EdgeStore, collection: EdgeCollection, tmp_path: Path, damaged: str
) -> None:
    await filled(collection, 20)
    await store.close()
    shard = tmp_path / "vectors" / "docs" / "shard"
    (file,) = shard.glob(damaged)
    with file.open("r+b") as opened:
        opened.write(b"\xff" * min(file.stat().st_size, 100_000))
    before = contents(shard)
    for _ in range(2):
        with pytest.raises(UpstreamRefused, match=r"`docs` in .* cannot be used: .*vector index` again"):
            await collection.documents(Where(), "", 100)
    assert contents(shard) == before


def contents(shard: Path) -> dict[str, bytes]:
    """What cannot be made again from the rest; the library's journals come and go."""
    kept = [*shard.glob("segments/*/*_storage*/*/*"), *shard.glob("segments/*/payload_storage/*")]
    return {
        str(file): file.read_bytes()[:1_000_000]
        for file in kept
        if file.is_file() and "journal" not in file.name
    }


async def test_a_collection_is_as_it_was_when_it_is_opened_again(
    store: EdgeStore, collection: EdgeCollection, tmp_path: Path
) -> None:
    await filled(collection, 30)
    before = await all_scores(collection, "cold cache", Where())
    await store.close()
    again = EdgeStore(tmp_path / "vectors")
    opened = await again.open("docs")
    assert opened is not None
    assert opened.manifest == collection.manifest
    assert opened.manifest.fields == FIELDS
    assert await all_scores(opened, "cold cache", Where()) == before
    await again.close()
    assert await all_scores(collection, "cold cache", Where()) == before


async def test_what_others_declare_is_known(collection: EdgeCollection, tmp_path: Path) -> None:
    other = EdgeStore(tmp_path / "vectors", QUICK)
    theirs = await other.create("docs", MANIFEST)
    await theirs.declare({"kind": "keyword"})
    await collection.declare({"year": "integer"})
    assert collection.manifest.fields == {"kind": "keyword", "year": "integer"}
    await theirs.tenants()
    assert theirs.manifest.fields == {"kind": "keyword", "year": "integer"}
    await other.close()


async def test_what_a_write_left_over_is_neither_found_nor_counted(
    store: EdgeStore, collection: EdgeCollection, tmp_path: Path
) -> None:
    import qdrant_edge

    from ringmain_vector.stores.edge_points import GONE
    from ringmain_vector.stores.edge_shard import Shard

    simple = await filled(await MemoryStore().create("docs", MANIFEST), 20)
    await filled(collection, 20)
    await store.close()
    shard = Shard.load(tmp_path / "vectors" / "docs" / "shard")
    blank = qdrant_edge.Point(1, {}, {"number": GONE})
    left = qdrant_edge.UpdateOperation.upsert_points([blank])
    shard._shard.update(left)  # pyright: ignore[reportPrivateUsage]
    shard.close()
    theirs = await all_scores(simple, "cold cache", Where())
    assert await all_scores(collection, "cold cache", Where()) == [
        pytest.approx(one, abs=1e-5) for one in theirs
    ]
    await store.close()
    assert Shard.load(tmp_path / "vectors" / "docs" / "shard").size()[0] == sum(
        len(passages) for _, passages in await corpus(20)
    )


async def test_nobody_ever_sees_half_a_document(collection: EdgeCollection) -> None:
    seen: set[int] = set()
    await collection.replace(*await revision(0, 0))

    async def write(scope: anyio.CancelScope) -> None:
        for number in range(1, 80):
            await collection.replace(*await revision(number, 0))
        scope.cancel()

    async def by_document() -> None:
        while True:
            seen.add(await whole_revision(await collection.passages("", "doc-0000"), 0))

    async def by_search() -> None:
        while True:
            found = await collection.lexical(query_terms("revision"), 100, Where())
            numbers = sorted(one.number for one in found)
            assert numbers == list(range(len(numbers)))
            assert len({round(one.score, 5) for one in found}) <= 1
            assert numbers

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(write, tasks.cancel_scope)
        for reading in (by_document, by_search, by_search):
            tasks.start_soon(reading)
    assert len(seen) > 5


async def whole_revision(passages: list[Passage], of: int) -> int:
    """Which revision of a document this is; it has to be one, and all of it."""
    number = int(passages[0].text.split()[1])
    _, expected = await revision(number, of)
    assert [one.text for one in passages] == [one.text for one in expected]
    return number


async def test_tasks_write_and_read_at_once(collection: EdgeCollection) -> None:
    every = await corpus(60)

    async def work(at: int) -> None:
        for one, passages in every[at::4]:
            await collection.replace(one, passages)
            assert len(await collection.passages(one.tenant, one.id)) == len(passages)
            await all_scores(collection, "cold cache", Where(one.tenant))

    async with anyio.create_task_group() as tasks:
        for at in range(4):
            tasks.start_soon(work, at)
    simple = await filled(await MemoryStore().create("docs", MANIFEST), 60)
    for tenant in ("", "other"):
        assert await collection.documents(Where(tenant), "", 100) == await simple.documents(
            Where(tenant), "", 100
        )
        assert await collection.stats(tenant) == await simple.stats(tenant)


async def test_kills_lose_nothing_and_leave_nothing_half(tmp_path: Path) -> None:
    chance = random.Random(3)  # noqa: S311 (the same moments, as far as processes allow)
    folder = tmp_path / "vectors"
    for _ in range(5):
        written: dict[int, int] = {}
        with process("write", folder) as running:
            for _ in range(chance.randint(5, 60)):
                one, number = map(int, line(running).split())
                written[one] = number
        store = EdgeStore(folder)
        collection = await store.open("docs")
        assert collection is not None
        simple = await MemoryStore().create("docs", MANIFEST)
        for one in range(DOCUMENTS):
            number = await whole_revision(await collection.passages("", f"doc-{one:04d}"), one)
            assert written[one] <= number
            await simple.replace(*await revision(number, one))
        for query in ("revision part", f"word{written[0]}"):
            theirs = await all_scores(simple, query, Where())
            ours = await all_scores(collection, query, Where())
            assert ours == [pytest.approx(one, abs=1e-5) for one in theirs]
        await store.close()


async def test_processes_share_a_folder(collection: EdgeCollection, tmp_path: Path) -> None:
    folder = tmp_path / "vectors"
    with process("add", folder, 0, 25) as one, process("add", folder, 25, 25) as other:
        for number in range(50, 75):
            await collection.replace(*await document(number, ["cold cache", "warm cache"]))
        for running in (one, other):
            assert await anyio.to_thread.run_sync(line, running) == "done"
    assert [one.id for one in await collection.documents(Where(), "", 100)] == [
        f"doc-{number:04d}" for number in range(75)
    ]
    assert len(await collection.lexical(query_terms("cache"), 1_000, Where())) == 150


async def test_who_does_not_let_go_is_named_and_killing_it_frees_the_collection(tmp_path: Path) -> None:
    folder = tmp_path / "vectors"
    store = EdgeStore(folder, Times(patience=0.2))
    with process("hold", folder) as running:
        assert line(running) == "held"
        collection = await store.open("docs")
        assert collection is not None
        for doing in (collection.tenants(), collection.delete("", ["x"])):
            with pytest.raises(UpstreamUnavailable, match=f"`docs` is in use by process {running.pid},"):
                await doing
    assert await collection.tenants() == []
    await store.close()


async def test_who_is_always_busy_lets_others_in(collection: EdgeCollection, tmp_path: Path) -> None:
    await filled(collection, 10)
    other = EdgeStore(tmp_path / "vectors", Times(patience=3.0))
    theirs = await other.open("docs")
    assert theirs is not None

    async def be_busy(of: EdgeCollection) -> None:
        while True:
            await of.lexical(query_terms("cache"), 10, Where())

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(be_busy, collection)
        for _ in range(3):
            assert await theirs.tenants() == ["", "other"]
            assert await collection.tenants() == ["", "other"]
        tasks.cancel_scope.cancel()
    await other.close()


def test_who_reads_and_who_writes_take_turns(tmp_path: Path) -> None:
    lease = Lease(ProcessLock(tmp_path), lambda: "thing", lambda _: None, QUICK)
    came: list[str] = []

    def read() -> None:
        with lease.together():
            came.append("read")

    def write() -> None:
        with lease.alone():
            came.append("write")

    def waiting() -> tuple[int, int]:
        return lease._want_together, lease._want_alone  # pyright: ignore[reportPrivateUsage]

    def start(work: Callable[[], None], until: tuple[int, int]) -> threading.Thread:
        thread = threading.Thread(target=work)
        thread.start()
        deadline = time.monotonic() + 5
        while waiting() != until:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        return thread

    with lease.alone():
        threads = [start(write, (0, 1)), start(read, (1, 1))]
    for thread in threads:
        thread.join()
    with lease.together():
        threads = [start(write, (0, 1)), start(read, (1, 1))]
    for thread in threads:
        thread.join()
    assert came == ["read", "write", "write", "read"]
    lease.give_back()


async def test_it_is_closed_when_idle(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path / "vectors", Times(idle=0.05, hold=600))
    collection = await store.create("docs", MANIFEST)
    other = EdgeStore(tmp_path / "vectors", Times(patience=5.0))
    theirs = await other.open("docs")
    assert theirs is not None
    await collection.tenants()
    assert await theirs.tenants() == []
    await store.close()
    await other.close()


async def test_whoever_makes_a_collection_at_the_same_time_gets_the_one_there_is(tmp_path: Path) -> None:
    stores = [EdgeStore(tmp_path / "vectors", QUICK) for _ in range(3)]
    made: list[EdgeCollection] = []

    async def make(store: EdgeStore, at: int) -> None:
        collection = await store.create("docs", MANIFEST)
        await collection.replace(*await document(at, ["cold cache"]))
        made.append(collection)

    async with anyio.create_task_group() as tasks:
        for at, store in enumerate(stores):
            tasks.start_soon(make, store, at)
    assert [(await one.stats("")).documents for one in made] == [3] * 3
    assert [one.name for one in (tmp_path / "vectors").iterdir()] == ["docs"]
    for store in stores:
        await store.close()


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    store = EdgeStore(file)
    assert (await store.names(), await store.open("docs")) == ([], None)
    with pytest.raises(UpstreamUnavailable, match=r"file/docs cannot be used: File exists\."):
        await store.create("docs", MANIFEST)
    await store.close()


async def test_a_document_without_passages_is_gone(collection: EdgeCollection) -> None:
    made, passages = await document(1, ["cold cache", "warm cache"])
    for _ in range(2):
        await collection.replace(made, passages)
        await collection.replace(made, [])
        await collection.replace(made, [])
        assert await collection.documents(Where(), "", 9) == []
        assert (await collection.stats("")).passages == 0


async def test_vectors_of_another_length_are_refused(collection: EdgeCollection) -> None:
    made, (passage,) = await document(1, ["cache"])
    assert passage.vector is not None
    with pytest.raises(InvalidArguments, match="`docs` has vectors of 64 numbers, not 32"):
        await collection.replace(made, [Passage(made, 0, "cache", 0, {}, passage.vector[:32])])
    assert await collection.tenants() == []


async def test_an_index_is_missed_only_among_many_passages(
    collection: EdgeCollection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(collection, 10)
    before = await all_scores(collection, "cold cache", Where())
    await collection.optimize()
    assert (await collection.stats("")).notes == ()
    monkeypatch.setattr(edge_module, "_WORTH_AN_INDEX", 10)
    passages = sum(len(passages) for _, passages in await corpus(10))
    assert (await collection.stats("")).notes == (
        f"{passages} passages have no index: semantic search reads all of them.",
    )
    await collection.optimize()
    assert await all_scores(collection, "cold cache", Where()) == before


def test_the_index_finds_98_of_100_and_a_filter_loses_nothing_to_it(tmp_path: Path) -> None:
    """Edges of the index lead through passages that a filter leaves out, and would end there."""
    passages, dimension, topics = 12_000, 384, 40  # as many as make the library use its index under a filter
    numbers = np.random.default_rng(1)
    centres = numbers.standard_normal((topics, dimension))
    topic = np.arange(passages) * topics // passages

    def around(of: "npt.NDArray[np.int64]") -> "npt.NDArray[np.float32]":
        made = centres[of] + 0.5 * numbers.standard_normal((len(of), dimension))
        return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)

    vectors = around(topic)
    shard = Shard.create(tmp_path, dimension)
    shard.declare({"topic": "integer"})
    for begin in range(0, passages, 100):
        about = Document(f"{begin}", "", "", "", "", 1, 100, {"topic": int(topic[begin])})
        shard.replace(about, [Passage(about, n, "", 0, {}, vectors[begin + n]) for n in range(100)])
    shard.optimize()
    assert shard.size() == (passages, 0)

    def shared(query: "npt.NDArray[np.float32]", least: int) -> int:
        where = Where(conditions=(Condition("topic", least=least),) if least else ())
        best = np.argsort(-np.where(topic >= least, vectors @ query, -2.0))[:10]
        found = shard.dense(query, 10, where, exact=False)
        return len({int(one.document_id) + one.number for one in found} & set(best.tolist()))

    for least in (4, 10, 16):  # by queries that are near to what is left out
        assert {shared(query, least) for query in around(np.arange(0, least, 3))} == {10}
    assert sum(shared(query, 0) for query in around(np.arange(topics))) >= 0.98 * 10 * topics
    other = Document("theirs", "other", "", "", "", 1, 1)
    shard.replace(other, [Passage(other, 0, "", 0, {}, vectors[0])])  # a tenant is a filter as well
    assert {shared(query, 0) for query in around(np.arange(topics))} == {10}
    shard.close()
