import asyncio
import base64
import errno
import importlib
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ringmain_core.audit import AuditKey, AuditLog, AuditRecord, AuditUnavailable, load_or_create_key
from ringmain_core.audit.verify import verify_files

Write = Callable[..., None]


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def ids(path: Path) -> list[str]:
    return [record["id"] for record in records(path) if "id" in record]


def test_a_record_holds_what_was_said_and_nothing_else(log: AuditLog, path: Path, key: AuditKey) -> None:
    log.append(
        AuditRecord(
            id="7", phase="call", principal="bot", auth="jwt", connector="slack", transport="http",
            method="tools/call", target="search", version="v1", arguments={"query": "ö\n"},
            result={"bytes": 3}, latency_ms=1.5, outcome="refused", code="forbidden", gate="access",
            trace_id="abc", detail={"role": "ops"},
        )
    )  # fmt: skip
    anchor, record = records(path)
    assert record.pop("time").endswith("Z")
    assert len(record.pop("mac")) == 64
    assert record == {
        "seq": 2, "id": "7", "phase": "call", "principal": "bot", "auth": "jwt", "connector": "slack",
        "transport": "http", "method": "tools/call", "target": "search", "version": "v1",
        "arguments": {"query": "ö\n"}, "result": {"bytes": 3}, "latency_ms": 1.5, "outcome": "refused",
        "code": "forbidden", "gate": "access", "trace_id": "abc", "detail": {"role": "ops"},
        "kid": key.kid, "prev": anchor["mac"],
    }  # fmt: skip


def test_unset_fields_are_left_out(log: AuditLog, path: Path) -> None:
    log.append(AuditRecord(id="7", phase="call"))
    assert list(records(path)[1]) == ["seq", "time", "id", "phase", "kid", "prev", "mac"]


def test_a_field_that_cannot_be_written_does_not_lose_the_record(
    log: AuditLog, path: Path, key: AuditKey
) -> None:
    log.append(AuditRecord(id="1", phase="call", arguments=float("nan"), result=object(), outcome="ok"))
    log.append(AuditRecord(id="2", phase="call", result="x" * 2_000_000, target="\udc80"))
    one, two = records(path)[1:]
    assert (one["arguments"], one["result"], one["outcome"]) == (
        {"omitted": "ValueError"}, {"omitted": "TypeError"}, "ok",
    )  # fmt: skip
    assert (two["result"]["omitted"], two["result"]["bytes"], two["target"]) == (
        "too long",
        2_000_002,
        "\udc80",
    )
    assert verify_files([path], [key]).ok


def test_a_log_is_continued_by_the_next_process(path: Path, key: AuditKey, write: Write) -> None:
    write("a", "b")
    write("c")
    assert [record["seq"] for record in records(path)] == [1, 2, 3, 4]
    assert verify_files([path], [key]).ok


def test_a_new_key_follows_an_old_one(path: Path, key: AuditKey, write: Write) -> None:
    newer = AuditKey(b"n" * 32)
    write("a")
    write("b", key=newer, old=(key,))
    assert verify_files([path], [newer, key]).ok
    found = verify_files([path], [newer]).problem
    assert found is not None
    assert found.line == 1


def test_a_log_of_another_key_is_not_continued(path: Path, write: Write) -> None:
    write("a")
    before = path.read_bytes()
    with pytest.raises(AuditUnavailable, match="was the key replaced"):
        write("b", key=AuditKey(b"n" * 32))
    assert path.read_bytes() == before


def test_a_file_that_is_no_audit_log_is_left_alone(path: Path, write: Write) -> None:
    path.parent.mkdir()
    path.write_text("dear diary\n")
    with pytest.raises(AuditUnavailable, match="cannot be continued"):
        write("a")
    assert path.read_text() == "dear diary\n"


def test_files_are_private(path: Path, write: Write) -> None:
    write("a")
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (path, Path(f"{path}.head"), path.parent)]
    assert modes == [0o600, 0o600, 0o700]


def test_a_symbolic_link_and_a_pipe_are_refused(path: Path, write: Write, tmp_path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AuditUnavailable, match="cannot be opened"):
        write("a")
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(AuditUnavailable, match="not a regular file"):
        write("a")
    assert not (tmp_path / "elsewhere").exists()


def test_an_intent_is_on_disk_before_the_call_goes_on(
    path: Path, key: AuditKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []

    def sync(fd: int) -> None:
        if os.fstat(fd).st_ino == path.stat().st_ino:
            synced.append(len(path.read_bytes().splitlines()))

    monkeypatch.setattr(importlib.import_module("ringmain_core.audit.file_sink"), "sync", sync)

    async def act() -> None:
        with AuditLog.open(path, key, sync_interval=3600) as log:
            await log.append_durable(AuditRecord(id="1", phase="intent"))
            assert synced[-1] == 2
            async with asyncio.TaskGroup() as group:
                for each in "234":
                    group.create_task(log.append_durable(AuditRecord(id=each, phase="intent")))
            assert synced[-1] == 5
            log.append(AuditRecord(id="1", phase="outcome"))
        assert synced[-1] == 6

    asyncio.run(asyncio.wait_for(act(), 10))


def test_a_failed_sync_is_final(path: Path, key: AuditKey, monkeypatch: pytest.MonkeyPatch) -> None:
    def sync(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(importlib.import_module("ringmain_core.audit.file_sink"), "sync", sync)
    log = AuditLog.open(path, key)
    with pytest.raises(AuditUnavailable, match="Input/output error"):
        asyncio.run(asyncio.wait_for(log.append_durable(AuditRecord(id="1", phase="intent")), 10))
    with pytest.raises(AuditUnavailable):
        log.append(AuditRecord(id="2", phase="call"))
    assert not log.stats.healthy
    with pytest.raises(AuditUnavailable):
        log.close()


def test_stats_count_and_tell_health(log: AuditLog) -> None:
    log.append(AuditRecord(id="1", phase="call"))
    assert log.stats == (1, 2, True, "")


def test_a_closed_log_refuses(path: Path, key: AuditKey) -> None:
    log = AuditLog.open(path, key)
    log.close()
    log.close()
    with pytest.raises(AuditUnavailable, match="closed"):
        log.append(AuditRecord(id="1", phase="call"))


def test_a_stream_is_chained_and_says_that_it_has_no_head(
    key: AuditKey, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with AuditLog.on_stream("stdout", key) as log:
        log.append(AuditRecord(id="1", phase="call"))
    captured = tmp_path / "captured.jsonl"
    captured.write_text(capfd.readouterr().out)
    report = verify_files([captured], [key])
    assert (report.problem, report.records) == (None, 2)
    assert [note.kind for note in report.notes] == ["head"]


def test_no_log_at_all_takes_everything() -> None:
    with AuditLog.none() as log:
        log.append(AuditRecord(id="1", phase="call"))
    assert log.stats == (1, 0, True, "")


def test_a_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "audit.key"
    made = load_or_create_key(path)
    assert load_or_create_key(path).kid == made.kid
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(base64.b64decode(path.read_bytes())) == 32
    assert [each.name for each in path.parent.iterdir()] == ["audit.key"]
    assert path.read_text().strip() not in repr(made)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "audit.key"
    load_or_create_key(path)
    path.chmod(0o640)
    with pytest.raises(AuditUnavailable, match="chmod 600"):
        load_or_create_key(path)


@pytest.mark.parametrize("content", ["", "not base64!", "c2hvcnQ="])
def test_a_file_without_a_key_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "audit.key"
    path.touch(0o600)
    path.write_text(content)
    with pytest.raises(AuditUnavailable, match="holds no audit key"):
        load_or_create_key(path)
