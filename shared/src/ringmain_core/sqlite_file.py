"""Files of SQLite that several processes open at the same time, and nobody else reads."""

import errno
import os
import sqlite3
import stat
import time
from pathlib import Path

_LOOKS_EVERY = 0.01  # seconds
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)


def opened(path: Path | None, patience: float, *, any_thread: bool = False) -> sqlite3.Connection:
    """Open a file in write-ahead mode; each statement is a transaction of its own.

    Args:
        path: Made with mode 0600 where there is none, its folder with 0700; `None` for one in memory.
        patience: Seconds to wait for another process that writes.
        any_thread: Whether threads may share the connection, one at a time.

    Raises:
        OSError: Where it cannot be reached, is a link, or no regular file.
        sqlite3.Error: Where it is no file of SQLite, or stays locked.
    """
    if path is not None:
        _make(path)
    db = sqlite3.connect(
        path or ":memory:", timeout=patience, isolation_level=None, check_same_thread=not any_thread
    )
    try:
        _use_write_ahead_log(db, patience)
    except BaseException:
        db.close()
        raise
    return db


def _make(path: Path) -> None:
    """SQLite would make it readable for all; its other files get the mode of this one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _NO_FOLLOW, 0o600)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "It is no regular file", str(path))
    finally:
        os.close(descriptor)


def _use_write_ahead_log(db: sqlite3.Connection, patience: float) -> None:
    """Where others do the same just now, SQLite says at once that the file is locked, and does not wait."""
    end = time.monotonic() + patience
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= end:
                raise
            time.sleep(_LOOKS_EVERY)
        else:
            return
