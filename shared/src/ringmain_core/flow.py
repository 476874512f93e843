"""Where text may flow: after something was read, telling it to a wider audience is a person's decision."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Self, cast, get_args

from ringmain_core.call import Call
from ringmain_core.confirmations import confirm
from ringmain_core.state import State, StateUnavailable

Audience = Literal["self", "group", "organisation", "public"]
"""Who gets to read something, from the narrowest to the widest."""

_AUDIENCES: tuple[Audience, ...] = get_args(Audience)
_WIDTH = {audience: width for width, audience in enumerate(_AUDIENCES)}
_REMEMBERED = 1800.0  # seconds after the last reading
_MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Reading:
    """Text that was read.

    Attributes:
        audience: Who can read it.
        place: Where it was, for places whose readers differ within an audience; empty for several of them.
    """

    audience: Audience
    place: str = ""

    def with_one_more(self, other: "Reading") -> "Reading":
        """What both have in common: the narrower audience, and the place if it is the same."""
        if _WIDTH[self.audience] != _WIDTH[other.audience]:
            return min(self, other, key=lambda one: _WIDTH[one.audience])
        return self if self.place == other.place else Reading(self.audience)

    def to_text(self) -> str:
        """For where it is kept."""
        return f"{self.audience} {self.place}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Back from where it was kept."""
        audience, _, place = text.partition(" ")
        return cls(cast("Audience", audience), place)


class Flow:
    """Remembers for each session, or caller without one, the narrowest of what was read lately.

    Where it cannot be known, because replicas share it and the shared state is away, it counts as the
    narrowest there is.
    """

    def __init__(self, state: State, clock: Callable[[], float] = time.monotonic) -> None:
        self._state = state
        self._clock = clock
        self._read: OrderedDict[str, tuple[Reading, float]] = OrderedDict()

    async def saw(self, call: Call, reading: Reading) -> None:
        """Untrusted text has come into the caller's context."""
        key, now = _key(call), self._clock()
        before, at = self._read.get(key, (reading, 0.0))
        narrowest = before.with_one_more(reading) if now - at < _REMEMBERED else reading
        self._read[key] = (narrowest, now)
        self._read.move_to_end(key)
        if len(self._read) > _MOST_REMEMBERED:
            self._read.popitem(last=False)
        # Others are told when it gets narrower, and now and then, so that they do not forget meanwhile.
        if self._state.shared and (narrowest != before or now - at > _REMEMBERED / 2):
            try:
                await self._state.put(key, narrowest.to_text().encode(), _REMEMBERED * 1.5)
            except StateUnavailable:
                self._read[key] = (narrowest, now - _REMEMBERED / 2)  # so that the next reading tries again

    async def may_share(self, call: Call, reach: Reading, what: str) -> None:
        """Go on where nobody is reached who cannot read what was read before, or where a person says yes.

        Args:
            call: That is about to write.
            reach: Who can read it then, and where.
            what: Is about to happen, as in “Post to #general”.

        Raises:
            Ask, Declined, ConfirmationNeeded: As `confirm` does.
        """
        if not call.grant.flow:
            return
        narrowest = await self._narrowest(call)
        if narrowest is None or (reach.place and narrowest.place == reach.place):
            return
        if _WIDTH[reach.audience] > _WIDTH[narrowest.audience]:
            await confirm(
                call,
                "flow",
                f"{what}? More people will see it ({reach.audience}) than may read what this agent has read "
                f"before ({narrowest.audience}). Make sure that nothing gets out that should not.",
            )
        elif reach.place and _WIDTH[narrowest.audience] < _WIDTH["organisation"]:
            before = narrowest.place or "several places"
            await confirm(
                call,
                "flow",
                f"{what}? Others will see it than those who may read what this agent has read before "
                f"({before}). Make sure that nothing gets out that should not.",
            )

    async def _narrowest(self, call: Call) -> Reading | None:
        key = _key(call)
        narrowest: Reading | None = None
        if key in self._read:
            reading, at = self._read[key]
            narrowest = reading if self._clock() - at < _REMEMBERED else None
        if self._state.shared:
            try:
                kept = await self._state.get(key)
            except StateUnavailable:
                return Reading("self")
            if kept is not None:
                shared = Reading.from_text(kept.decode())
                narrowest = shared if narrowest is None else narrowest.with_one_more(shared)
        return narrowest


def _key(call: Call) -> str:
    return f"flow:{call.connector}:{call.principal.owner}:{call.session or ''}"
