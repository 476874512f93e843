"""Postgres through asyncpg: connections, read-only transactions, and errors in our own words."""

import logging
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, cast

import anyio

from ringmain_core.errors import ToolFailure, UpstreamUnavailable
from ringmain_core.services import Services
from ringmain_core.upstream.retries import Retries
from ringmain_core.upstream.trouble import Trouble
from ringmain_postgres.catalog import quoted
from ringmain_postgres.changing import READ_WRITE, ChangeSession
from ringmain_postgres.pool import Pool
from ringmain_postgres.posture import posture
from ringmain_postgres.session import Connection, Memory, Session
from ringmain_postgres.settings import DatabaseSettings, PostgresSettings
from ringmain_postgres.sql import SESSION_SETTINGS, Guard, Policy, Recall, holds_sql
from ringmain_postgres.wording import RETRY_MS, in_our_words, sqlstate, trouble, unavailable

_log = logging.getLogger(__name__)

# The session's own, where sessions are ours: DISCARD ALL brings them back, and no statement that the guard
# lets through can change them. A generic plan makes the guard's look-ups four times as fast.
_CONSTANTS = SESSION_SETTINGS | {
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "5min",
    "plan_cache_mode": "force_generic_plan",
}
# As an option of the connection it would also change the order of day and month that the database reads.
_DATES = "datestyle = 'ISO'"
_CLEAN_UP_SECONDS = 3.0
_CONNECTING = Retries(tries=2)


class Database:
    """One database: a pool that connects when first asked, and the guard that judges what runs in it."""

    def __init__(
        self,
        name: str,
        settings: DatabaseSettings,
        common: PostgresSettings,
        services: Services,
    ) -> None:
        self.name = name
        self.settings = settings
        self.common = common
        self._secrets = services.secrets
        self._url = ""
        reach = services.guards.guard(
            f"postgres:{name}", self._trouble, at_once=common.pool_size, retries=_CONNECTING
        )
        connect = partial(reach.call, self._connect, access="read", name="connect")
        self._pool = Pool(connect, common.pool_size, common.connect_timeout)
        self._guard: Guard | None = None
        self._opening = ""
        self._memory = Memory(Recall() if common.prepared_statements else None)

    async def close(self) -> None:
        """Close every connection; those still at work are cut after a few seconds."""
        await self._pool.close(_CLEAN_UP_SECONDS)

    @asynccontextmanager
    async def read(self, deadline: float, timeout: float | None = None) -> AsyncGenerator[Session]:  # noqa: ASYNC109
        """A read-only transaction on a pinned snapshot.

        Args:
            deadline: When the call must be over, on the monotonic clock.
            timeout: Seconds for each statement, where less is wanted than the settings allow.

        Raises:
            UpstreamUnavailable: Where the database cannot be reached, or goes away.
            UpstreamRefused: Where it answers with an error.
            DeadlineExceeded: Where a statement is stopped by its time-out.
        """
        seconds = min(timeout or self.common.statement_timeout, self.common.statement_timeout)
        seconds = max(0.05, min(seconds, deadline - time.monotonic() - 0.25))
        async with self.connection(seconds) as connection:
            opening = f"{self._opening} SET LOCAL statement_timeout = {int(seconds * 1000)};"
            yield Session(connection, self._known_guard(), self._memory, opening)

    @asynccontextmanager
    async def change(self, deadline: float) -> AsyncGenerator[ChangeSession]:
        """A transaction that may write; it is rolled back unless it was committed.

        Args:
            deadline: As for `read`, as is what it raises.
        """
        seconds = max(0.05, min(self.common.statement_timeout, deadline - time.monotonic() - 0.25))
        async with self.connection(seconds) as connection:
            opening = f"{self._opening} {READ_WRITE} SET LOCAL statement_timeout = {int(seconds * 1000)};"
            yield ChangeSession(connection, self._known_guard(), self._memory, opening)

    @asynccontextmanager
    async def connection(self, seconds: float) -> AsyncGenerator[Connection]:
        """A connection of the pool; it goes back clean, or not at all."""
        import asyncpg  # pyright: ignore[reportMissingTypeStubs]

        url = self.settings.url.get_secret_value()
        if url != self._url:  # calls at work keep their connections; the next ones get new ones
            self._url = url
            self._pool.renew()
        try:
            connection = await self._pool.take()
        except TimeoutError as error:
            raise UpstreamUnavailable(
                f"All connections to the database {self.name!r} are in use. Try again in a few seconds.",
                retry_after_ms=RETRY_MS,
            ) from error
        usual = clean = False
        try:
            try:
                yield connection
            except asyncpg.PostgresError as error:
                usual = _left_intact(error)
                raise in_our_words(self.name, error, seconds) from error
            except (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
                raise unavailable(self.name, error) from error
            except ToolFailure:
                usual = True  # said by us, after the server had answered
                raise
            usual = True
        finally:
            try:
                clean = usual and await _rolled_back(connection)
            finally:
                if not clean:
                    await self._clean_up(connection)
                self._pool.give_back(connection)

    async def _clean_up(self, connection: Connection) -> None:
        """After anything unusual: forget everything about the session, or the session itself."""
        cleaned = False
        try:
            with anyio.move_on_after(_CLEAN_UP_SECONDS, shield=True):
                await connection.execute("ROLLBACK")
                await connection.execute("DISCARD ALL")
                await connection.reload_schema_state()
                await self._equip(connection)
                cleaned = True
        except Exception as error:  # noqa: BLE001 (whatever it was: this connection is not used again)
            _log.warning("a connection is dropped: %s", type(error).__name__)
        finally:
            if not cleaned:
                connection.terminate()

    async def _equip(self, connection: Connection) -> None:
        """Give a new session, or one that has forgotten everything, the statements it is asked by."""
        if self._memory.recall is not None:
            await connection.execute(f"SET {_DATES}; {holds_sql(connection.get_server_version().major)}")

    async def _connect(self) -> Connection:
        """A new connection; where the login is refused, once more with a newer secret."""
        import asyncpg  # pyright: ignore[reportMissingTypeStubs]

        url = self.settings.url.get_secret_value()
        try:
            return await self._log_in(url)
        except asyncpg.InvalidAuthorizationSpecificationError:
            await self._secrets.refresh()
            newer = self.settings.url.get_secret_value()
            if newer == url:
                raise
            return await self._log_in(newer)

    async def _log_in(self, url: str) -> Connection:
        import asyncpg  # pyright: ignore[reportMissingTypeStubs]

        keep = self.common.prepared_statements
        options: dict[str, Any] = {
            "timeout": self.common.connect_timeout,
            "statement_cache_size": 100 if keep else 0,
            "server_settings": {"application_name": "ringmain-postgres"} | (_CONSTANTS if keep else {}),
        }
        connected = await asyncpg.connect(url, **options)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        connection = cast("Connection", connected)
        try:
            await self._equip(connection)
            await self._meet(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _meet(self, connection: Connection) -> None:
        """On the first connection: make the guard, and log what the role could do beyond reading."""
        if self._guard is not None:
            return
        schemas = self.settings.schemas
        if schemas is None:
            current: list[str] = await connection.fetchval("SELECT pg_catalog.current_schemas(false)")
            schemas = tuple(schema for schema in current if schema != "pg_catalog")
        guard = Guard(Policy(schemas, self.settings.allow_functions, self.settings.allow_foreign_tables))
        standing = await posture(Session(connection, guard, self._memory, None), self.name)
        if standing.findings:
            _log.warning(
                "database %s: the role %s %s; `ringmain-postgres doctor` prints a script that mends it",
                self.name,
                standing.role,
                "; ".join(standing.findings),
            )
        self._guard = guard
        self._opening = _opening(guard, pooled_elsewhere=not self.common.prepared_statements)

    def _trouble(self, error: Exception) -> Trouble | None:
        import asyncpg  # pyright: ignore[reportMissingTypeStubs]

        known = trouble(self.name, error)
        if known is None and isinstance(error, (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
            return Trouble("down", message=unavailable(self.name, error).message)
        return known

    def _known_guard(self) -> Guard:
        if self._guard is None:
            raise RuntimeError("a connection was handed out before it was initialised")
        return self._guard


async def _rolled_back(connection: Connection) -> bool:
    try:
        if connection.is_in_transaction():
            await connection.execute("ROLLBACK", timeout=_CLEAN_UP_SECONDS)
    except Exception as error:  # noqa: BLE001 (whatever it was: the clean-up looks into it)
        _log.debug("no rollback: %s", type(error).__name__)
        return False
    return True


def _left_intact(error: Exception) -> bool:
    """Whether an error is an ordinary answer to a statement (syntax, rights, data): a rollback mends it."""
    return sqlstate(error)[:2] in ("22", "42", "21", "23", "44")


def _opening(guard: Guard, *, pooled_elsewhere: bool) -> str:
    """Open the transaction, and set what is the same for all.

    Behind a pooler that hands out sessions by the transaction, what does not vary has to be set here, too.
    """
    path = ", ".join(quoted(schema) for schema in guard.search_path)
    settings = ""
    if pooled_elsewhere:
        constants = [_DATES, *(f"{name} = '{value}'" for name, value in _CONSTANTS.items())]
        settings = "".join(f" SET LOCAL {constant};" for constant in constants)
    return f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path = {path};{settings}"
