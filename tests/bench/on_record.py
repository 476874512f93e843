"""Whether the audit says of each request what its client saw: once, and to the end."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.fleet import Replica
from bench.traffic import Try
from ringmain_core.audit import load_or_create_key
from ringmain_core.audit.verify import verify_files

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Findings:
    """What is odd about the record.

    Attributes:
        missing: Answered requests that are not on record.
        repeated: Requests that are on record more than once.
        unpaired: Outcomes without their intent.
        cut_while_served: Requests that were carried out, and whose connection ended before the answer.
        unseen: Requests that never reached a server: their connection ended between requests.
        open_intents: Intents that nothing says the outcome of.
    """

    missing: Sequence[str]
    repeated: Sequence[str]
    unpaired: Sequence[str]
    cut_while_served: Sequence[str]
    unseen: Sequence[str]
    open_intents: Sequence[str]


class Audits:
    """The audits of some replicas, by trace.

    Attributes:
        problems: What `audit verify` finds wrong with them.
    """

    def __init__(self, replicas: Iterable[Replica]) -> None:
        self.problems: list[str] = []
        self._by_trace: dict[str, list[Record]] = defaultdict(list)
        for replica in replicas:
            for file in replica.audit_files:
                report = verify_files([file], [load_or_create_key(replica.key_file)])
                if report.problem is not None:
                    self.problems.append(f"{file.parent.parent.name}: {report.problem}")
                self._read(file)

    def _read(self, file: Path) -> None:
        for line in file.read_text("utf-8").splitlines():
            record = json.loads(line)
            if "trace_id" in record:
                self._by_trace[record["trace_id"]].append(record)

    def of(self, trace: str) -> Sequence[Record]:
        return self._by_trace.get(trace, ())

    def compare(self, tries: Iterable[Try]) -> Findings:
        """Hold the record against what clients saw."""
        lists: dict[str, list[str]] = {name: [] for name in Findings.__dataclass_fields__}
        for each in tries:
            phases = [record["phase"] for record in self.of(each.trace)]
            ends = phases.count("call") + phases.count("outcome")
            intents = phases.count("intent")
            if each.came == "answered" and ends == 0:
                lists["missing"].append(each.trace)
            if ends > 1 or intents > 1:
                lists["repeated"].append(each.trace)
            if phases.count("outcome") > intents:
                lists["unpaired"].append(each.trace)
            if intents and not ends:
                lists["open_intents"].append(each.trace)
            if each.came != "answered":
                lists["cut_while_served" if phases else "unseen"].append(each.trace)
        return Findings(**lists)
