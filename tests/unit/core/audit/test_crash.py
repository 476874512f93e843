"""Killed processes, full disks, and several processes at once."""

import fcntl
import hashlib
import json
import os
import random
import resource
import select
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ringmain_core.audit import AuditKey, AuditLog, AuditRecord, AuditUnavailable
from ringmain_core.audit.chain import Tip, seal_head
from ringmain_core.audit.verify import verify_files

Write = Callable[..., None]

APPEND_FOR_EVER = """
    import os, sys
    from pathlib import Path
    from ringmain_core.audit import AuditKey, AuditLog, AuditRecord
    log = AuditLog.open(Path(sys.argv[1]), AuditKey(b"k" * 32))
    n = 0
    while True:
        n += 1
        log.append(AuditRecord(id=f"{os.getpid()}-{n}", phase="call", result="x" * (n % 9000)))
        os.write(1, f"{os.getpid()}-{n}\\n".encode())
"""


def start(script: str, path: Path, *more: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), str(path), *more], stdout=subprocess.PIPE
    )


def acknowledged(process: subprocess.Popen[bytes], for_seconds: float) -> list[str]:
    """What the process said until it was killed, after its first word and some more time."""
    assert process.stdout
    said = b""
    deadline = time.monotonic() + 10
    while not said or time.monotonic() < deadline:
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
        assert ready or said, "the process never spoke"
        if ready:
            if not said:
                deadline = time.monotonic() + for_seconds
            said += os.read(process.stdout.fileno(), 65536)
    process.send_signal(signal.SIGKILL)
    with process:
        said += process.stdout.read()
    return [line.decode() for line in said.split(b"\n")[:-1]]


def ids(path: Path) -> set[str]:
    found: set[str] = set()
    for line in path.read_bytes().splitlines():
        try:
            found.add(json.loads(line).get("id", ""))
        except ValueError:
            continue
    return found


def test_what_was_acknowledged_survives_sigkill_at_any_moment(path: Path, key: AuditKey) -> None:
    chance = random.Random(1)  # noqa: S311 -- places to cut, not keys
    said: set[str] = set()
    for _ in range(10):
        pair = [start(APPEND_FOR_EVER, path) for _ in range(2)]
        for process in pair:
            said.update(acknowledged(process, chance.uniform(0, 0.02)))
        report = verify_files([path], [key])
        assert report.problem is None or report.problem.kind == "torn"
    AuditLog.open(path, key).close()
    assert verify_files([path], [key]).problem is None
    assert said <= ids(path)
    assert len(said) > 20


def test_two_processes_append_to_one_chain(path: Path, key: AuditKey) -> None:
    script = APPEND_FOR_EVER.replace("while True", "while n < 300")
    pair = [start(script, path) for _ in range(2)]
    for process in pair:
        process.communicate(timeout=20)
    report = verify_files([path], [key])
    assert (report.problem, report.notes, report.records) == (None, (), 601)


def test_two_logs_in_turn_continue_each_other(path: Path, key: AuditKey) -> None:
    with AuditLog.open(path, key) as one, AuditLog.open(path, key) as two:
        for each in (one, two, two, one, two, one, one):
            each.append(AuditRecord(id="x", phase="call"))
        assert one.stats.last_seq == 8
    assert verify_files([path], [key]).records == 8


def test_a_stopped_process_that_holds_the_lock_makes_the_log_unavailable(
    path: Path, key: AuditKey, log: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringmain_core.audit.files._LOCK_PATIENCE", 0.01)
    with Path(f"{path}.head").open("rb") as head:
        fcntl.flock(head, fcntl.LOCK_EX)
        with pytest.raises(AuditUnavailable, match="Another process"):
            log.append(AuditRecord(id="1", phase="call"))
    log.append(AuditRecord(id="2", phase="call"))
    assert json.loads(path.read_bytes().splitlines()[-2])["detail"] == {"failed_writes": 1}
    assert verify_files([path], [key]).ok


def test_a_log_that_is_one_record_ahead_of_the_head_is_fine(path: Path, key: AuditKey, write: Write) -> None:
    write("a")
    head = Path(f"{path}.head").read_bytes()
    write("b")
    Path(f"{path}.head").write_bytes(head)
    assert verify_files([path], [key]).notes == ()
    write("c")
    report = verify_files([path], [key])
    assert (report.problem, report.notes, report.records) == (None, (), 4)


def test_a_log_that_is_far_ahead_of_the_head_is_noted(path: Path, key: AuditKey, write: Write) -> None:
    write("a")
    head = Path(f"{path}.head").read_bytes()
    write("b", "c")
    Path(f"{path}.head").write_bytes(head)
    assert [note.kind for note in verify_files([path], [key]).notes] == ["head"]
    write("d")
    report = verify_files([path], [key])
    assert (report.problem, [note.kind for note in report.notes]) == (None, ["recovered"])


def torn_after(path: Path, key: AuditKey, kept: bytes) -> None:
    """The last record of the log becomes one whose writer was killed while writing it."""
    lines = path.read_bytes().splitlines(keepends=True)
    before = b"".join(lines[:-1])
    path.write_bytes(before + kept)
    tip = Tip(len(lines) - 1, json.loads(lines[-2])["mac"], len(before))
    Path(f"{path}.head").write_bytes(seal_head(tip, key))


def test_a_torn_line_is_a_problem_until_a_recovery_record_vouches_for_it(
    path: Path, key: AuditKey, write: Write
) -> None:
    write("a", "b")
    torn = path.read_bytes().splitlines()[-1][:100]
    torn_after(path, key, torn)
    found = verify_files([path], [key]).problem
    assert found is not None
    assert (found.kind, found.line, found.seq) == ("torn", 3, 3)
    write("c")
    report = verify_files([path], [key])
    assert (report.problem, report.records) == (None, 4)
    assert [(note.kind, note.seq) for note in report.notes] == [("recovered", 3)]
    recovery = json.loads(path.read_bytes().splitlines()[3])
    assert recovery["detail"] == {"torn": {"bytes": 100, "sha256": hashlib.sha256(torn).hexdigest()}}


def test_a_torn_line_is_vouched_for_as_it_was(path: Path, key: AuditKey, write: Write) -> None:
    write("a", "b")
    torn_after(path, key, path.read_bytes().splitlines()[-1][:100])
    write("c")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], b"x" + lines[2], *lines[3:]]))
    found = verify_files([path], [key]).problem
    assert found is not None
    assert (found.kind, found.line) == ("inserted", 3)


def test_a_recovery_that_was_itself_killed_is_recovered(path: Path, key: AuditKey, write: Write) -> None:
    write("a", "b")
    torn_after(path, key, path.read_bytes().splitlines()[-1][:100] + b'\n{"seq":3,"ti')
    write("c")
    assert verify_files([path], [key]).problem is None


def test_a_record_that_lacks_only_its_newline_counts(path: Path, key: AuditKey, write: Write) -> None:
    write("a", "b")
    torn_after(path, key, path.read_bytes().splitlines()[-1])
    assert verify_files([path], [key]).records == 3
    write("c")
    report = verify_files([path], [key])
    assert (report.problem, report.notes, report.records) == (None, (), 4)


@pytest.mark.parametrize("kept", [0, 1, 40])
def test_a_first_start_that_was_killed_is_recovered(
    path: Path, key: AuditKey, write: Write, kept: int
) -> None:
    write("a")
    anchor = path.read_bytes().splitlines(keepends=True)[0]
    path.write_bytes(anchor[:kept] or anchor)
    Path(f"{path}.head").write_bytes(b"")
    write("b")
    assert verify_files([path], [key]).problem is None


def test_lines_that_the_log_did_not_write_are_not_vouched_for(
    path: Path, key: AuditKey, write: Write
) -> None:
    write("a", "b")
    with path.open("ab") as file:
        file.write(path.read_bytes().splitlines(keepends=True)[2].replace(b"search", b"delete"))
    write("c")
    found = verify_files([path], [key]).problem
    assert found is not None
    assert (found.kind, found.line) == ("inserted", 4)


FILL_THE_DISK = """
    import json, resource, sys
    from pathlib import Path
    from ringmain_core.audit import AuditKey, AuditLog, AuditRecord, AuditUnavailable
    path = Path(sys.argv[1])
    log = AuditLog.open(path, AuditKey(b"k" * 32))
    for n in range(20):
        log.append(AuditRecord(id=f"{n}", phase="call", result="x" * 100))
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 1000, hard))
    if sys.argv[2] == "append-only":
        import os
        def forbidden(fd, size):
            raise PermissionError(1, "Operation not permitted")
        os.ftruncate = forbidden
    refused = 0
    for n in range(20, 40):
        try:
            log.append(AuditRecord(id=f"{n}", phase="call", result="x" * 400))
        except AuditUnavailable as error:
            refused += 1
    unhealthy = log.stats
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    log.append(AuditRecord(id="after", phase="call"))
    print(json.dumps([refused, unhealthy, log.stats]))
    log.close()
"""


@pytest.mark.parametrize("kind", ["ordinary", "append-only"])
def test_a_full_disk_refuses_and_later_records_still_verify(path: Path, key: AuditKey, kind: str) -> None:
    with start(FILL_THE_DISK, path, kind) as process:
        out, _ = process.communicate(timeout=20)
    refused, unhealthy, after = json.loads(out)
    assert refused == 19
    assert unhealthy[2:] == [False, "The audit log cannot be written: File too large"]
    assert after[2:] == [True, ""]
    report = verify_files([path], [key])
    assert report.problem is None
    assert ids(path) >= {str(n) for n in range(21)} | {"after"}
    details = [
        json.loads(line).get("detail", {}) for line in path.read_bytes().splitlines() if line.endswith(b"}")
    ]
    assert sum(detail.get("failed_writes", 0) for detail in details) == 19


def test_an_unhealthy_log_finds_out_by_itself_that_the_disk_is_back(path: Path, key: AuditKey) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with AuditLog.open(path, key, sync_interval=0.01) as log:
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, hard))
        try:
            with pytest.raises(AuditUnavailable):
                log.append(AuditRecord(id="1", phase="call"))
            assert not log.stats.healthy
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        wait_until(lambda: log.stats.healthy)
    assert verify_files([path], [key]).ok


def wait_until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        os.sched_yield()


def test_a_head_that_cannot_be_written_refuses_the_call(
    path: Path, key: AuditKey, log: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_fd: int, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("ringmain_core.audit.file_sink.write_at_start", full)
        for each in "12":
            with pytest.raises(AuditUnavailable, match="No space left"):
                log.append(AuditRecord(id=each, phase="call"))
    log.append(AuditRecord(id="3", phase="call"))
    report = verify_files([path], [key])
    assert report.problem is None
    assert "3" in ids(path)
