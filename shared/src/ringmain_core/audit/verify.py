"""Finds the first record of a log that was edited, removed, reordered, inserted or cut off."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ringmain_core.audit.chain import Tip, read_head, read_record
from ringmain_core.audit.errors import BadLine
from ringmain_core.audit.files import read_lines
from ringmain_core.audit.keys import AuditKey, key_ring
from ringmain_core.audit.walk import Finding, Walk

__all__ = ["Finding", "Report", "verify_files"]


@dataclass(frozen=True, slots=True)
class Report:
    """`problem` is the first one; the check ends there. `notes` are worth knowing and prove no tampering."""

    problem: Finding | None
    notes: tuple[Finding, ...]
    files: tuple[Path, ...]
    records: int
    last_seq: int
    last_mac: str

    @property
    def ok(self) -> bool:
        return self.problem is None


def verify_files(paths: Sequence[Path], keys: Iterable[AuditKey], *, head: Path | None = None) -> Report:
    """Checks the files of one log, given in any order, and that they reach as far as the head.

    `head` is a head that was kept elsewhere. Without it the one beside the newest file is read, which must be
    there unless that file was rotated away or came from a stream (said in a note). The server may write
    meanwhile.

    What nobody can see in the files alone: changes by someone who holds the key; log and head put back
    together to an older state of both; both deleted. Only noted, as it looks like ordinary upkeep: the
    oldest files of a set deleted; the log deleted or emptied while its head stayed, which looks like a
    rename from outside (the note says which records are not here); a stump of less than a line appended,
    which looks like a crash. And records that were lost with the power look as if they had been cut off. The
    remedy is to keep heads (`AuditLog.head()`), or the log itself, out of the reach of whoever might do so.

    Raises `OSError` for a file that cannot be read, and `ValueError` for no file at all.
    """
    if not paths:
        raise ValueError("There is no file to verify.")
    ring = key_ring(keys)
    ordered = sorted(paths, key=lambda path: _first_seq(path, ring))
    head_file = head or ordered[-1].with_name(f"{ordered[-1].name}.head")
    # Before the log, which a running server may lengthen while it is read.
    sealed = _bytes_of(head_file)
    tip, fault = _open_head(sealed, ring)
    walk = Walk(ring, tip)
    for path in ordered:
        with path.open("rb") as file:
            walk.read(path, file)
        if walk.problem:
            break
    else:
        if tip is None:
            _judge_without_head(walk, fault, shipped=head is not None)
        else:
            _compare(walk, tip)
            if head is None and walk.tip.seq > tip.seq + 1 and _bytes_of(head_file) == sealed:
                behind = walk.tip.seq - tip.seq
                walk.note("head", f"the head is {behind} records behind: power failed, or it was put back")
    return Report(walk.problem, tuple(walk.notes), tuple(ordered), walk.records, walk.tip.seq, walk.tip.mac)


def _first_seq(path: Path, keys: Mapping[str, AuditKey]) -> float:
    with path.open("rb") as file:
        for line in read_lines(file):
            with suppress(BadLine):
                return read_record(line.removesuffix(b"\n"), keys).seq
    return float("inf")


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _open_head(sealed: bytes, keys: Mapping[str, AuditKey]) -> tuple[Tip | None, str]:
    if not sealed:
        return None, "missing"
    try:
        return read_head(sealed, keys), ""
    except BadLine as error:
        return None, f"not genuine ({error})"


def _judge_without_head(walk: Walk, fault: str, *, shipped: bool) -> None:
    kept_none = walk.path.name != walk.born and fault == "missing" and not shipped
    if kept_none:
        walk.note("head", "a file from a stream, or rotated away, has no head: its end cannot be proven")
    elif walk.tip.seq > 1 or fault != "missing" or shipped:
        walk.fail("head", f"the head is {fault}: records after this one may have been cut off")


def _compare(walk: Walk, head: Tip) -> None:
    lost = head.seq - walk.tip.seq
    if lost > 0:
        which = f"record {head.seq} was" if lost == 1 else f"records {walk.tip.seq + 1} to {head.seq} were"
        walk.fail("cut off", f"{which} cut off the end of the log", walk.line + 1)
        return
    mac = walk.mac_at_head
    if walk.first and head.seq == walk.first.seq - 1:
        mac = walk.first.prev
    if mac not in (None, head.mac):
        walk.fail(
            "head", f"record {head.seq} is not the one that the head names: one of them is of another log"
        )
