"""The file of the search index: its tables, and how it is opened."""

import sqlite3
from pathlib import Path

from ringmain_core import sqlite_file
from ringmain_slack.words import spaced

_WAIT_FOR_OTHERS = 5.0  # seconds, for a process that is writing to the same file
_VERSION = 1
_SCHEMA = (
    """CREATE TABLE places (
        id INTEGER PRIMARY KEY, team TEXT NOT NULL, user TEXT NOT NULL, channel TEXT NOT NULL,
        oldest INTEGER NOT NULL, newest INTEGER NOT NULL, whole INTEGER NOT NULL,
        UNIQUE (team, user, channel)
    )""",
    """CREATE TABLE messages (
        id INTEGER PRIMARY KEY, place INTEGER NOT NULL REFERENCES places, ts INTEGER NOT NULL,
        thread INTEGER NOT NULL, author TEXT NOT NULL, edited INTEGER NOT NULL, text TEXT NOT NULL,
        replies INTEGER NOT NULL, latest INTEGER NOT NULL,
        replies_read INTEGER NOT NULL DEFAULT 0, latest_read INTEGER NOT NULL DEFAULT 0,
        UNIQUE (place, ts)
    )""",
    "CREATE INDEX messages_by_age ON messages (ts)",
    "CREATE INDEX messages_of_threads ON messages (place, thread) WHERE thread > 0",
    """CREATE INDEX messages_unread ON messages (place, latest)
        WHERE replies > 0 AND (latest > latest_read OR replies <> replies_read)""",
    """CREATE VIRTUAL TABLE words USING fts5(
        text, content='messages', content_rowid='id', tokenize="unicode61 remove_diacritics 2"
    )""",
    """CREATE TRIGGER message_in AFTER INSERT ON messages BEGIN
        INSERT INTO words (rowid, text) VALUES (new.id, spaced(new.text));
    END""",
    """CREATE TRIGGER message_out AFTER DELETE ON messages BEGIN
        INSERT INTO words (words, rowid, text) VALUES ('delete', old.id, spaced(old.text));
    END""",
    """CREATE TRIGGER message_changed AFTER UPDATE OF text ON messages WHEN old.text <> new.text BEGIN
        INSERT INTO words (words, rowid, text) VALUES ('delete', old.id, spaced(old.text));
        INSERT INTO words (rowid, text) VALUES (new.id, spaced(new.text));
    END""",
    f"PRAGMA user_version = {_VERSION}",
)


class OtherVersion(Exception):
    """The file was made by another version of this module."""


def opened(path: Path | None) -> sqlite3.Connection:
    """A connection for use in any thread, one at a time.

    Args:
        path: The file, made with mode 0600; `None` keeps everything in memory.

    Raises:
        OtherVersion, sqlite3.DatabaseError: The file cannot be read.
        sqlite3.OperationalError, OSError: It cannot be reached, or another process is writing for too long.
    """
    db = sqlite_file.opened(path, _WAIT_FOR_OTHERS, any_thread=True)
    try:
        db.create_function("spaced", 1, spaced, deterministic=True)
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("BEGIN IMMEDIATE")  # so that two processes do not both make the tables
        _set_up(db)
        db.execute("COMMIT")
    except BaseException:
        db.close()
        raise
    return db


def set_aside(path: Path) -> None:
    """Move a file away that cannot be used; it takes the place of the one before."""
    path.replace(path.with_name(f"{path.name}.unusable"))
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _set_up(db: sqlite3.Connection) -> None:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and version != _VERSION:
        raise OtherVersion(version)
    if not tables:
        for statement in _SCHEMA:
            db.execute(statement)
