"""Runs the functions of synchronous libraries in threads."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

import anyio.lowlevel

T = TypeVar("T")


class Threads:
    """Threads that are started when they are needed, and stay.

    Args:
        most: How many there may be; whoever runs functions here keeps to it.
    """

    def __init__(self, most: int) -> None:
        self._executor = ThreadPoolExecutor(most, thread_name_prefix="ringmain")

    async def run(self, function: Callable[[], T], ended: Callable[[], None]) -> T:
        """Run a function. Whoever is cancelled stops waiting for it; the thread goes on to its end.

        Args:
            function: What may block.
            ended: Called once, on the event loop, when the thread is free again or was never needed.
        """
        try:
            await anyio.lowlevel.checkpoint_if_cancelled()
        except BaseException:
            ended()
            raise
        loop = asyncio.get_running_loop()
        result: asyncio.Future[T] = loop.create_future()

        # The loop is woken once for all: that costs more than most of what is done there.
        def returned(value: T) -> None:
            ended()
            if not result.done():
                result.set_result(value)

        def failed(error: BaseException) -> None:
            ended()
            if not result.done():
                result.set_exception(error)

        def work() -> None:
            try:
                value = context.run(function)
            except BaseException as error:  # noqa: BLE001 (it is raised where the result is waited for)
                loop.call_soon_threadsafe(failed, error)
            else:
                loop.call_soon_threadsafe(returned, value)

        context = copy_context()
        begun = self._executor.submit(work)
        try:
            return await result
        except BaseException:
            if begun.cancel():
                ended()
            raise

    def close(self) -> None:
        """Let the threads end, each when it has done what it does."""
        self._executor.shutdown(wait=False)
