"""Tells people of an outage: once when it begins, and once when it is over."""

import json
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Literal

from ringmain_core.state import State, StateUnavailable
from ringmain_core.upstream.background import Background
from ringmain_core.webhooks import Notice, Webhook

_LONGEST = 30 * 24 * 3600.0  # seconds after which an outage that nobody saw the end of is forgotten
_SETTLED = 30.0


class Outages:
    """Knows which systems are out, together with the other replicas: one of them tells people.

    An outage is over when the system has answered for a while without a new one: flapping is one outage.

    Args:
        settled: Seconds of that while.
        pause: Waits; says False where the process ends first.
    """

    def __init__(
        self,
        connector: str,
        webhooks: Sequence[Webhook],
        state: State,
        background: Background,
        *,
        settled: float = _SETTLED,
        wall: Callable[[], float] = time.time,
        pause: Callable[[float], Awaitable[bool]] | None = None,
    ) -> None:
        self._connector = connector
        self._webhooks = webhooks
        self._state = state
        self._background = background
        self._settled = settled
        self._wall = wall
        self._pause = pause or background.pause
        self._changes = defaultdict[str, int](int)
        self._told_alone: dict[str, float] = {}

    def begun(self, system: str) -> None:
        """A system has stopped answering."""
        self._changes[system] += 1
        self._background.start(partial(self._begin, system), f"telling people that {system} is out")

    def over(self, system: str) -> None:
        """A system answers."""
        self._changes[system] += 1
        self._background.start(partial(self._end, system), f"telling people that {system} is back")

    async def _begin(self, system: str) -> None:
        since = self._wall()
        try:
            kept = json.dumps(since).encode()
            first = await self._state.put(_key(system), kept, _LONGEST, only_if_absent=True)
        except StateUnavailable:  # better told by each replica than by none
            first = system not in self._told_alone
            self._told_alone.setdefault(system, since)
        if first:
            self._tell("outage.opened", system, since)

    async def _end(self, system: str) -> None:
        change = self._changes[system]
        if not await self._pause(self._settled) or self._changes[system] != change:
            return
        since = self._told_alone.pop(system, None)
        try:
            kept = await self._state.get(_key(system))
            # Whoever takes the entry away is the one who tells.
            if kept and await self._state.replace(_key(system), kept, b"", 1.0):
                await self._state.delete(_key(system))
                since = json.loads(kept)
        except StateUnavailable:
            pass  # whoever is there when it is back finds the entry, and tells
        if since is not None:
            self._tell("outage.resolved", system, since, max(0.0, self._wall() - since))

    def _tell(
        self,
        event: Literal["outage.opened", "outage.resolved"],
        system: str,
        since: float,
        seconds: float | None = None,
    ) -> None:
        notice = Notice(event, self._connector, system, since, seconds)
        for webhook in self._webhooks:
            self._background.start(partial(webhook.send, notice, self._pause), f"the notice to {webhook}")


def _key(system: str) -> str:
    return f"outage:{system}"
