"""The verifier's way from record to record, until one does not fit."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

from ringmain_core.audit.chain import NO_MAC, Record, Tip, read_record
from ringmain_core.audit.errors import BadLine
from ringmain_core.audit.files import read_lines
from ringmain_core.audit.keys import AuditKey
from ringmain_core.audit.record import MAX_LINE

Kind = Literal[
    "edited", "removed", "reordered", "inserted", "cut off", "torn", "head", "recovered", "incomplete set"
]


@dataclass(frozen=True, slots=True)
class Finding:
    """`line` counts from 1 in `file`; `seq` is that of the record which should stand there."""

    kind: Kind
    file: Path
    line: int
    seq: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line} (seq {self.seq}): {self.sentence}"


_NOTHING = Tip(0, NO_MAC, 0)


@dataclass(slots=True)
class Walk:
    """Call `read` for each file, oldest first, as long as `problem` is None.

    A file has one chain. A stream may have several, one for each process that wrote to it, also mixed.

    Attributes:
        tip: Where the chain of the record before stands.
        others: Where the other chains of a stream stand, by the MACs of their last records.
        chains: The names of the chains of a stream.
    """

    keys: Mapping[str, AuditKey]
    head: Tip | None = None
    tip: Tip = _NOTHING
    mac_at_head: str | None = None
    first: Record | None = None
    records: int = 0
    born: str = ""
    others: dict[str, Tip] = field(default_factory=dict[str, Tip])
    chains: set[str] = field(default_factory=set[str])
    path: Path = Path()
    line: int = 0
    problem: Finding | None = None
    notes: list[Finding] = field(default_factory=list[Finding])

    def read(self, path: Path, file: BinaryIO) -> None:
        self.path, self.line, begun = path, 0, False
        lines = self._numbered(file)
        for raw in lines:
            try:
                record = read_record(raw.removesuffix(b"\n"), self.keys)
            except BadLine as error:
                record = self._record_after_torn(raw, str(error), lines, begun=begun)
            if record and not begun:
                begun = True
                self._begin(record)
            if record and self.chains:
                self._change_chain(record)
            if record and not self.problem and (record.seq, record.prev) != (self.tip.seq + 1, self.tip.mac):
                self._misplaced(record, lines)
            if record and not self.problem:
                self._accept(record)
            if self.problem:
                return
        if not begun:
            self.fail("cut off", "the file is empty, and a log has at least its anchor")

    def fail(self, kind: Kind, sentence: str, line: int | None = None) -> None:
        self.problem = Finding(kind, self.path, line or self.line, self.tip.seq + 1, f"{sentence}.")

    def note(self, kind: Kind, sentence: str) -> None:
        self.notes.append(Finding(kind, self.path, self.line, self.tip.seq + 1, f"{sentence}."))

    def _numbered(self, file: BinaryIO) -> Iterator[bytes]:
        for raw in read_lines(file):
            self.line += 1
            yield raw

    def _begin(self, first: Record) -> None:
        if first.phase != "anchor":
            missing = first.seq - self.tip.seq - 1 if self.records else first.seq - 1
            self.fail("cut off", f"the file begins with record {first.seq}: {missing} before it were cut off")
            return
        self.born = str(first.detail.get("file", ""))
        if not self.path.name.startswith(self.born):
            self.note("incomplete set", f"this file was written under the name {self.born}")
        if not self.born and self.first is None:
            self.chains.add(_chain_of(first))
        if self.first is None:
            self.first = first
            self.tip = Tip(first.seq - 1, first.prev, 0)
            if first.seq > 1:
                after = first.detail.get("after", "a file that was renamed or deleted from outside")
                self.note("incomplete set", f"records 1 to {first.seq - 1} are not here but in {after}")

    def _change_chain(self, record: Record) -> None:
        """Go on with the chain of a stream that a record belongs to; a further one may begin anywhere."""
        if record.prev == self.tip.mac:
            return
        if record.prev in self.others:
            self.others[self.tip.mac] = self.tip
            self.tip = self.others.pop(record.prev)
        elif record.prev == NO_MAC and (name := _chain_of(record)) and name not in self.chains:
            self.chains.add(name)
            self.note("incomplete set", "a further process begins; whether all of one is missing is not seen")
            self.others[self.tip.mac] = self.tip
            self.tip = _NOTHING

    def _accept(self, record: Record) -> None:
        if record.phase in ("anchor", "recovery"):
            self._explain(record)
        if self.problem:
            return
        self.tip = Tip(record.seq, record.mac, 0)
        self.records += 1
        if self.head and record.seq == self.head.seq:
            self.mac_at_head = record.mac

    def _explain(self, record: Record) -> None:
        found, when = record.detail, record.values.get("time")
        head = str(found.get("head", ""))
        if head.endswith("behind"):
            self.note("recovered", f"at {when} the head was {head}: power had failed, or it was put back")
        elif head:
            self.fail("head", f"at {when} the head was {head}: records before this one may have been cut off")
        if "log" in found:
            self.note("recovered", f"at {when} the server found the log changed: {found['log']}")
        if "failed_writes" in found:
            self.note(
                "recovered", f"until {when} the log was unavailable to {found['failed_writes']} records"
            )

    def _record_after_torn(
        self, raw: bytes, why: str, lines: Iterator[bytes], *, begun: bool
    ) -> Record | None:
        """The record that vouches for a torn line, and follows it; or None, and a problem."""
        line, torn = self.line, raw
        following = None
        for each in lines:
            try:
                following = read_record(each.removesuffix(b"\n"), self.keys)
                break
            except BadLine:
                torn = torn + each if len(torn) <= 2 * MAX_LINE else torn
        fits = following and (following.seq, following.prev) == (self.tip.seq + 1, self.tip.mac)
        if following and (fits or not begun) and _vouches_for(following, torn.removesuffix(b"\n")):
            self.note(
                "recovered", f"{len(torn) - 1} bytes of a record that was never acknowledged, vouched for"
            )
            return following
        if fits:
            self.fail(
                "inserted", f"this line was inserted: {why}, and the record that belongs here follows", line
            )
        elif following or torn.endswith(b"\n"):
            self.fail("edited", f"this record was edited: {why}", line)
        elif self.head and self.head.seq > self.tip.seq:
            self.fail(
                "cut off", f"the log was cut off within this record; the head goes to {self.head.seq}", line
            )
        else:
            self.fail("torn", "this record is incomplete, and no recovery record vouches for it yet", line)
        return None

    def _misplaced(self, record: Record, lines: Iterator[bytes]) -> None:
        line, due = self.line, self.tip.seq + 1
        if self.others:
            self.fail("removed", f"of what came before record {record.seq}, which stands here, there is none")
        elif record.seq < due:
            self.fail("inserted", f"record {record.seq} stands here a second time")
        elif record.seq == due:
            self.fail("inserted", "a genuine record, but of another chain, stands here")
        elif any(self._is_record(raw, due) for raw in lines):
            self.fail("reordered", f"record {record.seq} stands here, and record {due} only later", line)
        else:
            last = record.seq - 1
            what = f"record {due} was" if last == due else f"records {due} to {last} were"
            self.fail("removed", f"{what} removed before record {record.seq}, which stands here", line)

    def _is_record(self, raw: bytes, seq: int) -> bool:
        try:
            return read_record(raw.removesuffix(b"\n"), self.keys).seq == seq
        except BadLine:
            return False


def _chain_of(record: Record) -> str:
    return str(record.detail.get("chain", "")) if record.phase == "anchor" else ""


def _vouches_for(record: Record, torn: bytes) -> bool:
    return record.detail.get("torn") == {"bytes": len(torn), "sha256": hashlib.sha256(torn).hexdigest()}
