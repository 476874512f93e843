"""The default store: one private file that the processes of a user share."""

import asyncio
import sqlite3
import stat
from pathlib import Path

import pytest

from ringmain_core.identity.accounts.stores import StoreUnavailable
from ringmain_core.identity.accounts.stores.sqlite import SqliteStore
from unit.core.accounts.store_contract import check_accounts, check_claims, check_replace

pytestmark = pytest.mark.anyio


async def test_it_does_what_a_store_does(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state" / "accounts.sqlite")
    try:
        await check_accounts(store)
        await store.delete("bob", "desk")
        await check_replace(store)
        await check_claims(store, lambda: SqliteStore(tmp_path / "state" / "accounts.sqlite"))
    finally:
        await store.close()


async def test_nothing_is_on_disk_before_it_is_used_and_all_of_it_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    store = SqliteStore(folder / "accounts.sqlite")
    assert not folder.exists()
    await store.put("ann", "desk", b"sealed")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.iterdir()]}
    await store.close()
    assert modes == {
        "state": 0o700,
        "accounts.sqlite": 0o600,
        "accounts.sqlite-wal": 0o600,
        "accounts.sqlite-shm": 0o600,
    }


async def test_two_processes_never_replace_the_same_value(tmp_path: Path) -> None:
    stores = [SqliteStore(tmp_path / "accounts.sqlite") for _ in range(4)]
    await stores[0].put("ann", "desk", b"0")
    done = await asyncio.gather(
        *(store.replace("ann", "desk", b"0", str(number).encode()) for number, store in enumerate(stores, 1))
    )
    for store in stores:
        await store.close()
    assert sorted(done) == [False, False, False, True]


async def test_what_is_deleted_is_gone_from_the_file(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "accounts.sqlite")
    await store.put("ann", "desk", b"a-sealed-account-of-somebody" * 20)
    await store.delete("ann", "desk")
    await store.close()
    assert b"a-sealed-account" not in (tmp_path / "accounts.sqlite").read_bytes()


async def test_a_file_that_is_none_is_reported_without_its_content(tmp_path: Path) -> None:
    path = tmp_path / "accounts.sqlite"
    path.write_text("a secret that is not a database" * 100)
    with pytest.raises(StoreUnavailable, match=r"SQLITE_NOTADB$"):
        await SqliteStore(path).get("ann", "desk")


async def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").touch()
    (tmp_path / "accounts.sqlite").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        await SqliteStore(tmp_path / "accounts.sqlite").get("ann", "desk")


async def test_a_locked_file_is_waited_for(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "accounts.sqlite")
    await store.put("ann", "desk", b"1")
    other = sqlite3.connect(tmp_path / "accounts.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(store.put("ann", "desk", b"2"))
    await asyncio.sleep(0)  # it has been handed to its thread
    assert not writing.done()
    other.execute("COMMIT")
    other.close()
    async with asyncio.timeout(10):
        await writing
    assert await store.get("ann", "desk") == b"2"
    await store.close()
