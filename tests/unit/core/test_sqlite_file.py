"""Files of SQLite: who may read them, and what is refused."""

import os
import sqlite3
from pathlib import Path

import pytest

from ringmain_core import sqlite_file


def test_it_and_what_is_beside_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "kept.db"
    db = sqlite_file.opened(path, 1.0)
    db.execute("CREATE TABLE kept (a)")
    assert {one.name for one in path.parent.iterdir()} == {"kept.db", "kept.db-wal", "kept.db-shm"}
    assert {one.stat().st_mode & 0o777 for one in path.parent.iterdir()} == {0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700
    db.close()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").touch()
    (tmp_path / "kept.db").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=r"kept\.db"):
        sqlite_file.opened(tmp_path / "kept.db", 1.0)


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "kept.db")
    with pytest.raises(OSError, match="It is no regular file"):
        sqlite_file.opened(tmp_path / "kept.db", 1.0)


def test_who_holds_the_file_is_waited_for_and_then_named(tmp_path: Path) -> None:
    path = tmp_path / "kept.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("CREATE TABLE kept (a)")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        sqlite_file.opened(path, 0.05)
    other.execute("COMMIT")
    assert sqlite_file.opened(path, 0.05).execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()
