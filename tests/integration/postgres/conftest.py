"""Real Postgres servers, 16 and 18, and a small shop to query on each."""

import importlib
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anyio
import pytest

from standins.postgres import running_postgres, url_of

asyncpg: Any = importlib.import_module("asyncpg")  # it ships no types

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="session")
def start_server() -> Iterator[Callable[[int], str]]:
    """Start a server of a version once; stop and delete all at the end."""
    urls: dict[int, str] = {}
    with ExitStack() as stack:

        def start(version: int) -> str:
            if version not in urls:
                urls[version] = url_of(stack.enter_context(running_postgres(version)))
            return urls[version]

        yield start


def create_database(server: str, name: str, setup: str) -> str:
    """Make a database on a server and fill it, unless it is there already; return its URL."""
    dsn = server.replace("/postgres?", f"/{name}?")
    anyio.run(_create_database, server, name, dsn, setup)
    return dsn


async def _create_database(server: str, name: str, dsn: str, setup: str) -> None:
    connection: Any = await asyncpg.connect(server)
    there = await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name)
    if not there:  # pytest makes a fixture with parameters anew when it comes back to one
        await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    if not there:
        connection = await asyncpg.connect(dsn)
        await connection.execute(setup)
        await connection.close()


@pytest.fixture(scope="session", params=[16, 18])
def server(request: pytest.FixtureRequest, start_server: Callable[[int], str]) -> str:
    """The URL of a server, as its superuser."""
    return start_server(request.param)


@pytest.fixture(scope="session")
def shop(server: str) -> str:
    """The URL of a database with a few related tables, as the superuser."""
    return create_database(server, "shop", (DATA / "shop.sql").read_text(encoding="utf-8"))


@pytest.fixture
def tidied(shop: str) -> Iterator[None]:
    """The shop as it was, for tests that make objects in it."""
    yield
    anyio.run(_run, shop, "DROP SCHEMA IF EXISTS shed, desk CASCADE; DROP TABLE IF EXISTS public.tally")


async def _run(dsn: str, sql: str) -> None:
    connection: Any = await asyncpg.connect(dsn)
    await connection.execute(sql)
    await connection.close()


@pytest.fixture(scope="session")
def shop_reader(shop: str) -> str:
    """The same database, as a role that can only read it."""
    return shop.replace("postgres@", "shop_reader@")


@pytest.fixture(scope="session")
def corpus(server: str) -> str:
    """The URL of a database with the objects that the statements of the corpus attack, as the superuser."""
    setup = [(DATA / name).read_text(encoding="utf-8") for name in SETUPS]
    return create_database(server, "attacked", "\n".join(setup))


SETUPS = ("sql_corpus_setup.sql", "sql_corpus_more_setup.sql")


@pytest.fixture(scope="session")
def corpus_cases() -> list[dict[str, Any]]:
    """Every statement of the corpus: the published half and our own."""
    return [
        json.loads(line)
        for name in ("sql_corpus.jsonl", "sql_corpus_more.jsonl")
        for line in (DATA / name).read_text(encoding="utf-8").splitlines()
    ]


@pytest.fixture(scope="session")
def server_version(server: str) -> int:
    """The major version of the server that `server` names."""

    async def asked() -> int:
        connection = await asyncpg.connect(server)
        try:
            return connection.get_server_version().major
        finally:
            await connection.close()

    return anyio.run(asked)
