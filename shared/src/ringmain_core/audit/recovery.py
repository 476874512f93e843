"""Where a log stands that was last written by somebody else, or by a process that was killed."""

import hashlib
from collections.abc import Mapping
from typing import Any, BinaryIO, NamedTuple

from ringmain_core.audit.chain import NO_MAC, Record, Tip, read_record, sealed_mac
from ringmain_core.audit.errors import AuditUnavailable, BadLine
from ringmain_core.audit.files import read_lines
from ringmain_core.audit.keys import AuditKey
from ringmain_core.audit.record import MAX_LINE

_TAIL = 256


class Standing(NamedTuple):
    """`tip` is what to continue from, `prefix` closes an open last line, `remarks` are to be put on record.

    `tip.end` is 0 if this file holds no record yet, only part of its anchor.
    """

    tip: Tip
    prefix: bytes
    remarks: dict[str, Any]


def take_stock(
    file: BinaryIO, size: int, known: Tip | None, lost_head: str, keys: Mapping[str, AuditKey]
) -> Standing:
    """The standing of a log of `size` > 0 bytes.

    `known` is the last record that the head or this process vouches for. What follows it may be one more
    record, or part of one, whose writer was killed before it could acknowledge it. If the file does not hold
    the known record, it was tampered with or lost with the power: the chain goes on from the known record all
    the same, so that the gap stays visible for ever. Without a known record, `lost_head` says why, and the
    last genuine line has to do.
    """
    file.seek(size - 1)
    prefix = b"" if file.read(1) == b"\n" else b"\n"
    if known is None:
        return _without_head(file, prefix, lost_head, keys)
    start = _start(file, size, known, keys)
    if start is None:
        return Standing(known, prefix, {"log": "it no longer ended with the last record"})
    tip, ahead = known._replace(end=start), 0
    file.seek(start)
    for line in read_lines(file):
        record = _record(line, keys)
        if record is None or record.seq != tip.seq + 1 or record.prev != tip.mac:
            break
        tip, ahead = Tip(record.seq, record.mac, tip.end + len(line)), ahead + 1
    remarks: dict[str, Any] = {}
    if ahead > 1:
        remarks["head"] = f"{ahead} records behind"
    if rest := size - tip.end:
        remarks |= _rest(file, tip.end, rest)
    return Standing(tip, prefix, remarks)


def _start(file: BinaryIO, size: int, known: Tip, keys: Mapping[str, AuditKey]) -> int | None:
    end = min(known.end, size)
    file.seek(max(0, end - _TAIL))
    # Its newline may be missing: `end` is then one short.
    if end >= known.end - 1 and sealed_mac(file.read(min(end, _TAIL)).removesuffix(b"\n")) == known.mac:
        return end
    file.seek(0)
    line = file.readline(MAX_LINE)
    first = _record(line, keys)
    # A new file: with its anchor, or with the part of it that was written when its writer was killed.
    new = first.phase == "anchor" and first.prev == known.mac if first else not line.endswith(b"\n")
    return 0 if new else None


def _rest(file: BinaryIO, start: int, size: int) -> dict[str, Any]:
    file.seek(start)
    rest = file.read(size) if size <= 2 * MAX_LINE else b""
    # A killed writer leaves part of a line. Whole lines that are not in the chain are somebody else's work.
    if not rest or any(sealed_mac(line) for line in rest.split(b"\n")[:-1]):
        return {"log": f"{size} bytes after the last record were not written by this log"}
    return {"torn": {"bytes": size, "sha256": hashlib.sha256(rest).hexdigest()}}


def _without_head(file: BinaryIO, prefix: bytes, lost_head: str, keys: Mapping[str, AuditKey]) -> Standing:
    tip, genuine, lines, end = Tip(0, NO_MAC, 0), 0, 0, 0
    file.seek(0)
    for line in read_lines(file):
        lines, end = lines + 1, end + len(line)
        if record := _record(line, keys):
            tip, genuine = Tip(record.seq, record.mac, end), genuine + 1
    newborn = lines == 1 and (not genuine or tip.seq == 1)
    if not genuine and not (newborn and prefix and lost_head == "missing"):
        raise AuditUnavailable("it has no record made with the given keys; was the key replaced?")
    remarks: dict[str, Any] = {} if newborn and lost_head == "missing" else {"head": lost_head}
    if end > tip.end:
        remarks |= _rest(file, tip.end, end - tip.end)
    return Standing(tip, prefix, remarks)


def _record(line: bytes, keys: Mapping[str, AuditKey]) -> Record | None:
    try:
        return read_record(line.removesuffix(b"\n"), keys)
    except BadLine:
        return None
