"""What a database tells by itself: a connection while anybody wants to know, and a short memory of it."""

import json
import time
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import anyio

from ringmain_core.errors import UpstreamUnavailable
from ringmain_postgres.client import Database
from ringmain_postgres.line import Bell, Line, Table

_DIAL_SECONDS = 5.0
_HEARTBEAT = 15.0
_MOST_CHANNELS, _MOST_TABLES = 64, 1_000
_MOST_KEPT = 50
_KEPT_CHARACTERS = 1_000
_LONGEST_NAME = 63  # bytes of an identifier
K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Heard:
    """A notification: when it came, on the monotonic clock, and its payload as JSON text, perhaps cut."""

    at: float
    payload: str


class Ears:
    """Listens to one database, over one connection of its own.

    Args:
        database: How to reach it for listening; not the pool that calls use.
        notifies: Whether notifications come through; a pooler that lends sessions by the transaction keeps
            them.
        poll: Seconds between two looks at the counters of tables.
    """

    def __init__(self, database: Database, *, notifies: bool, poll: float = 2.0) -> None:
        self.notifies = notifies
        self._database = database
        self._poll = poll
        self._line: Line | None = None
        self._given_back = AsyncExitStack()
        self._dialing = anyio.Lock()
        self._kept: OrderedDict[str, deque[Heard]] = OrderedDict()
        self._changed: OrderedDict[Table, float] = OrderedDict()

    async def channel(self, channel: str) -> AsyncGenerator[None]:
        """Yield when listening has begun, and then after every notification."""
        self._keep(channel)
        async with self._shared() as line, line.listening(channel) as bell:
            while True:
                yield
                while not await bell.wait(_HEARTBEAT):
                    await line.check(_HEARTBEAT / 2)
                if line.lost:
                    raise UpstreamUnavailable("Notifications may have been missed.")

    async def rows(self, table: Table) -> AsyncGenerator[None]:
        """Yield when watching has begun, and then whenever rows of the table may have changed.

        A trigger that notifies the table's own channel is heard at once; without one, the counters of the
        statistics tell within seconds.
        """
        async with self._shared() as line, self._trigger(line, table) as bell:
            with line.counting(table):
                before = await line.counters(table, 0)
                yield
                while True:
                    rung = await bell.wait(self._poll)
                    now = await line.counters(table, self._poll / 2)
                    if rung or now != before:
                        before = now
                        _remember(self._changed, table, time.monotonic(), _MOST_TABLES)
                        yield

    def heard(self, channel: str) -> Sequence[Heard]:
        """The last notifications of a channel that somebody has listened to, the newest first."""
        return tuple(reversed(self._kept.get(channel, ())))

    def listens(self, channel: str) -> bool:
        """Whether notifications of the channel are heard now."""
        return self._line is not None and not self._line.lost and self._line.listens(channel)

    def changed(self, table: Table) -> float | None:
        """When a table was last seen to have changed, on the monotonic clock."""
        return self._changed.get(table)

    async def close(self) -> None:
        """Hang up, whoever still listens."""
        if self._line is not None:
            self._line.end()
        await self._hang_up()
        await self._database.close()

    @asynccontextmanager
    async def _shared(self) -> AsyncGenerator[Line]:
        async with self._dialing:
            if self._line is None or self._line.lost:
                await self._hang_up()
                self._line = await self._dial()
            line = self._line
            line.users += 1
        try:
            yield line
        finally:
            line.users -= 1
            with anyio.CancelScope(shield=True):
                async with self._dialing:
                    if line is self._line and not line.users:
                        await self._hang_up()

    async def _dial(self) -> Line:
        borrowed = self._database.connection(_DIAL_SECONDS)
        connection: Any = await self._given_back.enter_async_context(borrowed)
        return Line(connection, self._database.name, self._hear)

    async def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
        await self._given_back.aclose()

    @asynccontextmanager
    async def _trigger(self, line: Line, table: Table) -> AsyncGenerator[Bell]:
        if not self.notifies:
            yield Bell()
            return
        async with line.listening(trigger_channel(table)) as bell:
            yield bell

    def _keep(self, channel: str) -> None:
        _remember(self._kept, channel, self._kept.get(channel, deque(maxlen=_MOST_KEPT)), _MOST_CHANNELS)

    def _hear(self, channel: str, payload: str) -> None:
        kept = self._kept.get(channel)
        if kept is not None:
            cut = payload[:_KEPT_CHARACTERS]
            more = f" … ({len(payload):,} characters)" if len(payload) > len(cut) else ""
            kept.append(Heard(time.monotonic(), json.dumps(cut, ensure_ascii=False) + more))


def trigger_channel(table: Table) -> str:
    """The channel that an operator's trigger on a table notifies; cut as Postgres cuts identifiers."""
    return "_".join(("ringmain", *table)).encode()[:_LONGEST_NAME].decode(errors="ignore")


def is_channel(name: str) -> bool:
    """Whether Postgres can have a channel of this name."""
    return 0 < len(name.encode(errors="replace")) <= _LONGEST_NAME and "\0" not in name


def _remember(memory: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    """Put something in, as the newest; the oldest makes room."""
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > most:
        memory.popitem(last=False)
