"""One try of a call to a system: a place, the breaker's consent, and what came of it."""

import math
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from functools import partial
from typing import NoReturn, TypeVar

from ringmain_core.call import current_call
from ringmain_core.errors import OutcomeUnknown, RingmainError, ToolFailure, UpstreamUnavailable
from ringmain_core.telemetry.signals import Signals
from ringmain_core.upstream.breaker import Breaker, BreakerOpen
from ringmain_core.upstream.bulkhead import Bulkhead, Busy
from ringmain_core.upstream.trouble import Classify, Trouble

T = TypeVar("T")
Attempt = Callable[[Callable[[], None]], Awaitable[T]]
"""Does it; calls what it is given when its place is free again."""

_UNTRACED = nullcontext()
_FAIR_TIME = 5.0  # seconds: who got less and did not answer is not to blame
_CLOCKS_DIFFER = 0.05
_BUSY_RETRY_MS = 500


class Failed(Exception):
    """A try has met trouble, which is in the system."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.kind)
        self.trouble = trouble


class NotTried(Exception):
    """There was no try: nothing has been sent."""

    def __init__(self, failure: ToolFailure) -> None:
        super().__init__(failure.code)
        self.failure = failure


class Tries:
    """Makes tries, and keeps count of them.

    Args:
        on_answer: Called once, when the system answers for the first time.
    """

    def __init__(
        self,
        system: str,
        classify: Classify,
        breaker: Breaker,
        bulkhead: Bulkhead,
        *,
        signals: Signals,
        on_answer: Callable[[], None] | None,
        clock: Callable[[], float],
    ) -> None:
        self._system = system
        self._classify = classify
        self._breaker = breaker
        self._bulkhead = bulkhead
        self._signals = signals
        self._on_answer = on_answer
        self._clock = clock

    async def once(self, attempt: Attempt[T], name: str, number: int, deadline: float) -> T:
        """Try once.

        Args:
            attempt: What is tried.
            name: Of the operation, for the trace.
            number: Counts the tries from 1.
            deadline: When the time is over.

        Raises:
            Failed: Where the system is to blame.
            NotTried: Where it is left alone, or all places are taken.
        """
        try:
            ticket = self._breaker.admit()
        except BreakerOpen as refused:
            self._reject(
                f"`{self._system}` has not answered for a while and is left alone for now; nothing was sent.",
                math.ceil(refused.retry_after * 1000),
                "breaker",
            )
        slot = object()
        try:
            await self._bulkhead.enter(slot)
        except Busy:
            self._breaker.abandoned(ticket)
            self._reject(
                f"Too many calls to `{self._system}` are running; nothing was sent. Try again in a moment.",
                _BUSY_RETRY_MS,
                "busy",
            )
        except BaseException:
            self._breaker.abandoned(ticket)
            raise
        call = current_call.get()
        tracing = None if call is None else call.tracing
        started = self._clock()
        try:
            with _UNTRACED if tracing is None else tracing.upstream(self._system, name, number):
                result = await attempt(partial(self._bulkhead.leave, slot))
        except Exception as error:
            self._judge(error, ticket, self._clock() - started)
            raise
        except BaseException:
            self._cut_off(ticket, started, deadline)
            raise
        self._breaker.succeeded(ticket)
        self._signals.upstream(self._system, "ok", self._clock() - started)
        if self._on_answer is not None:
            self._on_answer, told = None, self._on_answer
            told()
        return result

    def _reject(self, said: str, retry_after_ms: int, cause: str) -> NoReturn:
        self._signals.upstream(self._system, "rejected", 0.0)
        raise NotTried(UpstreamUnavailable(said, retry_after_ms=retry_after_ms, cause=cause))

    def _judge(self, error: Exception, ticket: int, seconds: float) -> None:
        """Count a failed try.

        Raises:
            Failed: Where the system is to blame; the failure itself goes on where it is ours.
        """
        trouble = None if isinstance(error, RingmainError) else self._classify(error)
        if trouble is None and not isinstance(error, RingmainError):
            self._breaker.abandoned(ticket)  # a defect says nothing of the system
            self._signals.upstream(self._system, "failed", seconds)
            return
        if trouble is None:
            silent = isinstance(error, UpstreamUnavailable | OutcomeUnknown)
        else:
            silent = trouble.kind in {"transient", "down"}
        if silent:
            self._breaker.failed(ticket)
        else:
            self._breaker.succeeded(ticket)  # whatever it says, it has answered
        self._signals.upstream(self._system, "failed" if silent else "refused", seconds)
        if trouble is not None:
            raise Failed(trouble) from error

    def _cut_off(self, ticket: int, started: float, deadline: float) -> None:
        """Count a try that was cancelled: because of the time, or because nobody waits for it any more."""
        now = self._clock()
        in_time = now < deadline - _CLOCKS_DIFFER
        if in_time or now - started < _FAIR_TIME:
            self._breaker.abandoned(ticket)
        else:
            self._breaker.failed(ticket)
        if not in_time:
            self._signals.upstream(self._system, "timeout", now - started)
