"""Connections to one database: made as needed, at most so many at once, and not kept idle for long."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from weakref import WeakKeyDictionary

import anyio

from ringmain_postgres.session import Connection

_IDLE_SECONDS = 120.0


class Pool:
    """Hands out connections, the last used first. asyncpg's own spends a task and a few timers on each use.

    Args:
        connect: Makes a connection.
        size: How many there may be.
        patience: Seconds to wait while all are in use.
    """

    def __init__(self, connect: Callable[[], Awaitable[Connection]], size: int, patience: float) -> None:
        self._connect = connect
        self._size = size
        self._patience = patience
        self._places = anyio.Semaphore(size, fast_acquire=True)
        self._idle: list[tuple[Connection, float]] = []
        self._open: WeakKeyDictionary[Connection, int] = WeakKeyDictionary()
        self._generation = 0
        self._timer: asyncio.TimerHandle | None = None

    async def take(self) -> Connection:
        """A connection that nobody else uses; it must be given back.

        Raises:
            TimeoutError: Where none became free in time.
            Exception: Whatever `connect` raises.
        """
        try:
            self._places.acquire_nowait()
        except anyio.WouldBlock:
            with anyio.fail_after(self._patience):
                await self._places.acquire()
        try:
            while self._idle:
                connection, _ = self._idle.pop()
                if not connection.is_closed():
                    return connection
            generation = self._generation
            connection = await self._connect()
            self._open[connection] = generation
        except BaseException:
            self._places.release()
            raise
        return connection

    def give_back(self, connection: Connection) -> None:
        """Keep a clean connection for the next user; one that was terminated only makes room."""
        if self._open.get(connection) != self._generation:
            connection.terminate()
        if not connection.is_closed():
            self._idle.append((connection, time.monotonic()))
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._end_idle)
        self._places.release()

    def renew(self) -> None:
        """From now on hand out new connections only; those in use end when they are given back."""
        self._generation += 1
        for connection, _ in self._idle:
            connection.terminate()
        self._idle.clear()

    async def close(self, seconds: float) -> None:
        """Close every connection, politely where that works within some seconds."""
        if self._timer is not None:
            self._timer.cancel()
        with anyio.move_on_after(seconds, shield=True):
            for _ in range(self._size):
                await self._places.acquire()  # whoever is still at work gives it back
            for connection, _ in self._idle:
                with suppress(OSError):
                    await connection.close()
        for connection in self._open:
            connection.terminate()

    def _end_idle(self) -> None:
        """Terminate what nobody has used for a while. The longest unused come first."""
        self._timer = None
        now = time.monotonic()
        while self._idle and self._idle[0][1] + _IDLE_SECONDS <= now:
            self._idle.pop(0)[0].terminate()
        if self._idle:
            wait = self._idle[0][1] + _IDLE_SECONDS - now
            self._timer = asyncio.get_running_loop().call_later(wait, self._end_idle)
