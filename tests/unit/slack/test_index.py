"""The search index keeps what was read, to whom it belongs, and how far it goes."""

import sqlite3
import stat
from collections.abc import Generator
from pathlib import Path

import pytest

from ringmain_core.errors import UpstreamUnavailable
from ringmain_slack import index_file
from ringmain_slack.index import Index
from ringmain_slack.index_file import opened
from ringmain_slack.index_rows import Entry, Holder, Span, Thread, Wanted
from ringmain_slack.index_store import Store
from ringmain_slack.words import expression

pytestmark = pytest.mark.anyio

ADA, BO = Holder("T1", "U1"), Holder("T1", "U2")
DAY = 86_400_000_000
NOW = 20_000 * DAY


@pytest.fixture
def store() -> Generator[Store]:
    made = Store(opened(None), 1_000)
    yield made
    made.close()


def entry(ts: int, text: str, **more: int) -> Entry:
    return Entry(ts, more.pop("thread", 0), "U1", more.pop("edited", 0), text, **{"replies": 0, **more})


def put(store: Store, *entries: Entry, holder: Holder = ADA, channel: str = "C1", high: int = 0) -> None:
    low, last = min(one.ts for one in entries), max(high, *(one.ts for one in entries))
    store.put(holder, channel, entries, Span(low, last, whole=False), low, last)


def found(store: Store, query: str, *, holder: Holder = ADA, **more: object) -> list[str]:
    wanted = Wanted(expression(query), **{"channels": ["C1", "C2"], **more})  # pyright: ignore[reportArgumentType]
    return [one.text for one in store.find(holder, wanted, NOW, 0, 100)]


def test_words_are_found_in_any_case_and_without_accents(store: Store) -> None:
    put(store, entry(1, "The Café is open"), entry(2, "明日の会議"))
    assert found(store, "cafe OPEN") == ["The Café is open"]
    assert found(store, "会議") == ["明日の会議"]
    assert found(store, "op") == ["The Café is open"]
    assert found(store, "op cafe") == []
    assert found(store, '"is café"') == []


def test_what_is_newer_comes_first_among_equals(store: Store) -> None:
    put(store, *(entry(NOW - age * DAY, f"deploy {age}") for age in (200, 1, 40)))
    assert found(store, "deploy") == ["deploy 1", "deploy 40", "deploy 200"]
    assert found(store, "") == ["deploy 1", "deploy 40", "deploy 200"]


def test_conditions_narrow_it_down(store: Store) -> None:
    put(store, entry(1, "deploy one"), Entry(2, 0, "U9", 0, "deploy two"), entry(3, "deploy three"))
    put(store, entry(4, "deploy four"), channel="C2")
    assert found(store, "deploy", authors=["U9"]) == ["deploy two"]
    assert set(found(store, "deploy", since=2, until=3)) == {"deploy two", "deploy three"}
    assert found(store, "deploy", channels=["C2"]) == ["deploy four"]


def test_nobody_finds_what_another_has_read(store: Store) -> None:
    put(store, entry(1, "for ada"))
    put(store, entry(1, "for bo"), holder=BO)
    assert found(store, "for") == ["for ada"]
    assert found(store, "for", holder=BO) == ["for bo"]
    assert found(store, "for", holder=Holder("T2", "U1")) == []
    assert store.spans(Holder("T2", "U1"), ["C1"]) == {}


def test_what_is_read_again_is_replaced_and_what_is_gone_is_gone(store: Store) -> None:
    put(store, entry(1, "before"), entry(2, "first try"), entry(3, "mistake"))
    put(store, entry(2, "second try", edited=5), high=3)
    assert found(store, "") == ["second try", "before"]
    assert found(store, "first") == []


def test_what_was_heard_is_not_undone_by_what_was_read_before(store: Store) -> None:
    put(store, entry(1, "first"), entry(2, "wrong"))
    store.hear("T1", "C1", entry(1, "edited", edited=10, replies=-1))
    store.hear("T1", "C1", entry(2, "", edited=10, replies=-1))
    put(store, entry(1, "first"), entry(2, "wrong"))
    assert found(store, "") == ["edited"]


def test_what_is_heard_is_for_those_who_have_read_the_conversation(store: Store) -> None:
    put(store, entry(1, "old"))
    store.hear("T1", "C1", entry(5, "new", replies=-1))
    store.hear("T1", "C2", entry(5, "elsewhere", replies=-1))
    assert found(store, "") == ["new", "old"]
    # How far it was read stays as it was: what lies between may not have been heard.
    assert store.spans(ADA, ["C1", "C2"]) == {"C1": Span(1, 1, whole=False, messages=2)}


def test_threads_are_unread_until_their_replies_are_in(store: Store) -> None:
    put(store, entry(1, "question", replies=2, latest=9))
    assert store.spans(ADA, ["C1"])["C1"].unread == 1
    (thread,) = store.unread_threads(ADA, ["C1"], 10)
    assert thread == Thread("C1", 1, 2, 0, 9)
    store.put_thread(ADA, thread, [entry(8, "answer", thread=1), entry(9, "no", thread=1)], whole=True)
    assert store.unread_threads(ADA, ["C1"], 10) == []
    put(store, entry(1, "question", replies=1, latest=8))
    (thread,) = store.unread_threads(ADA, ["C1"], 10)
    store.put_thread(ADA, Thread("C1", 1, 1, 9, 9), [entry(8, "answer", thread=1)], whole=True)
    assert found(store, "") == ["answer", "question"]
    put(store, entry(1, "question"))
    assert found(store, "") == ["question"]


def test_the_oldest_go_first_and_that_is_remembered() -> None:
    store = Store(opened(None), 10)
    put(store, *(entry(ts, f"word {ts}") for ts in range(1, 11)))
    assert not store.has_room()
    put(store, *(entry(ts, f"word {ts}") for ts in range(11, 15)), channel="C2")
    assert store.spans(ADA, ["C1"])["C1"] == Span(5, 10, whole=False, messages=6)
    assert len(found(store, "word")) == 10
    assert found(store, '"word 4"') == []
    store.close()


async def test_a_file_is_private_and_is_found_again(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "index.db"
    index = Index(path, 1_000)
    await index.use(lambda at: put(at, entry(1, "kept")))
    await index.close()
    assert {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()} == {0o600}
    assert await index.use(lambda at: found(at, "kept")) == ["kept"]
    await index.close()


@pytest.mark.parametrize("how", ["text", "newer", "damaged"])
async def test_a_file_that_cannot_be_read_is_set_aside(
    tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "index.db"
    index = Index(path, 1_000)
    await index.use(lambda at: put(at, *(entry(ts, f"word {ts}") for ts in range(500))))
    await index.close()
    if how == "text":
        path.write_text("This is no database. " * 100)
    elif how == "newer":
        with sqlite3.connect(path) as db:
            db.execute("PRAGMA user_version = 99")
        db.close()
    else:
        content = bytearray(path.read_bytes())
        content[4096:] = b"\xff" * (len(content) - 4096)
        path.write_bytes(content)
    assert await index.use(lambda at: found(at, "word")) == []
    assert path.with_name("index.db.unusable").exists()
    assert "was set aside" in caplog.text
    await index.use(lambda at: put(at, entry(1, "anew")))
    await index.close()


async def test_two_processes_share_a_file(tmp_path: Path) -> None:
    one, other = Index(tmp_path / "index.db", 1_000), Index(tmp_path / "index.db", 1_000)
    await one.use(lambda at: put(at, entry(1, "from one")))
    await other.use(lambda at: put(at, entry(2, "from the other")))
    assert set(await one.use(lambda at: found(at, "from"))) == {"from the other", "from one"}
    await one.close()
    await other.close()


async def test_a_process_that_writes_for_too_long_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_file, "_WAIT_FOR_OTHERS", 0.01)
    path = tmp_path / "index.db"
    index = Index(path, 1_000)
    await index.use(lambda at: put(at, entry(1, "kept")))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(UpstreamUnavailable, match="another process may be writing"):
        await index.use(lambda at: put(at, entry(2, "more")))
    assert await index.use(lambda at: found(at, "")) == ["kept"]
    other.execute("ROLLBACK")
    other.close()
    await index.use(lambda at: put(at, entry(2, "more")))
    await index.close()
