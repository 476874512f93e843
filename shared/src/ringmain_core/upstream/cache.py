"""Answers of reads, kept for a while in memory."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from ringmain_core.results import WireResult

_MOST_COPIES = 1_000
_MOST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Cache:
    """Declares that answers of a read may be kept, for the caller who got them.

    Attributes:
        ttl: Seconds for which an answer counts as new.
        stale: Seconds for which it may be given, marked as old, while the system behind does not answer.
    """

    ttl: float = 15.0
    stale: float = 300.0

    @property
    def kept(self) -> float:
        """Seconds for which a copy is of use."""
        return max(self.ttl, self.stale)


@dataclass(frozen=True, slots=True)
class Copy:
    """A finished answer.

    Attributes:
        made: When, on the clock of the cache.
        size: Bytes, as JSON.
        readings: What is in it, as the function has said (`Call.saw`): texts of `flow.Reading`.
    """

    result: WireResult
    made: float
    size: int
    readings: tuple[str, ...] = ()


class Copies:
    """Bounded by number and bytes; those that were not asked for the longest time go first."""

    def __init__(
        self,
        *,
        most: int = _MOST_COPIES,
        most_bytes: int = _MOST_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._clock = clock
        self._bytes = 0
        self._kept: OrderedDict[str, tuple[Copy, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str) -> Copy | None:
        """The copy, unless there is none or its time is over."""
        found = self._kept.get(key)
        if found is None:
            return None
        copy, until = found
        if self._clock() >= until:
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return copy

    def put(self, key: str, copy: Copy, seconds: float) -> None:
        """Keep a copy for so long after it was made."""
        self._drop(key)
        if copy.size > self._most_bytes // 8:  # one answer does not push out all others
            return
        self._kept[key] = (copy, copy.made + seconds)
        self._bytes += copy.size
        while len(self._kept) > self._most or self._bytes > self._most_bytes or self._oldest_is_over():
            self._drop(next(iter(self._kept)))

    def _oldest_is_over(self) -> bool:
        oldest = next(iter(self._kept.values()), None)
        return oldest is not None and self._clock() >= oldest[1]

    def _drop(self, key: str) -> None:
        dropped = self._kept.pop(key, None)
        if dropped is not None:
            self._bytes -= dropped[0].size
