"""A connector with all that replicas have to agree on, over one table (`python -m bench.ledger serve`)."""

import importlib
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypeVar

import anyio
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from ringmain_core.arguments import IdempotencyKey, Upstream
from ringmain_core.call import Call
from ringmain_core.cli import run
from ringmain_core.connector import Check, Connector
from ringmain_core.live.watch import Watch
from ringmain_core.policy import Access
from ringmain_core.services import Services
from ringmain_core.settings import ConnectorSettings
from ringmain_core.tooling import resource, tool
from ringmain_core.upstream.guard import Guard
from ringmain_core.upstream.trouble import Trouble

asyncpg: Any = importlib.import_module("asyncpg")  # it ships no types

ENTRIES = "ledger://entries"
TABLE = """
CREATE TABLE entries (name text NOT NULL, entered_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON entries (name);
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NOTIFY ledger; RETURN NULL; END';
CREATE TRIGGER told AFTER INSERT OR DELETE ON entries EXECUTE FUNCTION tell();
"""
"""Nothing in it keeps an entry from being made twice: that is what is measured."""

_CONNECT_SECONDS = 1.0
_WRITE_SECONDS = 2.0
_HEARTBEAT = 5.0
T = TypeVar("T")


class LedgerSettings(ConnectorSettings):
    model_config = SettingsConfigDict(env_prefix="RINGMAIN_LEDGER_")

    url: Annotated[SecretStr, Field(description="The database with the table.")]


class _NotReached(Exception):
    """There was no connection, so nothing was sent."""


def _classify(error: Exception) -> Trouble | None:
    if isinstance(error, _NotReached):
        return Trouble("down")
    broken = (
        OSError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
        asyncpg.PostgresConnectionError,
        asyncpg.OperatorInterventionError,
    )
    if isinstance(error, broken):
        return Trouble("transient")
    return Trouble("refused") if isinstance(error, asyncpg.PostgresError) else None


class Ledger(Upstream):
    """The table, over a pool that connects when it is asked."""

    def __init__(self, url: str, pool: Any, guard: Guard) -> None:
        self.url = url
        self._pool = pool
        self._guard = guard

    async def fetchval(self, access: Access, sql: str, *values: object) -> Any:
        async def ask() -> Any:
            return await self._with_connection(lambda connection: connection.fetchval(sql, *values))

        return await self._guard.call(ask, access=access, name=sql.split(maxsplit=1)[0])

    async def _with_connection(self, use: Callable[[Any], Awaitable[T]]) -> T:
        try:
            connection = await self._pool.acquire(timeout=_CONNECT_SECONDS)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise _NotReached from error
        try:
            return await use(connection)
        finally:
            await self._pool.release(connection)


@tool(access="read", title="Look up")
async def look_up(ledger: Ledger, name: str) -> str:
    """Say how often an entry is there."""
    count = await ledger.fetchval("read", "SELECT count(*) FROM entries WHERE name = $1", name)
    return f"{name}: {count}"


async def _what_became(ledger: Ledger, _: Call, note: Any) -> str | None:
    if note is None:
        return None  # it is kept before the statement is sent
    name = note["name"]
    return _entered(name) if await look_up.function(ledger, name) != f"{name}: 0" else None


@tool(access="write", title="Enter", timeout=_WRITE_SECONDS, settle=_what_became)
async def enter(
    ledger: Ledger,
    call: Call,
    name: str,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core acts on it)
) -> str:
    """Make an entry."""
    await call.note({"name": name})
    await ledger.fetchval("write", "INSERT INTO entries (name) VALUES ($1)", name)
    return _entered(name)


def _entered(name: str) -> str:
    return f"entered {name}"


@tool(access="destructive", title="Strike")
async def strike(ledger: Ledger, name: str) -> str:
    """Take an entry out, after a person has said yes."""
    gone = await ledger.fetchval("destructive", "DELETE FROM entries WHERE name = $1 RETURNING name", name)
    return f"struck {gone}"


@resource(ENTRIES, title="Entries")
async def entries(ledger: Ledger) -> str:
    """How many entries there are; tells when they change."""
    return str(await ledger.fetchval("read", "SELECT count(*) FROM entries"))


async def _changes(ledger: Ledger, _: Mapping[str, Any]) -> AsyncGenerator[None]:
    connection: Any = await asyncpg.connect(ledger.url, timeout=_CONNECT_SECONDS)
    bell = anyio.Event()

    def ring(*_: object) -> None:
        bell.set()

    try:
        connection.add_termination_listener(ring)
        await connection.add_listener("ledger", ring)
        yield
        while True:
            with anyio.move_on_after(_HEARTBEAT):
                await bell.wait()
            if connection.is_closed():
                raise ConnectionError("the database hung up")
            if bell.is_set():
                bell = anyio.Event()
                yield
    finally:
        connection.terminate()


async def _anybody(*_: object) -> None: ...


@asynccontextmanager
async def _connect(settings: LedgerSettings, services: Services) -> AsyncGenerator[Ledger]:
    url = settings.url.get_secret_value()
    pool: Any = asyncpg.create_pool(url, min_size=0, max_size=8, timeout=_CONNECT_SECONDS)
    await pool
    try:
        yield Ledger(url, pool, services.guards.guard("postgres:ledger", _classify))
    finally:
        pool.terminate()


async def _ready(ledger: Ledger) -> None:
    await ledger.fetchval("read", "SELECT 1")


async def _diagnose(_: Ledger) -> AsyncGenerator[Check]:
    yield Check("ledger", "ok", "it is for measurements")


class _LedgerConnector(Connector[LedgerSettings, Ledger]):
    @property
    def version(self) -> str:  # it is no distribution that could be asked
        return "1.0"


connector = _LedgerConnector(
    name="ledger",
    title="Ledger",
    instructions="For measurements only.",
    settings=LedgerSettings,
    connect=_connect,
    ready=_ready,
    diagnose=_diagnose,
    tools=(look_up, enter, strike),
    resources=(entries,),
    watches={"entries": Watch(_changes, lambda _, __, ___: True, _anybody)},
)

if __name__ == "__main__":
    sys.exit(run(connector))
