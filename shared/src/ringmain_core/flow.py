"""Where text may flow: after something was read, telling it to a wider audience is a person's decision."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Literal, get_args

from ringmain_core.call import Call
from ringmain_core.confirmations import confirm
from ringmain_core.state import State, StateUnavailable

Audience = Literal["self", "group", "organisation", "public"]
"""Who gets to read something, from the narrowest to the widest."""

_AUDIENCES: tuple[Audience, ...] = get_args(Audience)
_WIDTH = {audience: width for width, audience in enumerate(_AUDIENCES)}
_REMEMBERED = 1800.0  # seconds after the last reading
_MOST_REMEMBERED = 10_000


class Flow:
    """Remembers for each session, or caller without one, the narrowest audience of what was read lately.

    Where it cannot be known, because replicas share it and the shared state is away, it counts as the
    narrowest.
    """

    def __init__(self, state: State, clock: Callable[[], float] = time.monotonic) -> None:
        self._state = state
        self._clock = clock
        self._read: OrderedDict[str, tuple[Audience, float]] = OrderedDict()

    async def saw(self, call: Call, audience: Audience) -> None:
        """Untrusted text that this audience can read has come into the caller's context."""
        key, now = _key(call), self._clock()
        before, at = self._read.get(key, (audience, 0.0))
        narrowest = _narrower(before, audience) if now - at < _REMEMBERED else audience
        self._read[key] = (narrowest, now)
        self._read.move_to_end(key)
        if len(self._read) > _MOST_REMEMBERED:
            self._read.popitem(last=False)
        # Others are told when it gets narrower, and now and then, so that they do not forget meanwhile.
        if self._state.shared and (narrowest != before or now - at > _REMEMBERED / 2):
            try:
                await self._state.put(key, narrowest.encode(), _REMEMBERED * 1.5)
            except StateUnavailable:
                self._read[key] = (narrowest, now - _REMEMBERED / 2)  # so that the next reading tries again

    async def may_share(self, call: Call, audience: Audience, what: str) -> None:
        """Go on where this audience is no wider than that of what was read, or where a person says yes.

        `what` is about to happen, as in “Post to #general”.

        Raises:
            Ask, Declined, ConfirmationNeeded: As `confirm` does.
        """
        if not call.grant.flow:
            return
        narrowest = await self._narrowest(call)
        if narrowest is not None and _WIDTH[audience] > _WIDTH[narrowest]:
            await confirm(
                call,
                "flow",
                f"{what}? More people will see it ({audience}) than may read what this agent has read before "
                f"({narrowest}). Make sure that nothing gets out that should not.",
            )

    async def _narrowest(self, call: Call) -> Audience | None:
        key = _key(call)
        narrowest: Audience | None = None
        if key in self._read:
            audience, at = self._read[key]
            narrowest = audience if self._clock() - at < _REMEMBERED else None
        if self._state.shared:
            try:
                kept = await self._state.get(key)
            except StateUnavailable:
                return "self"
            for audience in _AUDIENCES:
                if kept == audience.encode():
                    narrowest = audience if narrowest is None else _narrower(narrowest, audience)
        return narrowest


def _narrower(one: Audience, other: Audience) -> Audience:
    return one if _WIDTH[one] <= _WIDTH[other] else other


def _key(call: Call) -> str:
    return f"flow:{call.connector}:{call.principal.owner}:{call.session or ''}"
