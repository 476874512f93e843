"""A real Postgres 16 and 18, with the corpus' objects in them."""

import asyncio
import importlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from ringmain_postgres.sql import SESSION_SETTINGS, Checked, Guard, Policy

asyncpg: Any = importlib.import_module("asyncpg")  # it ships no types


class Database:
    """One database of one server, used from ordinary test functions."""

    def __init__(self, runner: asyncio.Runner, version: int, dsn: str) -> None:
        self.runner = runner
        self.version = version
        self.dsn = dsn
        self.guard = Guard(Policy())
        self.round_trips = 0
        self.connection: Any = self.run(asyncpg.connect(dsn))

    def run(self, work: Any) -> Any:
        async def awaited() -> Any:
            return await work

        return self.runner.run(awaited())

    async def fetch(self, sql: str, *arguments: Any) -> Sequence[Mapping[str, Any]]:
        self.round_trips += 1
        return await self.connection.fetch(sql, *arguments)

    def execute(self, sql: str) -> None:
        self.run(self.connection.execute(sql))

    def prepare_session(self) -> None:
        """Set what an executor sets."""
        self.execute(f"SET search_path = {', '.join(self.guard.search_path)}")
        for name, value in SESSION_SETTINGS.items():
            self.execute(f"SET {name} = {value}")

    def check(self, sql: str, guard: Guard | None = None) -> Checked:
        return self.run((guard or self.guard).check(sql, self.fetch))

    def read(self, sql: str, *arguments: Any) -> list[Any]:
        """Run a statement as an executor would, and undo whatever it did."""
        return self.run(self._read(sql, arguments))

    async def _read(self, sql: str, arguments: Sequence[Any]) -> list[Any]:
        transaction = self.connection.transaction(isolation="repeatable_read", readonly=True)
        await transaction.start()
        try:
            await self.connection.execute("SET LOCAL statement_timeout = '2s'")
            return await self.connection.fetch(sql, *arguments)
        finally:
            await transaction.rollback()

    def effects(self) -> dict[str, Any]:
        """Everything that a statement could have left behind in the database or the session."""
        row: Any = self.run(self.connection.fetchrow(EFFECTS))
        return {**row}


EFFECTS = """
SELECT current_setting('mcp.evil', true) AS evil, current_user AS role,
    current_setting('search_path') AS path, current_setting('statement_timeout') AS timeout,
    current_setting('default_transaction_read_only') AS read_only,
    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory') AS advisory_locks,
    (SELECT count(*) FROM pg_class) AS relations, (SELECT count(*) FROM pg_proc) AS functions,
    (SELECT count(*) FROM pg_class WHERE relpersistence = 't') AS temporary,
    (SELECT array_agg(c) FROM pg_listening_channels() c) AS channels,
    (SELECT count(*) FROM pg_prepared_statements WHERE from_sql) AS prepared,
    (SELECT count(*) FROM pg_cursors WHERE is_holdable) AS cursors,
    (SELECT count(*) FROM pg_largeobject_metadata) AS large_objects,
    (SELECT count(*) FROM pg_replication_slots) AS slots, (SELECT count(*) FROM pg_roles) AS roles,
    (SELECT array_agg(t ORDER BY id) FROM public.victim t)::text AS victim,
    (SELECT count(*) FROM public.fnlog) AS logged, (SELECT last_value FROM public.victim_seq) AS sequence,
    pg_current_xact_id_if_assigned() AS transaction
"""


@pytest.fixture(scope="session")
def database(corpus: str, server_version: int) -> Iterator[Database]:
    with asyncio.Runner() as runner:
        database = Database(runner, server_version, corpus)
        database.prepare_session()
        yield database
        database.connection.terminate()  # other tests may have crashed its server
