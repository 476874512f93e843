"""An agent that repeats the same failing call is slowed, then stopped, with advice."""

import hashlib
import json
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

import anyio
from mcp.shared.exceptions import MCPError

from ringmain_core.call import Call
from ringmain_core.errors import ERROR_META, RingmainError
from ringmain_core.gates import Next, Result
from ringmain_core.refusals import LoopDetected

_WATCHED = frozenset({"tools/call", "resources/read", "prompts/get"})
_PAUSES = (0.0, 0.0, 0.0, 0.25, 0.5, 1.0)  # seconds, after so many failures; after more it is stopped
_LAST_PAUSE, _STOPPED, _WINDOW = 2.0, 60.0, 300.0
_Key = tuple[str, str, str, str]


@dataclass(slots=True)
class _Loop:
    """One call's failures: how many in a row, when the last was, and from when on another try is fair."""

    digest: bytes
    failures: int = 0
    failed_at: float = -math.inf
    fair_at: float = math.inf


class LoopGuard:
    """Counts equal failures of each caller and tool; a success or other arguments make it forget.

    A failure that says when to try again does not count for whoever waits so long.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        most_loops: int = 10_000,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._most_loops = most_loops
        self._loops: OrderedDict[_Key, _Loop] = OrderedDict()

    async def __call__(self, call: Call, proceed: Next) -> Result:
        if call.method not in _WATCHED or call.declaration is None:
            return await proceed()
        key = (call.principal.auth, call.principal.id, call.method, call.declaration.name)
        if key in self._loops:
            await self._hold_up(call, self._loops[key])
        try:
            result = await proceed()
        except (RingmainError, MCPError) as error:
            self._failed(call, key, error.fields() if isinstance(error, RingmainError) else error.error.data)
            raise
        if result.get("isError"):
            self._failed(call, key, result.get("_meta", {}).get(ERROR_META))
        elif key in self._loops and result.get("resultType") != "input_required":
            del self._loops[key]
        return result

    async def _hold_up(self, call: Call, loop: _Loop) -> None:
        now = self._clock()
        if loop.digest != _digest(call) or now - loop.failed_at > _WINDOW:
            return
        if now >= loop.fair_at:
            loop.failures, loop.fair_at = max(0, loop.failures - 1), math.inf
        if loop.failures < len(_PAUSES):
            await self._sleep(_PAUSES[loop.failures])
        elif (wait := loop.failed_at + _STOPPED - now) <= 0:
            await self._sleep(_LAST_PAUSE)
        else:
            call.refused_by = "loop_guard"
            raise LoopDetected(
                f"This very call has failed {loop.failures} times in a row; it is not tried again for now. "
                "Change the arguments, take another way, or ask a person.",
                retry_after_ms=math.ceil(wait * 1000),
            )

    def _failed(self, call: Call, key: _Key, fields: object) -> None:
        now, digest = self._clock(), _digest(call)
        loop = self._loops.get(key)
        if loop is None or loop.digest != digest or now - loop.failed_at > _WINDOW:
            loop = self._loops[key] = _Loop(digest)
            if len(self._loops) > self._most_loops:
                self._loops.popitem(last=False)
        self._loops.move_to_end(key)
        known = cast("dict[str, Any]", fields) if isinstance(fields, dict) else {}
        wait = known.get("retry_after_ms", math.inf) if known.get("retryable") else math.inf
        loop.failures, loop.failed_at, loop.fair_at = loop.failures + 1, now, now + wait / 1000


def _digest(call: Call) -> bytes:
    said = json.dumps([call.target, dict(call.arguments)], sort_keys=True)
    return hashlib.blake2b(said.encode(), digest_size=16).digest()
