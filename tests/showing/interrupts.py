"""A clean end on Ctrl-C and SIGTERM, whatever is being done."""

import asyncio
import signal
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_AGAIN_AFTER = 10


class _Interrupts:
    """Interrupts what runs; what runs in a loop of asyncio is cancelled instead.

    Libraries for asyncio, anyio's scopes above all, do not bear an exception that comes up anywhere at all.
    """

    def __init__(self) -> None:
        self._work: asyncio.Task[Any] | None = None
        self._cancelled = False

    def __call__(self, _: int, __: FrameType | None) -> None:
        _ignore()
        signal.alarm(_AGAIN_AFTER)
        if self._work is None:
            raise KeyboardInterrupt
        self._cancelled = True
        self._work.get_loop().call_soon_threadsafe(self._work.cancel)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        async def held() -> T:
            self._work = asyncio.current_task()
            try:
                return await work
            finally:
                self._work = None

        try:
            return asyncio.run(held())
        finally:
            if self._cancelled:
                raise KeyboardInterrupt


_interrupts = _Interrupts()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Like `asyncio.run`, but a signal lets the work end in order before it interrupts."""
    return _interrupts.run(work)


@contextmanager
def stopping_on_signals() -> Generator[None]:
    """The first signal interrupts what runs inside; after that none disturbs the cleaning up.

    Where the interrupt gets lost, as in a callback of C code that cannot raise, it comes again.
    """
    for number in (*_SIGNALS, signal.SIGALRM):
        signal.signal(number, _interrupts)
    try:
        yield
    finally:
        signal.alarm(0)
        _ignore()


def _ignore() -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
