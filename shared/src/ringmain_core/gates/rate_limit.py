"""How often, and how much at once: per agent over everything, and per agent and tool."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from ringmain_core.call import Call
from ringmain_core.errors import RateLimited
from ringmain_core.gates import Next, Result
from ringmain_core.policy import Limits, Policy

_MOST_METERS = 10_000
_BUSY_RETRY_MS = 250
_LOOK_AT = 64  # of the longest unused meters, so that making room costs the same under any flood
_TOLERANCE = 1e-6  # seconds, for the rounding of floats


@dataclass(slots=True)
class _Meter:
    """One caller's use of one thing (GCRA): `due` is when the next call would be due at an even rate."""

    due: float = 0.0
    running: int = 0


class RateLimit:
    """Admits calls at the rate, burst and concurrency that policy sets, and says when to come back.

    The meters are bounded: idle ones are forgotten first (they would be full again anyway). While more
    callers than that are active at once, new ones share a meter, so that a flood slows itself and not those
    who are known.
    """

    def __init__(
        self,
        policy: Callable[[], Policy],
        *,
        clock: Callable[[], float] = time.monotonic,
        most_meters: int = _MOST_METERS,
    ) -> None:
        self._policy = policy
        self._clock = clock
        self._most_meters = most_meters
        self._meters: OrderedDict[tuple[str, str, str], _Meter] = OrderedDict()
        self._overflow = _Meter()

    async def __call__(self, call: Call, proceed: Next) -> Result:
        policy = self._policy()
        agent = (call.principal.auth, call.principal.id)
        wanted = [(self._meter((*agent, "*")), policy.agent_limits(call.principal), "all calls")]
        if call.method == "tools/call" and call.target is not None:
            limits = policy.tool_limits(call.connector, call.target)
            if limits is not None:
                wanted.append((self._meter((*agent, call.target)), limits, f"`{call.target}`"))
        now = self._clock()
        for meter, limits, what in wanted:
            self._check(call, meter, limits, what, now)
        for meter, limits, _ in wanted:
            meter.due = max(meter.due, now) + 1 / limits.rate
            meter.running += 1
        try:
            return await proceed()
        finally:
            for meter, _, _ in wanted:
                meter.running -= 1

    def _check(self, call: Call, meter: _Meter, limits: Limits, what: str, now: float) -> None:
        # A call is early by how far `due` lies ahead; a burst is how early the rate lets it be.
        too_early = meter.due - now - (limits.burst - 1) / limits.rate
        if too_early > _TOLERANCE:
            call.refused_by = "rate_limit"
            wait = math.ceil((too_early - _TOLERANCE / 2) * 1000)
            raise RateLimited(
                f"Too many calls: {limits.rate:g} a second for {what}. Try again in {wait} ms.",
                retry_after_ms=wait,
            )
        if meter.running >= limits.concurrency:
            call.refused_by = "rate_limit"
            raise RateLimited(
                f"{limits.concurrency} calls of yours are running ({what}). Wait for one to end.",
                retry_after_ms=_BUSY_RETRY_MS,
            )

    def _meter(self, key: tuple[str, str, str]) -> _Meter:
        meter = self._meters.get(key)
        if meter is None:
            if len(self._meters) >= self._most_meters and not self._forget_idle():
                return self._overflow
            meter = self._meters[key] = _Meter()
        self._meters.move_to_end(key)
        return meter

    def _forget_idle(self) -> bool:
        now = self._clock()
        for key, meter in list(islice(self._meters.items(), _LOOK_AT)):
            if meter.running == 0 and meter.due <= now:
                del self._meters[key]
                return True
            self._meters.move_to_end(key)  # in use after all: the next newcomer looks at others
        return False
