"""Work beside the calls: bounded, waited for by nobody, and over when the process ends."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup

from ringmain_core.call import current_call

_MOST = 200
_GRACE = 2.0
_log = logging.getLogger(__name__)


class Background:
    """Starts small pieces of work; `background()` makes one."""

    def __init__(self, tasks: TaskGroup, most: int) -> None:
        self._tasks = tasks
        self._most = most
        self._running = 0
        self._closing = anyio.Event()
        self._ended = anyio.Event()

    def start(self, work: Callable[[], Awaitable[object]], what: str) -> None:
        """Do something soon. It is left undone, and logged, where too much is going on or the end has come.

        Args:
            work: Its failure is logged.
            what: Names it in the log.
        """
        if self._running >= self._most or self._closing.is_set():
            _log.warning("left undone: %s", what)
            return
        self._running += 1
        self._tasks.start_soon(self._run, work, what)

    async def pause(self, seconds: float) -> bool:
        """Wait; False, at once, where the end comes first."""
        with anyio.move_on_after(seconds):
            await self._closing.wait()
        return not self._closing.is_set()

    async def finish(self) -> None:
        """Take nothing more, and wait for what is running."""
        self._closing.set()
        while self._running:
            self._ended = anyio.Event()
            await self._ended.wait()

    async def _run(self, work: Callable[[], Awaitable[object]], what: str) -> None:
        current_call.set(None)  # it outlives the call that caused it
        try:
            await work()
        except Exception:  # noqa: BLE001 (the edge: nobody waits for this)
            _log.exception("%s failed", what)
        finally:
            self._running -= 1
            self._ended.set()


@asynccontextmanager
async def background(most: int = _MOST, grace: float = _GRACE) -> AsyncGenerator[Background]:
    """Take work until the block ends; what is running then has a moment to finish.

    Args:
        most: Pieces at once.
        grace: Seconds of that moment.
    """
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:
        started = Background(tasks, most)
        try:
            yield started
        except Exception as error:  # noqa: BLE001 (raised below: out of a task group it would come wrapped)
            failure = error
        finally:
            with anyio.move_on_after(grace, shield=True):
                await started.finish()
            tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure
