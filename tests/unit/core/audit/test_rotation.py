"""Rotation by the log and by others, and reading along."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ringmain_core.audit import AuditKey, AuditLog, AuditRecord
from ringmain_core.audit.tail import tail
from ringmain_core.audit.verify import verify_files

Write = Callable[..., None]


def files_of(path: Path) -> list[Path]:
    return [each for each in path.parent.iterdir() if each.suffix != ".head"]


def append(log: AuditLog, *ids: str) -> None:
    for each in ids:
        log.append(AuditRecord(id=each, phase="call"))


def test_a_log_that_grew_too_big_is_renamed_and_continued(path: Path, key: AuditKey, write: Write) -> None:
    write(*"abcdefgh", max_bytes=800)
    report = verify_files(files_of(path), [key])
    assert (report.problem, report.notes) == (None, ())
    assert len(report.files) > 2
    assert report.files[-1] == path
    anchor = json.loads(path.read_bytes().splitlines()[0])
    last = json.loads(report.files[-2].read_bytes().splitlines()[-1])
    assert anchor["phase"] == "anchor"
    assert anchor["detail"] == {"file": "audit.jsonl", "after": report.files[-2].name}
    assert (anchor["prev"], anchor["seq"]) == (last["mac"], last["seq"] + 1)


def test_the_newest_file_alone_verifies_and_names_what_is_missing(
    path: Path, key: AuditKey, write: Write
) -> None:
    write(*"abcdefgh", max_bytes=800)
    report = verify_files([path], [key])
    assert report.problem is None
    assert [note.kind for note in report.notes] == ["incomplete set"]
    assert "audit.jsonl.2" in report.notes[0].sentence


def test_a_rotated_file_alone_cannot_prove_its_end(path: Path, key: AuditKey, write: Write) -> None:
    write(*"abcdefgh", max_bytes=800)
    first = verify_files(files_of(path), [key]).files[0]
    report = verify_files([first], [key])
    assert (report.problem, [note.kind for note in report.notes]) == (None, ["head"])


def test_a_file_missing_from_the_middle_is_named(path: Path, key: AuditKey, write: Write) -> None:
    write(*"abcdefgh", max_bytes=800)
    files = verify_files(files_of(path), [key]).files
    found = verify_files([files[0], *files[2:]], [key]).problem
    assert found is not None
    assert (found.kind, found.file, found.line) == ("removed", files[2], 1)


def test_a_rotated_file_that_was_cut_is_named(path: Path, key: AuditKey, write: Write) -> None:
    write(*"abcdefgh", max_bytes=800)
    files = verify_files(files_of(path), [key]).files
    lines = files[0].read_bytes().splitlines(keepends=True)
    files[0].write_bytes(b"".join(lines[:-1]))
    found = verify_files(files, [key]).problem
    assert found is not None
    assert (found.kind, found.seq) == ("removed", len(lines))


def test_files_whose_contents_were_swapped_are_still_one_chain_under_wrong_names(
    path: Path, key: AuditKey, write: Write
) -> None:
    write(*"abcdefgh", max_bytes=800)
    files = verify_files(files_of(path), [key]).files
    one, two = files[0].read_bytes(), path.read_bytes()
    files[0].write_bytes(two)
    path.write_bytes(one)
    found = verify_files([path], [key]).problem
    assert found is not None
    assert found.kind == "cut off"


def test_a_rename_from_outside_starts_a_new_file(path: Path, key: AuditKey, log: AuditLog) -> None:
    append(log, "a", "b")
    path.rename(f"{path}.1")
    append(log, "c")
    report = verify_files([path, Path(f"{path}.1")], [key])
    assert (report.problem, report.notes, report.records) == (None, (), 5)


def test_a_rename_while_no_server_runs_starts_a_new_file(path: Path, key: AuditKey, write: Write) -> None:
    write("a", "b")
    path.rename(f"{path}.1")
    path.touch(0o600)
    write("c")
    assert verify_files([path, Path(f"{path}.1")], [key]).records == 5


def test_two_processes_survive_each_others_rotation(path: Path, key: AuditKey) -> None:
    with AuditLog.open(path, key, max_bytes=800) as one, AuditLog.open(path, key, max_bytes=800) as two:
        for each in (one, two, two, one, two, one, one, two):
            append(each, "x", "y")
    report = verify_files(files_of(path), [key])
    assert (report.problem, report.notes) == (None, ())
    assert report.records == 16 + len(report.files)


@pytest.mark.parametrize("kept", [0, 40])
def test_a_rotation_that_was_killed_is_recovered(path: Path, key: AuditKey, write: Write, kept: int) -> None:
    write("a", "b")
    head = Path(f"{path}.head").read_bytes()
    path.rename(f"{path}.1")
    write("c")
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0][: kept or None])
    Path(f"{path}.head").write_bytes(head)
    write("d")
    assert verify_files([path, Path(f"{path}.1")], [key]).problem is None


def test_a_head_deleted_under_a_running_server_is_made_again(
    path: Path, key: AuditKey, log: AuditLog
) -> None:
    append(log, "a")
    Path(f"{path}.head").unlink()
    append(log, "b")
    report = verify_files([path], [key])
    assert (report.problem, report.notes) == (None, ())


def test_tail_gives_the_last_records(path: Path, write: Write) -> None:
    write(*map(str, range(1000)))
    assert [record["id"] for record in tail(path, 3)] == ["997", "998", "999"]
    assert len(list(tail(path, 400))) == 400
    assert len(list(tail(path, 5000))) == 1001
    assert list(tail(path, 0)) == []


def test_tail_shows_what_it_cannot_read(path: Path, write: Write) -> None:
    write("a")
    with path.open("ab") as file:
        file.write(b"{oops\n{half")
    assert list(tail(path, 1)) == [{"phase": "unreadable", "bytes": 6}]


def test_following_survives_rotation(path: Path, log: AuditLog) -> None:
    append(log, "a")
    steps = itertools.chain(
        [
            lambda: append(log, "b"),
            lambda: path.rename(f"{path}.1"),
            lambda: append(log, "c"),
            lambda: append(log, "d", "e"),
        ]
    )

    def pause() -> bool:
        step = next(steps, None)
        if step:
            step()
        return step is not None

    seen = [record.get("id", record["phase"]) for record in tail(path, 1, follow=True, pause=pause)]
    assert seen == ["a", "b", "anchor", "c", "d", "e"]
