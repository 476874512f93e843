"""Where text may flow: after something was read, telling it to others is a person's decision."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
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
_TOLD_AGAIN = _REMEMBERED / 2
_KEPT = _REMEMBERED + _TOLD_AGAIN  # so that others do not forget before they are told again


@dataclass(frozen=True, slots=True)
class Reading:
    """Text that was read.

    Attributes:
        audience: Who can read it.
        place: Where it was, for places whose readers differ within an audience; empty for several of them.
    """

    audience: Audience
    place: str = ""

    def keeps_from(self, reach: "Reading") -> bool:
        """Whether somebody is reached who cannot read this."""
        if reach.place and reach.place == self.place:
            return False
        return self.is_narrower_than(reach) or (
            bool(reach.place) and _WIDTH[self.audience] < _WIDTH["organisation"]
        )

    def is_narrower_than(self, other: "Reading") -> bool:
        """Whether fewer people can read it."""
        return _WIDTH[self.audience] < _WIDTH[other.audience]

    def to_text(self) -> str:
        """For where it is kept."""
        return f"{self.audience} {self.place}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Back from where it was kept."""
        audience, _, place = text.partition(" ")
        return cls(cast("Audience", audience), place)


Readings = frozenset[Reading]
"""What was read, one for each audience: two places of one keep from each other, so they are “several”."""

_NOTHING = Readings()
_UNKNOWN = Readings((Reading("self"),))


@dataclass(slots=True)
class _Memory:
    """What one caller has read lately.

    Attributes:
        at: When it has read last.
        told: What is known to be in the shared state; `None` where that is not known at all.
        told_at: Since when.
    """

    readings: Readings = _NOTHING
    at: float = 0.0
    told: Readings | None = None
    told_at: float = 0.0


class Flow:
    """Remembers what each caller has read, until half an hour has gone by without a further reading.

    A caller is a principal: sessions are the client's to choose. Replicas share what they remember, and tell
    it again when the shared state was away. While it is, callers count as having read what nobody else can.
    """

    def __init__(self, state: State, clock: Callable[[], float] = time.monotonic) -> None:
        self._state = state
        self._clock = clock
        self._read: dict[str, _Memory] = {}  # who has read last comes last
        self._telling: asyncio.Task[None] | None = None
        if state.shared:
            state.on_gap(self._after_gap)

    async def saw(self, call: Call, reading: Reading) -> None:
        """Untrusted text has come into the caller's context."""
        key, now = _key(call), self._clock()
        self._forget_old(now)
        memory = self._read.pop(key, None) or _Memory()
        self._read[key] = memory
        if reading not in memory.readings:
            memory.readings = _united(memory.readings, (reading,))
        memory.at = now
        if not self._state.shared:
            return
        if memory.told != memory.readings or now - memory.told_at > _TOLD_AGAIN:
            with suppress(StateUnavailable):  # the next use tries again
                await self._tell(key, memory)

    async def may_share(self, call: Call, reach: Reading, what: str) -> None:
        """Go on where nobody is reached who cannot read what was read before, or where a person says yes.

        Args:
            call: That is about to write.
            reach: Who can read it then, and where.
            what: Is about to happen, as in “Post to #general”.

        Raises:
            Ask, Declined, ConfirmationNeeded, StateLost: As `confirm` does.
        """
        if not call.grant.flow:
            return
        kept_from = [reading for reading in await self._readings(call) if reading.keeps_from(reach)]
        if not kept_from:
            return
        narrowest = min(kept_from, key=lambda reading: _WIDTH[reading.audience])
        if narrowest.is_narrower_than(reach):
            who = f"More people will see it ({reach.audience}) than may read"
            before: str = narrowest.audience
        else:
            who = "Others will see it than those who may read"
            before = narrowest.place or "several places"
        await confirm(
            call,
            "flow",
            f"{what}? {who} what this agent has read before ({before}). Make sure that nothing gets out that "
            "should not.",
        )

    async def _readings(self, call: Call) -> Readings:
        key = _key(call)
        self._forget_old(self._clock())
        memory = self._read.get(key)
        if not self._state.shared:
            return _NOTHING if memory is None else memory.readings
        try:
            if memory is not None and memory.told != memory.readings:
                await self._tell(key, memory)
            kept = _from_bytes(await self._state.get(key))
        except StateUnavailable:
            return _UNKNOWN
        return kept if memory is None else _united(kept, memory.readings)

    async def _tell(self, key: str, memory: _Memory) -> None:
        """Unite it with what is kept, so that every replica knows what any of them has seen.

        Raises:
            StateUnavailable: Where the others may not know it.
        """
        while True:  # whoever was faster has made it grow, which it can do a few times only
            kept = await self._state.get(key)
            memory.readings = readings = _united(memory.readings, _from_bytes(kept))
            if await self._keep(key, kept, _to_bytes(readings)):
                memory.told, memory.told_at = readings, self._clock()
                return

    async def _keep(self, key: str, old: bytes | None, new: bytes) -> bool:
        if old is None:
            return await self._state.put(key, new, _KEPT, only_if_absent=True)
        return await self._state.replace(key, old, new, _KEPT)

    def _after_gap(self) -> None:
        for memory in self._read.values():
            memory.told = None  # the state may have come back empty
        self._telling = asyncio.get_running_loop().create_task(self._tell_all())

    async def _tell_all(self) -> None:
        self._forget_old(self._clock())
        with suppress(StateUnavailable):  # another gap will follow
            for key, memory in tuple(self._read.items()):
                if memory.told is None:
                    await self._tell(key, memory)

    def _forget_old(self, now: float) -> None:
        while self._read:
            key, memory = next(iter(self._read.items()))
            if now - memory.at < _REMEMBERED:
                return
            del self._read[key]


def _united(*several: Iterable[Reading]) -> Readings:
    places: dict[Audience, str] = {}
    for readings in several:
        for one in readings:
            same = places.setdefault(one.audience, one.place) == one.place
            places[one.audience] = one.place if same else ""
    return Readings(Reading(audience, place) for audience, place in places.items())


def _to_bytes(readings: Readings) -> bytes:
    return json.dumps(sorted(reading.to_text() for reading in readings)).encode()


def _from_bytes(kept: bytes | None) -> Readings:
    return _NOTHING if kept is None else Readings(map(Reading.from_text, json.loads(kept)))


def _key(call: Call) -> str:
    return f"flow:{call.connector}:{call.principal.owner}"
