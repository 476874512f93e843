"""So many calls to a system at once: one that hangs cannot take the whole server with it."""

import anyio

_LINE = 4
"""So many may wait for each place: agents ask for a dozen things at once, and want answers, not refusals."""


class Busy(Exception):
    """All places are taken, and none became free in time."""


class Bulkhead:
    """Places for calls, and a short line in front of them.

    Args:
        at_once: Calls side by side; four times as many may wait.
        patience: Seconds that one waits.
    """

    def __init__(self, at_once: int, patience: float = 5.0) -> None:
        self._limiter = anyio.CapacityLimiter(at_once)
        self._patience = patience
        self._at_once = at_once
        self._waiting = 0

    @property
    def taken(self) -> int:
        """How many places are taken now."""
        return self._limiter.borrowed_tokens

    async def enter(self, slot: object) -> None:
        """Take a place under a name that nobody else uses.

        Raises:
            Busy: Where there is none.
        """
        try:
            self._limiter.acquire_on_behalf_of_nowait(slot)
        except anyio.WouldBlock:
            await self._wait(slot)

    def leave(self, slot: object) -> None:
        """Give the place back."""
        self._limiter.release_on_behalf_of(slot)

    async def _wait(self, slot: object) -> None:
        if self._waiting >= _LINE * self._at_once:
            raise Busy
        self._waiting += 1
        try:
            with anyio.move_on_after(self._patience):
                await self._limiter.acquire_on_behalf_of(slot)
                return
        finally:
            self._waiting -= 1
        raise Busy
