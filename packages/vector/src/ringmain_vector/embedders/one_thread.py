"""A thread for a model: it is asked one thing at a time, and never on the event loop."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import anyio

from ringmain_core.upstream.threads import Threads

T = TypeVar("T")


class OneThread:
    """Runs functions one after the other, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._threads = Threads()
        self._turns = anyio.CapacityLimiter(1)

    async def run(self, function: Callable[[], T]) -> T:
        """Run a function. Who is cancelled stops waiting; the next has its turn when it has ended."""
        turn = object()
        await self._turns.acquire_on_behalf_of(turn)
        return await self._threads.run(function, partial(self._turns.release_on_behalf_of, turn))

    def close(self) -> None:
        """Let the thread end, when it has done what it does."""
        self._threads.close()
