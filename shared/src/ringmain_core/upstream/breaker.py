"""Stops calling a system that does not answer, and finds out with one call at a time when it does again."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from random import random as _random

from ringmain_core.telemetry.signals import BreakerState

_PROBE_SECONDS = 1.0  # when to come back while somebody else is trying
_RECENTLY = 5.0  # seconds for which an answer of the system outweighs what others say


class BreakerOpen(Exception):
    """Nothing may be tried now.

    Attributes:
        retry_after: Seconds.
    """

    def __init__(self, retry_after: float) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


@dataclass(frozen=True)
class Tripping:
    """When a breaker opens, and for how long.

    Attributes:
        in_a_row: So many failures without a success between them open it.
        share: So large a part of the calls within a window opens it as well ...
        least: ... where there were at least so many.
        window: Seconds.
        pause: Seconds that it stays open at first; it doubles with each try that fails.
        longest: Seconds that it stays open at most.
    """

    in_a_row: int = 5
    share: float = 0.5
    least: int = 20
    window: float = 30.0
    pause: float = 5.0
    longest: float = 60.0


class Breaker:
    """Closed: calls go through. Open: none does. Half open: one at a time does, and decides.

    Every admitted call has a ticket and hands it back with what came of it. Results of calls that were
    admitted before the last change say nothing about now, and are not counted.

    Args:
        on_change: Told each new state, and whether it is news: the beginning or end of an outage that this
            breaker has found out about itself.
    """

    def __init__(
        self,
        tripping: Tripping,
        on_change: Callable[[BreakerState, bool], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = _random,
    ) -> None:
        self._tripping = tripping
        self._on_change = on_change
        self._clock = clock
        self._random = random
        self._state: BreakerState = "closed"
        self._ticket = 0
        self._probing = False
        self._pause = tripping.pause
        self._until = 0.0
        self._answered_at = -_RECENTLY
        self._forget()

    @property
    def state(self) -> BreakerState:
        return self._state

    @property
    def opens_in(self) -> float:
        """Seconds until the next try may be made; 0 unless it is open."""
        return max(0.0, self._until - self._clock()) if self._state == "open" else 0.0

    def admit(self) -> int:
        """A ticket for one call.

        Raises:
            BreakerOpen: Where it may not be made.
        """
        if self._state != "closed":
            if self._state == "open":
                if (wait := self.opens_in) > 0:
                    raise BreakerOpen(wait)
                self._become("half_open")
            if self._probing:
                raise BreakerOpen(_PROBE_SECONDS)
            self._probing = True
            self._ticket += 1
        return self._ticket

    def succeeded(self, ticket: int) -> None:
        """The system has answered."""
        if ticket != self._ticket:
            return
        self._answered_at = self._clock()
        if self._state == "half_open":
            self._pause = self._tripping.pause
            self._become("closed", news=True)
        else:
            self._in_a_row = 0
            self._calls += 1

    def failed(self, ticket: int) -> None:
        """The system has not answered."""
        if ticket != self._ticket:
            return
        if self._state == "half_open":
            self._pause = min(self._pause * 2, self._tripping.longest)
            self._open()
            return
        if self._clock() - self._since > self._tripping.window:
            self._calls = self._failures = 0
            self._since = self._clock()
        self._in_a_row += 1
        self._calls += 1
        self._failures += 1
        too_many = self._calls >= self._tripping.least
        if self._in_a_row >= self._tripping.in_a_row or (
            too_many and self._failures >= self._calls * self._tripping.share
        ):
            self._open()

    def abandoned(self, ticket: int) -> None:
        """The call was given up, so nothing is known of the system."""
        if ticket == self._ticket:
            self._probing = False

    def hear_open(self, seconds: float) -> None:
        """Another replica gets no answer, and will not try for so long.

        Where the system has just answered us, the trouble may be the other's own: then one call finds out.
        """
        if self._state != "closed":
            return
        if self._clock() - self._answered_at < _RECENTLY:
            self._pause = self._tripping.pause / 2  # should that one fail, the usual pause is the next
            self._become("half_open")
        else:
            self._until = self._clock() + min(seconds, self._tripping.longest)
            self._become("open")

    def hear_closed(self) -> None:
        """Another replica gets answers again: worth a try."""
        if self._state == "open":
            self._become("half_open")

    def _open(self) -> None:
        spread = 0.8 + 0.4 * self._random()  # so that replicas do not try in step
        self._until = self._clock() + min(self._pause * spread, self._tripping.longest)
        self._become("open", news=self._state == "closed")

    def _become(self, state: BreakerState, *, news: bool = False) -> None:
        self._state = state
        self._ticket += 1
        self._probing = False
        self._forget()
        self._on_change(state, news)

    def _forget(self) -> None:
        self._in_a_row = self._calls = self._failures = 0
        self._since = self._clock()
