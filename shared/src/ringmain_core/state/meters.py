"""How often, and how much at once, within this process."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from ringmain_core.state import Exceeded, Quota

BUSY_RETRY_SECONDS = 0.25
TOLERANCE = 1e-6  # seconds, for the rounding of floats

_MOST_METERS = 10_000
_LOOK_AT = 64  # of the longest unused meters, so that making room costs the same under any flood


@dataclass(slots=True)
class _Meter:
    """The use of one thing (GCRA).

    Attributes:
        due: When the next call would be due at an even rate.
        running: Until when each of the running calls counts, by its lease.
    """

    due: float = 0.0
    running: dict[str, float] = field(default_factory=dict[str, float])


class LocalMeters:
    """Meters in memory, as `State.admit` and `State.release` want them.

    They are bounded: idle ones are forgotten first (they would be full again anyway). While more things than
    that are in use at once, new ones share a meter, so that a flood slows itself and not those who are known.
    """

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, most_meters: int = _MOST_METERS
    ) -> None:
        self._clock = clock
        self._most_meters = most_meters
        self._meters: OrderedDict[str, _Meter] = OrderedDict()
        self._overflow = _Meter()

    @property
    def count(self) -> int:
        """How many meters there are."""
        return len(self._meters)

    def admit(self, quotas: Sequence[Quota], lease: str, lease_seconds: float) -> Exceeded | None:
        """Count one call against all quotas, or against none where one is used up, which is returned."""
        now = self._clock()
        counted: list[tuple[_Meter, float, bool]] = []
        for quota in quotas:
            key, rate, burst, concurrency = quota
            meter = self._meter(key, now)
            # However slow it once was: after a burst, the rate of today says when the next call is due.
            due = meter.due = now if meter.due <= now else min(meter.due, now + burst / rate)
            # A call is early by how far `due` lies ahead; a burst is how early the rate lets it be.
            too_early = due - now - (burst - 1) / rate
            if too_early > TOLERANCE:
                return Exceeded(quota, "rate", too_early - TOLERANCE / 2)
            if concurrency is not None and not _has_room(meter, concurrency, now):
                return Exceeded(quota, "concurrency", BUSY_RETRY_SECONDS)
            counted.append((meter, due + 1 / rate, concurrency is not None))
        for meter, due, runs in counted:
            meter.due = due
            if runs:
                meter.running[lease] = now + lease_seconds
        return None

    def release(self, quotas: Sequence[Quota], lease: str) -> None:
        """Say that an admitted call has ended; for one that was not admitted here, nothing happens."""
        for quota in quotas:
            meter = self._meters.get(quota.key)
            if meter is None or meter.running.pop(lease, None) is None:
                self._overflow.running.pop(lease, None)

    def _meter(self, key: str, now: float) -> _Meter:
        meter = self._meters.get(key)
        if meter is None:
            if len(self._meters) >= self._most_meters and not self._forget_idle(now):
                return self._overflow
            meter = self._meters[key] = _Meter()
        self._meters.move_to_end(key)
        return meter

    def _forget_idle(self, now: float) -> bool:
        for key, meter in list(islice(self._meters.items(), _LOOK_AT)):
            if meter.due <= now and _has_room(meter, 1, now):
                del self._meters[key]
                return True
            self._meters.move_to_end(key)  # in use after all: the next newcomer looks at others
        return False


def _has_room(meter: _Meter, concurrency: int, now: float) -> bool:
    if len(meter.running) < concurrency:
        return True
    for lease in [lease for lease, until in meter.running.items() if until <= now]:
        del meter.running[lease]
    return len(meter.running) < concurrency
