"""A real Postgres with the flights of 2013 in it, as its administrator sees it."""

import importlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from standins.flights import load_flights
from standins.postgres import running_postgres, url_of

asyncpg: Any = importlib.import_module("asyncpg")  # it ships no types

NAME = "nycflights"
READER = "ringmain_reader"


class FlightsDatabase:
    """The database and its addresses."""

    def __init__(self, server: Any) -> None:
        self._server = server

    def url(self, user: str = "postgres", password: str = "") -> str:
        """The address for a user; the server trusts whoever reaches its socket."""
        secret = f":{quote(password)}" if password else ""
        return url_of(self._server, NAME, user + secret)

    async def load(self, say: Callable[[str], None]) -> str:
        """Make the database and fill it; return the version of the server."""
        await _execute(url_of(self._server), f"CREATE DATABASE {NAME}")
        connection: Any = await asyncpg.connect(self.url())
        try:
            version: str = await connection.fetchval("SHOW server_version")
            await load_flights(connection, say)
        finally:
            await connection.close()
        return version

    async def run(self, script: str) -> None:
        """Run SQL as the administrator."""
        await _execute(self.url(), script)


@contextmanager
def flights_database() -> Generator[FlightsDatabase]:
    """An empty server, stopped and deleted at the end."""
    with running_postgres() as server:
        yield FlightsDatabase(server)


async def _execute(url: str, sql: str) -> None:
    connection: Any = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
