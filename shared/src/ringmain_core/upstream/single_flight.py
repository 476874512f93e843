"""Equal calls at the same time: one does the work, the others wait for what comes of it."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import anyio

from ringmain_core.errors import RingmainError

T = TypeVar("T")


class _Flight(Generic[T]):
    def __init__(self) -> None:
        self.landed: anyio.Event | None = None  # made by the first who waits, as hardly anybody does
        self.results: list[T] = []
        self.failure: RingmainError | None = None

    async def wait(self) -> None:
        if self.landed is None:
            self.landed = anyio.Event()
        await self.landed.wait()

    def land(self) -> None:
        if self.landed is not None:
            self.landed.set()


class SingleFlight(Generic[T]):
    """Who joins and is cancelled leaves alone; if the one who works is cancelled, another takes over.

    Args:
        concerns_all: Whether a result is one for everybody who waits; otherwise each gets one of its own.
    """

    def __init__(self, concerns_all: Callable[[T], bool]) -> None:
        self._concerns_all = concerns_all
        self._flights: dict[str, _Flight[T]] = {}

    async def run(self, key: str, work: Callable[[], Awaitable[T]]) -> tuple[T, bool]:
        """Do the work of a key, or wait for whoever does; also says whether it was joined.

        A failure with words for the caller is everybody's; any other only of the one who met it.
        """
        while (flight := self._flights.get(key)) is not None:
            await flight.wait()
            if flight.failure is not None:
                raise flight.failure.with_traceback(None)
            if flight.results:
                return flight.results[0], True
        flight = self._flights[key] = _Flight[T]()
        try:
            result = await work()
        except RingmainError as error:
            flight.failure = error
            raise
        else:
            if self._concerns_all(result):
                flight.results.append(result)
            return result, False
        finally:
            del self._flights[key]
            flight.land()
