"""Values in a file of SQLite: what waits for the disk, and so runs in a thread."""

import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from ringmain_core import sqlite_file
from ringmain_core.state import StateUnavailable

_WAIT_FOR_OTHERS = 2.0  # seconds, for a process that is writing to the same file
_SWEEP_EVERY = 60.0  # seconds
_SET_UP = """
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS kept (key TEXT PRIMARY KEY, value BLOB NOT NULL, until REAL NOT NULL);
CREATE INDEX IF NOT EXISTS kept_until ON kept (until);
"""


class Values:
    """One connection. A value is on disk when the call that keeps it returns.

    Args:
        path: The file, made with mode 0600; `None` keeps the values in memory.
        clock: Seconds, the same for all processes that use the file.

    Every method may raise `StateUnavailable`.
    """

    def __init__(self, path: Path | None, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sweep_at = 0.0
        with _in_words():
            self._db = _opened(path)

    def get(self, key: str) -> bytes | None:
        rows = self._run("SELECT value FROM kept WHERE key = ? AND until > ?", key, self._clock()).fetchall()
        return rows[0][0] if rows else None

    def put(self, key: str, value: bytes, ttl: float, only_if_absent: bool) -> bool:
        now = self._clock()
        self._sweep(now)
        sql = (
            "INSERT INTO kept (key, value, until) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE"
            " SET value = excluded.value, until = excluded.until WHERE NOT ? OR kept.until <= ?"
        )
        return self._run(sql, key, value, now + ttl, only_if_absent, now).rowcount == 1

    def replace(self, key: str, old: bytes, new: bytes, ttl: float) -> bool:
        now = self._clock()
        sql = "UPDATE kept SET value = ?, until = ? WHERE key = ? AND value = ? AND until > ?"
        return self._run(sql, new, now + ttl, key, old, now).rowcount == 1

    def delete(self, key: str) -> None:
        self._run("DELETE FROM kept WHERE key = ?", key)

    def close(self) -> None:
        self._db.close()

    def _sweep(self, now: float) -> None:
        if now >= self._sweep_at:
            self._sweep_at = now + _SWEEP_EVERY
            self._run("DELETE FROM kept WHERE until <= ?", now)

    def _run(self, sql: str, *parameters: object) -> sqlite3.Cursor:
        with _in_words():
            return self._db.execute(sql, parameters)


def _opened(path: Path | None) -> sqlite3.Connection:
    db = sqlite_file.opened(path, _WAIT_FOR_OTHERS)
    try:
        db.executescript(_SET_UP)
    except BaseException:
        db.close()
        raise
    return db


@contextmanager
def _in_words() -> Generator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StateUnavailable(f"the state file cannot be used: {error}") from error
    except OSError as error:
        raise StateUnavailable(f"the state folder cannot be used: {error.strerror}") from error
