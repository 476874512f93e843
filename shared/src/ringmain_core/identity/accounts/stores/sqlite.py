"""Accounts in a file that all connectors of a state folder share."""

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import anyio

from ringmain_core import sqlite_file
from ringmain_core.identity.accounts.stores import StoreUnavailable

T = TypeVar("T")

_PATIENCE = 5.0  # seconds, while another process writes
_TABLES = """
CREATE TABLE IF NOT EXISTS accounts (
    owner TEXT NOT NULL, provider TEXT NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (owner, provider)
) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS claims (
    name TEXT NOT NULL PRIMARY KEY, holder TEXT NOT NULL, until REAL NOT NULL
) WITHOUT ROWID, STRICT;
"""


class SqliteStore:
    """An `AccountStore` in one file of mode 0600; threads do the work, for a disk may be slow."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._one_at_a_time = threading.Lock()

    async def get(self, owner: str, provider: str) -> bytes | None:
        rows = await self._run(
            "SELECT sealed FROM accounts WHERE owner = ? AND provider = ?", owner, provider
        )
        return rows[0][0] if rows else None

    async def put(self, owner: str, provider: str, sealed: bytes) -> None:
        await self._run("INSERT OR REPLACE INTO accounts VALUES (?, ?, ?)", owner, provider, sealed)

    async def replace(self, owner: str, provider: str, old: bytes, new: bytes) -> bool:
        return bool(
            await self._run(
                "UPDATE accounts SET sealed = ? WHERE owner = ? AND provider = ? AND sealed = ? RETURNING 1",
                new,
                owner,
                provider,
                old,
            )
        )

    async def delete(self, owner: str, provider: str) -> bool:
        return bool(
            await self._run(
                "DELETE FROM accounts WHERE owner = ? AND provider = ? RETURNING 1", owner, provider
            )
        )

    async def owned(self, owner: str) -> dict[str, bytes]:
        return dict(await self._run("SELECT provider, sealed FROM accounts WHERE owner = ?", owner))

    async def claim(self, name: str, holder: str, seconds: float) -> bool:
        now = time.time()
        await self._run("DELETE FROM claims WHERE until <= ?", now)
        return bool(
            await self._run(
                "INSERT INTO claims VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1",
                name,
                holder,
                now + seconds,
            )
        )

    async def release(self, name: str, holder: str) -> None:
        await self._run("DELETE FROM claims WHERE name = ? AND holder = ?", name, holder)

    async def close(self) -> None:
        def close() -> None:
            with self._one_at_a_time:
                if self._connection is not None:
                    self._connection.close()
                    self._connection = None

        await anyio.to_thread.run_sync(close)

    async def _run(self, sql: str, *values: object) -> list[Any]:
        """Run one statement, which is a transaction of its own, and give back its rows."""

        def run() -> list[Any]:
            with self._one_at_a_time:
                return self._opened().execute(sql, values).fetchall()

        return await anyio.to_thread.run_sync(self._guarded, run)

    def _guarded(self, run: Callable[[], T]) -> T:
        try:
            return run()
        except sqlite3.Error as error:
            raise StoreUnavailable(f"{self._path}: {error.sqlite_errorname}") from error
        except OSError as error:
            raise StoreUnavailable(f"{self._path} cannot be opened") from error

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = sqlite_file.opened(self._path, _PATIENCE, any_thread=True)
            try:
                connection.execute("PRAGMA synchronous = FULL")  # a refresh token works once: never lose one
                connection.execute("PRAGMA secure_delete = ON")
                connection.executescript(_TABLES)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection
