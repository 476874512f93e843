"""How often, and how much at once: per agent over everything, and per agent and tool."""

import logging
import math
from collections.abc import Callable, Sequence

import anyio

from ringmain_core.call import NOTIFICATIONS, Call
from ringmain_core.connector import AnyConnector
from ringmain_core.gates import Next, Result
from ringmain_core.limits import Limits
from ringmain_core.policy import Policy
from ringmain_core.refusals import RateLimited
from ringmain_core.state import Exceeded, Quota, State, StateUnavailable
from ringmain_core.state.local import LocalState

# Open for hours: such a call takes no slot from those that do something.
_UNCOUNTED = {"subscriptions/listen"}
_LEASE_SECONDS = 120.0
_GRACE_SECONDS = 30.0
_MOST_KNOWN = 10_000
_log = logging.getLogger(__name__)


class RateLimit:
    """Admits calls at the rate, burst and concurrency that policy sets, and says when to come back.

    Notifications are counted by themselves, at the same rate: a handshake has one.

    Args:
        policy: The policy in force.
        state: The limits hold for all processes that share it, and while it is away for this one.
        lease_seconds: How long a call counts as running if its process dies; longer than calls may take.
    """

    def __init__(
        self,
        policy: Callable[[], Policy],
        state: State | None = None,
        lease_seconds: float = _LEASE_SECONDS,
    ) -> None:
        self._policy = policy
        self._state = LocalState() if state is None else state
        self._lease_seconds = lease_seconds
        self._own = LocalState()
        self._on_its_own = False
        self._known: dict[tuple[str, str, str | None], tuple[Limits, Limits | None, list[Quota]]] = {}

    async def __call__(self, call: Call, proceed: Next) -> Result:
        quotas = self._quotas(call)
        counted_in = self._state
        try:
            exceeded = await counted_in.admit(quotas, call.id, self._lease_seconds)
            if self._on_its_own:
                self._on_its_own = False
                _log.warning("limits hold for all processes again")
        except StateUnavailable as error:
            if not self._on_its_own:
                self._on_its_own = True
                _log.warning("limits now hold for this process alone: %s", error)
            counted_in = self._own
            exceeded = await counted_in.admit(quotas, call.id, self._lease_seconds)
        if exceeded is not None:
            call.refused_by = "rate_limit"
            raise _refusal(exceeded, "all calls" if exceeded.quota is quotas[0] else f"`{call.target}`")
        try:
            return await proceed()
        finally:
            if counted_in.shared:
                await _release(counted_in, quotas, call.id)
            else:
                await counted_in.release(quotas, call.id)

    def _quotas(self, call: Call) -> Sequence[Quota]:
        policy, principal = self._policy(), call.principal
        of_all, of_tool = policy.agent_limits(principal), None
        if call.method == "tools/call" and call.target is not None:
            of_tool = policy.tool_limits(call.connector, call.target)
        who = (principal.auth, principal.id, None if of_tool is None else call.target)
        known = self._known.get(who)
        if known is None or known[0] is not of_all or known[1] is not of_tool:
            # The id comes last: it is the one part that may hold anything.
            quotas = [_quota(f"{principal.auth}:*:{principal.id}", of_all)]
            if of_tool is not None:
                quotas.append(_quota(f"{principal.auth}:{call.target}:{principal.id}", of_tool))
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[who] = (of_all, of_tool, quotas)
        if call.method.startswith(NOTIFICATIONS):
            key = f"{principal.auth}:{NOTIFICATIONS}:{principal.id}"
            return [known[2][0]._replace(key=key, concurrency=None)]
        if call.method in _UNCOUNTED:
            return [quota._replace(concurrency=None) for quota in known[2]]
        return known[2]


def lease_seconds(connector: AnyConnector, call_timeout: float) -> float:
    """How long a call of a connector may run, and some more; questions to a person may take longer still."""
    of_their_own = (declaration.timeout or 0.0 for declaration in connector.declarations())
    return max(call_timeout, *of_their_own, 0.0) + _GRACE_SECONDS


def _quota(key: str, limits: Limits) -> Quota:
    return Quota(key, limits.rate, limits.burst, limits.concurrency)


async def _release(state: State, quotas: Sequence[Quota], lease: str) -> None:
    """Before the answer goes out, so that the next call finds room; also for a call that was cancelled."""
    with anyio.CancelScope(shield=True):
        try:
            await state.release(quotas, lease)
        except StateUnavailable:
            _log.debug("the end of a call cannot be told; its lease ends by itself")


def _refusal(exceeded: Exceeded, what: str) -> RateLimited:
    quota, wait = exceeded.quota, math.ceil(exceeded.retry_after * 1000)
    if exceeded.by == "rate":
        said = f"Too many calls: {quota.rate:g} a second for {what}. Try again in {wait} ms."
    else:
        said = f"{quota.concurrency} calls of yours are running ({what}). Wait for one to end."
    return RateLimited(said, retry_after_ms=wait)
