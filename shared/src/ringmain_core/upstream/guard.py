"""Stands around every call to one system: places, breaker, retries, and failures in our words."""

import logging
import math
import time
from collections.abc import Awaitable, Callable
from functools import partial
from random import random as _random
from typing import TypeVar

import anyio

from ringmain_core.call import current_call
from ringmain_core.errors import DeadlineExceeded, OutcomeUnknown
from ringmain_core.policy import Access
from ringmain_core.telemetry.signals import NoSignals, Signals
from ringmain_core.upstream.breaker import Breaker
from ringmain_core.upstream.bulkhead import Bulkhead
from ringmain_core.upstream.retries import Retries
from ringmain_core.upstream.threads import Threads
from ringmain_core.upstream.tries import Attempt, Failed, NotTried, Tries
from ringmain_core.upstream.trouble import NOTHING_DONE, Classify, in_our_words

T = TypeVar("T")
_TIMEOUT = 60.0  # seconds for what is done outside of any call
_log = logging.getLogger(__name__)


class Guard:
    """Every call of a connector to one system goes through its guard, which `Guards` makes.

    Args:
        system: Names it in texts, logs and metrics, like `postgres:crm`.
        classify: The connector's judgement of its library's exceptions.
        on_answer: Called once, when the system answers for the first time.
    """

    def __init__(
        self,
        system: str,
        classify: Classify,
        breaker: Breaker,
        bulkhead: Bulkhead,
        *,
        retries: Retries | None = None,
        signals: Signals | None = None,
        on_answer: Callable[[], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = _random,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self.system = system
        self._retries = retries or Retries()
        self._signals = signals or NoSignals()
        self._tries = Tries(
            system, classify, breaker, bulkhead, signals=self._signals, on_answer=on_answer, clock=clock
        )
        self._threads = Threads()
        self._clock = clock
        self._random = random
        self._sleep = sleep

    async def call(
        self,
        operation: Callable[[], Awaitable[T]],
        *,
        access: Access,
        name: str,
        idempotent: bool = False,
        timeout: float | None = None,  # noqa: ASYNC109 (one time for all tries, which a caller's scope could not name)
    ) -> T:
        """Do something with the system, within the time of the call at hand.

        Args:
            operation: Does it; it is called again for each further try.
            access: `read` may be tried again; anything else only where it is idempotent.
            name: Of the operation, for the log; never an argument.
            idempotent: Whether doing it twice has the effect of doing it once.
            timeout: Seconds for all tries, where less is wanted than the call has left. Work that outlives
                the call that began it always says so.

        Raises:
            UpstreamUnavailable: The system was not reached, is busy, or has failed a read.
            UpstreamRefused: It has answered with an error, or does not accept our credentials.
            DeadlineExceeded: The time was over before an answer came, and nothing can have changed.
            OutcomeUnknown: A write was sent, and no answer came.
        """

        async def attempt(ended: Callable[[], None]) -> T:
            try:
                return await operation()
            finally:
                ended()

        return await self._call(attempt, access, name, idempotent, timeout)

    async def call_in_thread(
        self,
        function: Callable[[], T],
        *,
        access: Access,
        name: str,
        idempotent: bool = False,
        timeout: float | None = None,  # noqa: ASYNC109 (as above)
    ) -> T:
        """Like `call`, for a function that blocks: it runs in a thread.

        When the time is over the caller is told at once; the thread keeps its place until it ends, and what
        it returns is dropped.
        """
        return await self._call(partial(self._threads.run, function), access, name, idempotent, timeout)

    def close(self) -> None:
        """Let its threads end."""
        self._threads.close()

    async def _call(
        self,
        attempt: Attempt[T],
        access: Access,
        name: str,
        idempotent: bool,
        timeout: float | None,  # noqa: ASYNC109 (as above)
    ) -> T:
        call = current_call.get()
        now = self._clock()
        deadline = math.inf if call is None or call.deadline <= now else call.deadline
        if timeout is None and deadline < math.inf:  # whoever set it also cancels: a scope costs 10 µs
            return await self._repeatedly(attempt, access, name, idempotent, deadline)
        deadline = min(deadline, now + (timeout or _TIMEOUT))
        with anyio.move_on_after(deadline - now):
            return await self._repeatedly(attempt, access, name, idempotent, deadline)
        if access == "read":
            raise DeadlineExceeded(
                f"`{self.system}` has not answered in time. Try again later, or ask for less."
            )
        raise OutcomeUnknown(
            f"`{self.system}` has not answered in time, so whether this has happened is not known. Check "
            "before you try again."
        )

    async def _repeatedly(
        self, attempt: Attempt[T], access: Access, name: str, idempotent: bool, deadline: float
    ) -> T:
        may_repeat = access == "read" or idempotent
        failed: Failed | None = None
        tried = 0
        while True:
            tried += 1
            try:
                return await self._tries.once(attempt, name, tried, deadline)
            except NotTried as not_tried:
                if failed is None:
                    raise not_tried.failure from not_tried.__cause__
                break
            except Failed as error:
                trouble = error.trouble
                failed = error if failed is None else _worse(failed, error, access)
            pause = self._retries.pause(tried, trouble, self._random) if may_repeat else None
            if pause is None or self._clock() + pause >= deadline:
                break
            self._signals.retry(self.system)
            await self._sleep(pause)
        if failed.trouble.kind != "refused":
            cause = type(failed.__cause__).__name__
            _log.warning("%s: %s: %s (%s)", self.system, name, failed.trouble.kind, cause)
        raise in_our_words(
            self.system, failed.trouble, access=access, idempotent=idempotent
        ) from failed.__cause__


def _worse(before: Failed, now: Failed, access: Access) -> Failed:
    """The failure to tell of: what a write has perhaps done before, a try that did nothing does not undo."""
    unknown = access != "read" and before.trouble.kind == "transient"
    return before if unknown and now.trouble.kind in NOTHING_DONE else now
