"""One connection that listens: notifications by channel, and the counters of tables."""

import logging
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Protocol

import anyio

from ringmain_core.errors import UpstreamUnavailable

Table = tuple[str, str]
"""Schema and name."""

_ANSWERS_WITHIN = 5.0
_log = logging.getLogger(__name__)

# What changes with the rows of a table and its partitions: what each has counted, and the files they are in
# (for TRUNCATE and REFRESH). No lock is taken that could have to wait. `$1` schemas, `$2` names.
_COUNTERS = """
WITH RECURSIVE part AS (
    SELECT w.schema, w.name, c.oid AS root, c.oid
    FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS w(schema, name)
    JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
    UNION ALL
    SELECT p.schema, p.name, p.root, i.inhrelid
    FROM part p JOIN pg_catalog.pg_inherits i ON i.inhparent = p.oid
)
SELECT schema, name, pg_catalog.concat_ws(' ', root,
       pg_catalog.sum(pg_catalog.pg_stat_get_tuples_inserted(oid)),
       pg_catalog.sum(pg_catalog.pg_stat_get_tuples_updated(oid)),
       pg_catalog.sum(pg_catalog.pg_stat_get_tuples_deleted(oid)),
       pg_catalog.string_agg(pg_catalog.pg_relation_filenode(oid)::text, ',' ORDER BY oid)) AS counted
FROM part GROUP BY schema, name, root
"""


class Connection(Protocol):
    """What of a connection is used to listen."""

    async def fetch(self, query: str, *args: Any) -> list[Mapping[str, Any]]: ...
    async def add_listener(self, channel: str, callback: Callable[..., None]) -> None: ...
    async def remove_listener(self, channel: str, callback: Callable[..., None]) -> None: ...
    def add_termination_listener(self, callback: Callable[..., None]) -> None: ...
    def remove_termination_listener(self, callback: Callable[..., None]) -> None: ...
    def terminate(self) -> None: ...


class Bell:
    """Rings when a notification has come, or when none can come any more."""

    def __init__(self) -> None:
        self._rung = anyio.Event()

    def ring(self) -> None:
        """Wake whoever waits, or will."""
        self._rung.set()

    async def wait(self, seconds: float) -> bool:
        """Whether it has rung since it was last waited for, or does so within these seconds."""
        with anyio.move_on_after(seconds):
            await self._rung.wait()
        rung = self._rung.is_set()
        if rung:
            self._rung = anyio.Event()
        return rung


class Line:
    """A connection at work; what is asked over it is asked one after the other.

    Args:
        heard: Told the channel and payload of every notification.

    Attributes:
        users: How many watch something over it.
        lost: Whether it is gone; then everything raises `UpstreamUnavailable`.
    """

    def __init__(self, connection: Connection, database: str, heard: Callable[[str, str], None]) -> None:
        self.users = 0
        self.lost = False
        self._connection = connection
        self._database = database
        self._heard = heard
        self._asking = anyio.Lock()
        self._answered_at = time.monotonic()
        self._bells: dict[str, list[Bell]] = {}
        self._tables: Counter[Table] = Counter()
        self._counted: dict[Table, str] = {}
        self._counted_at = 0.0
        connection.add_termination_listener(self._terminated)

    @asynccontextmanager
    async def listening(self, channel: str) -> AsyncGenerator[Bell]:
        """Listen to a channel; the bell rings for its notifications."""
        bell = Bell()
        async with self._alone():
            if channel not in self._bells:
                await self._connection.add_listener(channel, self._hear)
                self._bells[channel] = []
            self._bells[channel].append(bell)
        try:
            yield bell
        finally:
            self._bells[channel].remove(bell)
            with anyio.CancelScope(shield=True):
                await self._leave(channel)

    @contextmanager
    def counting(self, table: Table) -> Generator[None]:
        """Have a table counted whenever counters are asked for."""
        self._tables[table] += 1
        try:
            yield
        finally:
            self._tables[table] -= 1
            if not self._tables[table]:
                del self._tables[table]
                self._counted.pop(table, None)

    async def counters(self, table: Table, max_age: float) -> str:
        """What changes with a table's rows, as text; empty where there is no such table.

        One question serves all tables: an answer that is no older than `max_age` seconds will do.
        """
        async with self._alone():
            if table not in self._counted or time.monotonic() - self._counted_at > max_age:
                tables = list(self._tables)
                # Outside of a transaction, each statement sees the statistics of its own moment.
                rows = await self._connection.fetch(_COUNTERS, [t[0] for t in tables], [t[1] for t in tables])
                self._counted = dict.fromkeys(tables, "")
                self._counted |= {(row["schema"], row["name"]): row["counted"] for row in rows}
                self._counted_at = time.monotonic()
            return self._counted[table]

    def listens(self, channel: str) -> bool:
        """Whether somebody listens to a channel over this line."""
        return bool(self._bells.get(channel))

    async def check(self, max_age: float) -> None:
        """Find out whether the other side is still there, unless it has answered in the last seconds."""
        async with self._alone():
            if time.monotonic() - self._answered_at > max_age:
                await self._connection.fetch("SELECT 1")

    def end(self) -> None:
        """Give the connection up: whoever listens is woken, and learns that it is lost."""
        if not self.lost:
            with suppress(Exception):  # it may be closed, and out of our hands, already
                self._connection.terminate()
            self._lose()

    def close(self) -> None:
        """Give the connection back to whoever made the line, with nobody listening any more."""
        if not self.lost:
            self.lost = True
            self._connection.remove_termination_listener(self._terminated)

    async def _leave(self, channel: str) -> None:
        if self.lost or self._bells[channel]:
            return
        with suppress(UpstreamUnavailable):  # then nothing is listened to any more, as it should be
            async with self._alone():
                if not self._bells[channel]:
                    del self._bells[channel]
                    await self._connection.remove_listener(channel, self._hear)

    @asynccontextmanager
    async def _alone(self) -> AsyncGenerator[None]:
        async with self._asking:
            if self.lost:
                raise self._gone()
            try:
                with anyio.fail_after(_ANSWERS_WITHIN):
                    yield
            except Exception as error:
                _log.warning("database %s, listening: %s", self._database, type(error).__name__)
                self.end()  # whatever it was: nobody knows what this connection still hears
                raise self._gone() from error
            self._answered_at = time.monotonic()

    def _hear(self, _: object, __: int, channel: str, payload: str) -> None:
        self._heard(channel, payload)
        for bell in self._bells.get(channel, ()):
            bell.ring()

    def _terminated(self, _: object) -> None:
        if not self.lost:
            self._lose()

    def _lose(self) -> None:
        self.lost = True
        for bells in self._bells.values():
            for bell in bells:
                bell.ring()

    def _gone(self) -> UpstreamUnavailable:
        return UpstreamUnavailable(f"The connection that listens to {self._database!r} is lost.")
