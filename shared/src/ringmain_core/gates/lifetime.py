"""Versions of the API come and go: what is deprecated says so in every result, what is over is refused."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

from ringmain_core.call import Call
from ringmain_core.gates import Next, Result
from ringmain_core.policy import Policy
from ringmain_core.refusals import VersionGone
from ringmain_core.versions import DEPRECATION_META, is_over, successor, warning


def _now() -> datetime:
    return datetime.now(UTC)


class VersionLifetime:
    """Holds calls against the lifetimes that policy gives to versions of the API."""

    def __init__(self, policy: Callable[[], Policy], clock: Callable[[], datetime] = _now) -> None:
        self._policy = policy
        self._clock = clock

    async def __call__(self, call: Call, proceed: Next) -> Result:
        lifetime = self._policy().lifetime(call.version)
        if lifetime is None or call.transport == "stdio":
            return await proceed()
        now = self._clock()
        if is_over(lifetime, now):
            call.refused_by = "lifetime"
            following = successor(call.version)
            where = f"Connect to /{following}/mcp instead." if following else "Ask the operator where to go."
            raise VersionGone(f"Version {call.version} of this API is no more. {where}")
        result = await proceed()
        said = warning(call.version, lifetime, now)
        if said is not None:
            meta = cast("dict[str, Any]", result.get("_meta") or {})
            result = {**result, "_meta": {**meta, DEPRECATION_META: said}}
        return result
