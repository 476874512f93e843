"""Runs the functions of synchronous libraries in threads."""

import asyncio
import math
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import anyio
import anyio.to_thread

T = TypeVar("T")


async def run_in_thread(function: Callable[[], T], ended: Callable[[], None]) -> T:
    """Run a function in a thread. Whoever is cancelled stops waiting for it; the thread goes on to its end.

    Args:
        function: What may block.
        ended: Called once, on the event loop, when the thread is free again or was never needed.
    """
    loop = asyncio.get_running_loop()
    begun = threading.Lock()  # whoever takes it first decides: the thread to begin, or the caller to give up

    def work() -> T:
        if not begun.acquire(blocking=False):
            raise RuntimeError("given up before it began")
        try:
            return function()
        finally:
            with suppress(RuntimeError):  # the loop may be closed by now
                loop.call_soon_threadsafe(ended)

    try:
        unlimited = anyio.CapacityLimiter(math.inf)  # who may have a thread was decided before
        return await anyio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=unlimited)
    finally:
        if begun.acquire(blocking=False):
            ended()
