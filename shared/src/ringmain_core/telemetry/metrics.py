"""Counts what calls, upstreams, caches and the audit do, for Prometheus."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ringmain_core.audit.log import Stats
from ringmain_core.call import Call
from ringmain_core.connector import AnyConnector
from ringmain_core.ending import Ending
from ringmain_core.refusals import NotOnRecord, OutcomeNotOnRecord, Refusal
from ringmain_core.telemetry import families
from ringmain_core.telemetry.names import LISTEN, OTHER, Few, Names, known_codes
from ringmain_core.telemetry.series import Family, Labels, Series
from ringmain_core.telemetry.signals import BreakerState, CacheResult, UpstreamOutcome

_MOST_PRINCIPALS = 200
_MOST_SYSTEMS = 100
_MOST_KINDS = 10_000
_BREAKER_STATES: tuple[BreakerState, ...] = ("closed", "open", "half_open")
_NOT_ON_RECORD = (NotOnRecord.code, OutcomeNotOnRecord.code)

Exemplars = dict[tuple[Labels, int], tuple[str, float, float]]
"""For a bucket of the calls' duration: a trace that went into it, the seconds, and when (Unix time)."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """Where the calls that look alike are counted."""

    calls: int
    duration: int
    answer: int
    labels: Labels


class Metrics:
    """The numbers of one process, which `exposition.py` shows. All is called on the event loop's thread.

    Args:
        connector: Its declarations are the only targets with a name of their own; all others are `_other`.
        principals: Count calls by principal, too: the first 200 by name.
        folder: Where workers share their numbers.
    """

    def __init__(
        self, connector: AnyConnector, *, principals: bool = False, folder: Path | None = None
    ) -> None:
        self._calls = families.CALLS_BY_PRINCIPAL if principals else families.CALLS
        self.connector = connector
        self.families: Sequence[Family] = (self._calls, *families.FAMILIES)
        self.series = Series(self.families, folder)
        self.folder = folder
        self.exemplars: Exemplars = {}
        self._names = Names(connector)
        self._codes = known_codes()
        self._principal = Few(_MOST_PRINCIPALS) if principals else None
        self._system = Few(_MOST_SYSTEMS)
        self._declared = {declaration.name for declaration in connector.declarations()}
        self._kinds: dict[tuple[str, ...], _Kind] = {}
        self._watched: list[Callable[[], None]] = []
        self._running = self.series.place(families.RUNNING)
        self._streams = self.series.place(families.STREAMS)
        self.series.place(families.AUDIT_FAILED)

    def begin(self, call: Call) -> None:
        """A call has come in."""
        self.series.cells[self._streams if call.method == LISTEN else self._running] += 1.0

    def end(self, call: Call, ending: Ending, seconds: float, answer_bytes: int | None) -> None:
        """A call has ended, after so many seconds, with so much text where there was an answer."""
        series, cells = self.series, self.series.cells
        code = ending.code if ending.code in self._codes else OTHER
        key = (self._names.method(call), self._names.target(call), call.version, ending.outcome, code)
        if self._principal is not None:
            key = (*key, self._principal(call.principal.id))
        kind = self._kinds.get(key) or self._kind(key)
        cells[kind.calls] += 1.0
        if ending.is_failure:
            self._not_ok(call, ending, code)
        if call.method == LISTEN:
            cells[self._streams] -= 1.0
            return
        cells[self._running] -= 1.0
        bucket = series.observe(families.DURATION, kind.duration, seconds)
        if answer_bytes is not None:
            series.observe(families.ANSWER, kind.answer, answer_bytes)
        if call.sampled and call.trace_id is not None:
            self.exemplars[kind.labels, bucket] = (call.trace_id, seconds, time.time())

    def unserved(self, refusal: Refusal, gate: str = "front") -> None:
        """A request was refused before it became a call."""
        self.series.add(families.REFUSALS, gate, refusal.code)
        if refusal.code in _NOT_ON_RECORD:
            self.series.add(families.AUDIT_FAILED)

    def upstream(self, system: str, outcome: UpstreamOutcome, seconds: float) -> None:
        """See `Signals`."""
        place = self.series.place(families.UPSTREAM, self._system(system), outcome)
        self.series.observe(families.UPSTREAM, place, seconds)

    def retry(self, system: str) -> None:
        """See `Signals`."""
        self.series.add(families.RETRIES, self._system(system))

    def breaker(self, system: str, state: BreakerState) -> None:
        """See `Signals`."""
        for each in _BREAKER_STATES:
            self.series.put(families.BREAKER, self._system(system), each, value=each == state)

    def cache(self, name: str, result: CacheResult) -> None:
        """See `Signals`."""
        self.series.add(families.CACHE, name if name in self._declared else OTHER, result)

    def watch(self, family: Family, read: Callable[[], float]) -> None:
        """Read a value each time that somebody looks: a gauge's, or how far a counter has come by itself."""
        place = self.series.place(family)
        seen = 0.0

        def look() -> None:
            nonlocal seen
            value = float(read())
            if family.kind == "counter":
                self.series.cells[place] += value - seen
                seen = value
            else:
                self.series.cells[place] = value

        self._watched.append(look)

    def watch_audit(self, stats: Callable[[], Stats]) -> None:
        """Show how many records have been written, and whether more can be."""
        self.watch(families.AUDIT_RECORDS, lambda: stats().written)
        self.watch(families.AUDIT_HEALTHY, lambda: stats().healthy)

    def watch_meters(self, count: Callable[[], int]) -> None:
        """Show how many meters the rate limit keeps in this process."""
        self.watch(families.METERS, count)

    def look(self) -> None:
        """Read what is watched."""
        for look in self._watched:
            look()

    def close(self) -> None:
        """Let a worker in another process count on from here."""
        self.series.close()

    def _not_ok(self, call: Call, ending: Ending, code: str) -> None:
        if ending.outcome == "refused":
            self.series.add(families.REFUSALS, call.refused_by or OTHER, code)
        if ending.code in _NOT_ON_RECORD:
            self.series.add(families.AUDIT_FAILED)

    def _kind(self, key: tuple[str, ...]) -> _Kind:
        method, target, _, outcome, *_ = key
        labels = (method, target, outcome)
        kind = _Kind(
            self.series.place(self._calls, *key),
            self.series.place(families.DURATION, *labels),
            self.series.place(families.ANSWER, method, target),
            labels,
        )
        if len(self._kinds) < _MOST_KINDS:
            self._kinds[key] = kind
        return kind
