"""Whatever is done to a log of six calls, the verifier names the first record that suffered."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ringmain_core.audit import AuditKey, AuditLog, AuditRecord
from ringmain_core.audit.verify import Finding, verify_files

Write = Callable[..., None]


@pytest.fixture
def lines(path: Path, write: Write) -> list[bytes]:
    """Line 0 is the anchor, so that line k holds record k + 1."""
    write("a", "b", "c", "d", "e", "f")
    return path.read_bytes().splitlines(keepends=True)


def problem(path: Path, key: AuditKey) -> Finding:
    found = verify_files([path], [key]).problem
    assert found is not None
    return found


def summary(path: Path, key: AuditKey) -> tuple[str, int, int]:
    found = problem(path, key)
    return found.kind, found.line, found.seq


def test_an_untouched_log_verifies_without_a_word(path: Path, key: AuditKey, lines: list[bytes]) -> None:
    report = verify_files([path], [key])
    assert (report.problem, report.notes, report.records, report.last_seq) == (None, (), 7, 7)
    assert report.last_mac == json.loads(lines[-1])["mac"]


def test_an_edit_of_any_field_of_any_record_is_named(path: Path, key: AuditKey, lines: list[bytes]) -> None:
    for number, line in enumerate(lines):
        for field, value in json.loads(line).items():
            forged = json.loads(line) | {field: value + 1 if isinstance(value, int) else "forged"}
            changed = json.dumps(forged, separators=(",", ":")).encode() + b"\n"
            path.write_bytes(b"".join([*lines[:number], changed, *lines[number + 1 :]]))
            assert summary(path, key) == ("edited", number + 1, number + 1), field


def test_a_flipped_bit_anywhere_is_named(path: Path, key: AuditKey, lines: list[bytes]) -> None:
    target = lines[3]
    for offset in range(len(target) - 1):
        changed = bytearray(target)
        changed[offset] ^= 1
        path.write_bytes(b"".join([*lines[:3], bytes(changed), *lines[4:]]))
        found = problem(path, key)
        assert (found.line, found.seq) == (4, 4), offset


def test_a_duplicate_key_and_nan_are_edits(path: Path, key: AuditKey, lines: list[bytes]) -> None:
    for text in (b'{"seq":3,', b'{"x":NaN,', b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b","):
        path.write_bytes(b"".join([*lines[:2], text + lines[2][1:], *lines[3:]]))
        assert summary(path, key) == ("edited", 3, 3)


@pytest.mark.parametrize("number", range(1, 6))
def test_a_deleted_record_is_named(path: Path, key: AuditKey, lines: list[bytes], number: int) -> None:
    path.write_bytes(b"".join(lines[:number] + lines[number + 1 :]))
    found = problem(path, key)
    assert (found.kind, found.line, found.seq) == ("removed", number + 1, number + 1)
    assert found.sentence == f"record {number + 1} was removed before record {number + 2}, which stands here."


def test_deleted_neighbours_are_named_together(path: Path, key: AuditKey, lines: list[bytes]) -> None:
    path.write_bytes(b"".join(lines[:2] + lines[5:]))
    assert problem(path, key).sentence == "records 3 to 5 were removed before record 6, which stands here."


@pytest.mark.parametrize("number", range(1, 6))
def test_swapped_records_are_named(path: Path, key: AuditKey, lines: list[bytes], number: int) -> None:
    lines[number], lines[number + 1] = lines[number + 1], lines[number]
    path.write_bytes(b"".join(lines))
    assert summary(path, key) == ("reordered", number + 1, number + 1)


@pytest.mark.parametrize("number", range(1, 7))
def test_an_inserted_line_is_named(path: Path, key: AuditKey, lines: list[bytes], number: int) -> None:
    forged = lines[number].replace(b"search", b"delete")
    path.write_bytes(b"".join([*lines[:number], forged, *lines[number:]]))
    assert summary(path, key) == ("inserted", number + 1, number + 1)


@pytest.mark.parametrize("number", range(7))
def test_a_repeated_record_is_named(path: Path, key: AuditKey, lines: list[bytes], number: int) -> None:
    path.write_bytes(b"".join([*lines[: number + 1], lines[number], *lines[number + 1 :]]))
    assert summary(path, key) == ("inserted", number + 2, number + 2)


@pytest.mark.parametrize("kept", range(7))
def test_a_tail_cut_off_at_a_line_boundary_is_named(
    path: Path, key: AuditKey, lines: list[bytes], kept: int
) -> None:
    path.write_bytes(b"".join(lines[:kept]))
    assert problem(path, key).kind == "cut off"
    assert problem(path, key).seq == kept + 1


def test_a_tail_cut_off_within_a_record_is_named(path: Path, key: AuditKey, lines: list[bytes]) -> None:
    whole = b"".join(lines)
    for offset in random.Random(7).sample(range(1, len(whole) - 1), 60):  # noqa: S311 -- places to cut, not keys
        path.write_bytes(whole[:offset])
        complete = whole[:offset].count(b"\n") + (whole[offset : offset + 1] == b"\n")
        assert (problem(path, key).kind, problem(path, key).seq) == ("cut off", complete + 1), offset


@pytest.mark.parametrize("cut", range(1, 7))
def test_a_cut_head_is_named(path: Path, key: AuditKey, lines: list[bytes], cut: int) -> None:
    path.write_bytes(b"".join(lines[cut:]))
    assert summary(path, key) == ("cut off", 1, 1)
    assert (
        problem(path, key).sentence == f"the file begins with record {cut + 1}: {cut} before it were cut off."
    )


def test_a_file_swapped_with_that_of_another_log_is_noticed(
    path: Path, key: AuditKey, lines: list[bytes], write: Write
) -> None:
    mine, my_head = path.read_bytes(), Path(f"{path}.head").read_bytes()
    shutil.rmtree(path.parent)
    write("a", "b", "c", "d", "e", "f")
    path.write_bytes(mine)
    assert problem(path, key).kind == "head"
    path.write_bytes(b"".join([*lines[:3], *mine.splitlines(keepends=True)[3:]]))
    Path(f"{path}.head").write_bytes(my_head)
    assert verify_files([path], [key]).ok


def test_records_of_another_log_do_not_fit_in(
    path: Path, key: AuditKey, lines: list[bytes], write: Write
) -> None:
    shutil.rmtree(path.parent)
    write("a", "b", "c", "d", "e", "f")
    theirs = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*theirs[:3], lines[3], *theirs[4:]]))
    assert summary(path, key) == ("inserted", 4, 4)


@pytest.mark.usefixtures("lines")
def test_another_key_verifies_nothing(path: Path) -> None:
    found = problem(path, AuditKey(b"x" * 32))
    assert (found.kind, found.line) == ("edited", 1)
    assert "which was not given" in found.sentence


@pytest.mark.usefixtures("lines")
def test_a_deleted_head_is_a_problem(path: Path, key: AuditKey) -> None:
    Path(f"{path}.head").unlink()
    assert summary(path, key) == ("head", 7, 8)


@pytest.mark.usefixtures("lines")
def test_a_forged_head_is_a_problem(path: Path, key: AuditKey) -> None:
    head = Path(f"{path}.head")
    head.write_bytes(head.read_bytes().replace(b'"seq":7', b'"seq":6'))
    assert problem(path, key).sentence.startswith(
        "the head is not genuine (its MAC does not match its content)"
    )


def test_a_record_does_not_pass_for_a_head(path: Path, key: AuditKey, lines: list[bytes]) -> None:
    Path(f"{path}.head").write_bytes(lines[2])
    assert problem(path, key).kind == "head"


def test_a_head_kept_elsewhere_exposes_a_rollback_of_both(
    path: Path, key: AuditKey, write: Write, tmp_path: Path
) -> None:
    write("a", "b")
    old = path.read_bytes(), Path(f"{path}.head").read_bytes()
    write("c", "d")
    shipped = tmp_path / "shipped.head"
    shutil.copy(f"{path}.head", shipped)
    assert verify_files([path], [key], head=shipped).ok
    path.write_bytes(old[0])
    Path(f"{path}.head").write_bytes(old[1])
    assert verify_files([path], [key]).ok
    found = verify_files([path], [key], head=shipped).problem
    assert found is not None
    assert found.sentence == "records 4 to 5 were cut off the end of the log."


def test_a_head_kept_elsewhere_may_be_older_than_the_log(
    path: Path, key: AuditKey, write: Write, tmp_path: Path
) -> None:
    write("a")
    shutil.copy(f"{path}.head", tmp_path / "shipped.head")
    write("b", "c")
    report = verify_files([path], [key], head=tmp_path / "shipped.head")
    assert (report.problem, report.notes) == (None, ())


def test_a_cut_is_still_visible_after_the_server_went_on(
    path: Path, key: AuditKey, lines: list[bytes], write: Write
) -> None:
    path.write_bytes(b"".join(lines[:4]))
    write("g")
    assert problem(path, key).sentence == "records 5 to 7 were removed before record 8, which stands here."


def test_a_deleted_head_is_still_visible_after_the_server_went_on(
    path: Path, key: AuditKey, lines: list[bytes], write: Write
) -> None:
    path.write_bytes(b"".join(lines[:4]))
    Path(f"{path}.head").unlink()
    write("g")
    assert summary(path, key) == ("head", 5, 5)
    assert "the head was missing" in problem(path, key).sentence


def test_an_edit_of_the_last_records_is_not_laundered_by_the_server(
    path: Path, key: AuditKey, lines: list[bytes], write: Write
) -> None:
    path.write_bytes(b"".join([*lines[:6], lines[6].replace(b"search", b"delete")]))
    write("g")
    assert summary(path, key) == ("edited", 7, 7)
    path.write_bytes(b"".join([*lines[:6], lines[6][:50]]))
    write("h")
    assert summary(path, key) == ("edited", 7, 7)


def test_a_rollback_under_a_running_server_is_noticed(path: Path, key: AuditKey, write: Write) -> None:
    write("a")
    old = path.read_bytes(), Path(f"{path}.head").read_bytes()
    with AuditLog.open(path, key) as log:
        log.append(AuditRecord(id="b", phase="call"))
        path.write_bytes(old[0])
        Path(f"{path}.head").write_bytes(old[1])
        log.append(AuditRecord(id="c", phase="call"))
    assert problem(path, key).sentence == "record 3 was removed before record 4, which stands here."


def test_only_the_newline_missing_is_no_loss(
    path: Path, key: AuditKey, lines: list[bytes], write: Write
) -> None:
    path.write_bytes(b"".join(lines).removesuffix(b"\n"))
    assert verify_files([path], [key]).ok
    write("g")
    assert (verify_files([path], [key]).problem, path.read_bytes().count(b"\n")) == (None, 8)


def test_a_log_that_was_emptied_is_noted(path: Path, key: AuditKey, lines: list[bytes], write: Write) -> None:
    for stump in (b"", lines[0][:50]):
        path.write_bytes(stump)
        assert problem(path, key).kind == "cut off"
    write("g")
    notes = [note.sentence for note in verify_files([path], [key]).notes]
    assert "records 1 to 7 are not here but in a file that was renamed or deleted from outside." in notes
