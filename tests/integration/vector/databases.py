"""A Postgres with pgvector, started when first wanted, and a database of its own for each test."""

import importlib
from contextlib import ExitStack
from itertools import count
from typing import Any

from standins.postgres import running_postgres, url_of

asyncpg: Any = importlib.import_module("asyncpg")  # it ships no types


class Databases:
    """One server for a run of the tests."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._server: Any = None
        self._numbers = count()

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        if self._server is None:
            self._server = self._stack.enter_context(running_postgres())
        return url_of(self._server, database, user)

    async def fresh(self) -> str:
        """An empty database; it goes with the server."""
        if self._server is None:
            await run(self.url(), "ALTER SYSTEM SET fsync = off")  # nothing has to outlive a power cut
            await run(self.url(), "SELECT pg_reload_conf()")
        name = f"vectors_{next(self._numbers)}"
        await run(self.url(), f"CREATE DATABASE {name}")
        return self.url(name)

    def close(self) -> None:
        self._stack.close()


DATABASES = Databases()
"""`conftest.py` closes it."""


async def run(url: str, sql: str) -> None:
    """Run statements as whoever the URL says."""
    connection: Any = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def value(url: str, sql: str, *parameters: Any) -> Any:
    """The one value that a query returns."""
    connection: Any = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql, *parameters)
    finally:
        await connection.close()
