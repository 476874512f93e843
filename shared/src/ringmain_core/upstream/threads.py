"""Runs the functions of synchronous libraries in threads."""

import asyncio
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from queue import SimpleQueue
from typing import TypeVar

import anyio.lowlevel

T = TypeVar("T")
_Jobs = SimpleQueue[Callable[[], None] | None]


class Threads:
    """As many threads as there were ever functions at once; who may run one is decided elsewhere.

    The standard library's executor and anyio's threads cost a call up to 100 µs more: they lock what only the
    event loop touches here, and anyio's wake it twice.
    """

    def __init__(self) -> None:
        self._jobs = _Jobs()
        self._started: int = 0
        self._busy: int = 0
        self._end = weakref.finalize(self, self._jobs.put, None)

    async def run(self, function: Callable[[], T], ended: Callable[[], None]) -> T:
        """Run a function. Whoever is cancelled stops waiting for it; the thread goes on to its end.

        Args:
            function: What may block.
            ended: Called once, on the event loop, when the thread is free again or was never needed.
        """
        try:
            await anyio.lowlevel.checkpoint_if_cancelled()
            self._take_thread()
        except BaseException:
            ended()
            raise
        loop = asyncio.get_running_loop()
        result: asyncio.Future[T] = loop.create_future()
        context = copy_context()

        def give_back(value: T) -> None:
            self._busy -= 1
            ended()
            if not result.done():
                result.set_result(value)

        def fail(error: BaseException) -> None:
            self._busy -= 1
            ended()
            if not result.done():
                result.set_exception(error)

        def work() -> None:
            with suppress(RuntimeError):  # the loop may be closed by now
                try:
                    value = context.run(function)
                except BaseException as error:  # noqa: BLE001 (it is raised where the result is waited for)
                    loop.call_soon_threadsafe(fail, error)
                else:
                    loop.call_soon_threadsafe(give_back, value)

        self._jobs.put(work)
        return await result

    def close(self) -> None:
        """Let the threads end, each when it has done what it does."""
        self._end()

    def _take_thread(self) -> None:
        if self._busy == self._started:
            name = f"ringmain-{self._started + 1}"
            threading.Thread(target=_work, args=(self._jobs,), name=name, daemon=True).start()
            self._started += 1
        self._busy += 1


def _work(jobs: _Jobs) -> None:
    while (job := jobs.get()) is not None:
        job()
        del job  # with what it holds, which else would stay until the next one
    jobs.put(None)  # so that the other threads end, too
