"""Files of SQLite that several processes open at the same time."""

import sqlite3
import time

_LOOKS_EVERY = 0.01  # seconds


def use_write_ahead_log(db: sqlite3.Connection, patience: float) -> None:
    """Switch a file to write-ahead logging.

    Where others do the same just now, SQLite says at once that the file is locked, and does not wait as it
    does for everything else.

    Args:
        db: A connection outside of a transaction.
        patience: Seconds to wait for others.

    Raises:
        sqlite3.OperationalError: Where the file stays locked, or cannot be used.
    """
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
