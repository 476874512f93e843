"""Watches what somebody listens to: one watcher for each URI, however many listen."""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, KeysView
from contextlib import aclosing
from contextvars import Context
from dataclasses import dataclass, field

import anyio

from ringmain_core.arguments import Upstream
from ringmain_core.live.hearing import Subject

_BEGINS_WITHIN = 3.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class _Watcher:
    """One URI under watch.

    Attributes:
        listeners: How many listen.
        begun: Set once it has begun to watch for the first time.
        owed: Whether something may have changed unseen, which is told as soon as it is watched again.
        failures: How often in a row it could not be watched.
        stopping: Runs while nobody listens any more.
    """

    subject: Subject
    listeners: int = 0
    task: asyncio.Task[None] | None = None
    begun: anyio.Event = field(default_factory=anyio.Event)
    owed: bool = False
    failures: int = 0
    stopping: asyncio.TimerHandle | None = None

    @property
    def name(self) -> str:
        return self.subject.resource.name


class Watchers:
    """Starts a watcher with the first listener of a URI, and stops it some seconds after the last has left.

    Args:
        upstream: Handed to what the connector declares.
        tell: Told the URI of what may have changed.
        grace: Seconds that a watcher goes on without listeners: who lost a connection is soon back.
        quiet: Seconds after each change in which further ones are gathered into one.
    """

    def __init__(
        self, upstream: Upstream, tell: Callable[[str], None], *, grace: float = 5.0, quiet: float = 0.25
    ) -> None:
        self._upstream = upstream
        self._tell = tell
        self.grace = grace
        self.quiet = quiet
        self._watchers: dict[str, _Watcher] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Stop all of them, and wait until they have."""
        for watcher in tuple(self._watchers.values()):
            if watcher.stopping is not None:
                watcher.stopping.cancel()
            self._stop(watcher)
        if self._tasks:
            await asyncio.wait(self._tasks)

    def uris(self) -> KeysView[str]:
        """What is watched."""
        return self._watchers.keys()

    def add(self, subject: Subject) -> None:
        """Count one more listener; every `add` wants its `drop`."""
        watcher = self._watchers.get(subject.uri)
        if watcher is None:
            watcher = self._watchers[subject.uri] = _Watcher(subject)
            # In a context of its own: it works for nobody's call in particular.
            loop = asyncio.get_running_loop()
            watcher.task = loop.create_task(self._keep(watcher), context=Context())
            self._tasks.add(watcher.task)
            watcher.task.add_done_callback(self._tasks.discard)
        watcher.listeners += 1
        if watcher.stopping is not None:
            watcher.stopping.cancel()
            watcher.stopping = None

    def drop(self, uri: str) -> None:
        """Count one listener less."""
        watcher = self._watchers.get(uri)
        if watcher is None:
            return  # everything has ended
        watcher.listeners -= 1
        if watcher.listeners == 0:
            watcher.stopping = asyncio.get_running_loop().call_later(self.grace, self._stop, watcher)

    async def begun(self, uris: Iterable[str]) -> None:
        """Wait until changes will be seen; where that takes too long, there is one to tell afterwards."""
        waited_for = [watcher for uri in uris if (watcher := self._watchers.get(uri)) is not None]
        with anyio.move_on_after(_BEGINS_WITHIN):
            for watcher in waited_for:
                await watcher.begun.wait()
        for watcher in waited_for:
            if not watcher.begun.is_set():
                watcher.owed = True

    def _stop(self, watcher: _Watcher) -> None:
        self._watchers.pop(watcher.subject.uri, None)
        if watcher.task is not None:
            watcher.task.cancel()

    async def _keep(self, watcher: _Watcher) -> None:
        """Watch until nobody listens any more, also over failures."""
        while True:
            try:
                await self._follow(watcher)
            except Exception as error:  # noqa: BLE001 (whatever a connector raises, the others go on)
                if not watcher.failures:
                    _log.warning("%s is not watched now: %s", watcher.name, type(error).__name__)
            watcher.owed = True
            watcher.failures += 1
            pause = min(_FIRST_PAUSE * 2 ** min(watcher.failures - 1, 10), _LONGEST_PAUSE)
            await anyio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 (only spreads the load)

    async def _follow(self, watcher: _Watcher) -> None:
        subject = watcher.subject
        async with aclosing(subject.watch.changes(self._upstream, subject.variables)) as changes:
            begins = True
            async for _ in changes:
                if begins:
                    begins = False
                    if watcher.failures:
                        _log.info("%s is watched again", watcher.name)
                    watcher.failures = 0
                    watcher.begun.set()
                    if not watcher.owed:
                        continue
                watcher.owed = False
                self._tell(subject.uri)
                await anyio.sleep(self.quiet)
