"""Audit logs that were collected from streams: of a process that was started again, of several processes."""

import os
from pathlib import Path

import pytest

from ringmain_core.audit import AuditKey, AuditLog
from ringmain_core.audit.sinks import StreamSink
from ringmain_core.audit.verify import Report, verify_files

FURTHER = "a further process begins; whether all of one is missing is not seen."


def lines_of(folder: Path, key: AuditKey, order: str) -> list[bytes]:
    """What is collected of processes, each a letter, that write one record each time they are named."""
    collected = folder / "stream"
    descriptor = os.open(collected, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    sinks: dict[str, StreamSink] = {}
    for number, name in enumerate(order):
        if name not in sinks:
            sinks[name] = StreamSink(descriptor, key)
        sinks[name].write({"id": str(number), "phase": "call", "outcome": "ok"})
    os.close(descriptor)
    return collected.read_bytes().splitlines(keepends=True)


def verified(path: Path, key: AuditKey, lines: list[bytes]) -> Report:
    path.write_bytes(b"".join(lines))
    return verify_files([path], [key])


@pytest.mark.parametrize(("order", "further"), [("aaa", 0), ("aaabb", 1), ("ababab", 1), ("abcacbbcaa", 2)])
def test_chains_of_several_processes_in_one_stream_are_genuine(
    order: str, further: int, tmp_path: Path, key: AuditKey
) -> None:
    report = verified(tmp_path / "got.jsonl", key, lines_of(tmp_path, key, order))
    assert (report.problem, report.records) == (None, len(order) + 1 + further)
    said = [note.sentence for note in report.notes]
    assert (said[:-1], report.notes[-1].kind) == ([FURTHER] * further, "head")


def test_in_a_stream_of_several_processes_changes_are_found(tmp_path: Path, key: AuditKey) -> None:
    lines = lines_of(tmp_path, key, "abacbabcab")
    for number in range(len(lines) - 5):  # nobody can see that the end of a stream is missing
        changed = [
            lines[:number] + lines[number + 1 :],
            [*lines[:number], lines[number].replace(b'"time":"2', b'"time":"3'), *lines[number + 1 :]],
            [*lines[: number + 1], lines[number], *lines[number + 1 :]],
            [*lines, lines[number]],
        ]
        found = [verified(tmp_path / "got.jsonl", key, each).problem is not None for each in changed]
        assert found == [True] * 4


def test_a_process_that_wrote_cannot_be_repeated(tmp_path: Path, key: AuditKey) -> None:
    lines = lines_of(tmp_path, key, "aabb")
    report = verified(tmp_path / "got.jsonl", key, [*lines, *lines[:3]])
    assert report.problem is not None
    assert report.problem.line == len(lines) + 1


@pytest.mark.parametrize("before", [True, False])
def test_a_file_has_one_chain_and_no_stream_can_be_put_into_it(
    before: bool, tmp_path: Path, key: AuditKey
) -> None:
    path = tmp_path / "audit.jsonl"
    with AuditLog.open(path, key) as log:
        log.append({"id": "1", "phase": "call"})
    of_stream, of_file = lines_of(tmp_path, key, "a"), path.read_bytes().splitlines(keepends=True)
    both = of_stream + of_file if before else of_file + of_stream
    assert verified(path, key, both).problem is not None
