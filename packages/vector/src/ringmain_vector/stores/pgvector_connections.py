"""Postgres through asyncpg: a few connections, transactions that end in time, errors in our words."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

import anyio

from ringmain_core.errors import DeadlineExceeded, ToolFailure, UpstreamRefused
from ringmain_core.upstream.trouble import Trouble, in_our_words

if TYPE_CHECKING:
    from ringmain_core.policy import Access
    from ringmain_core.upstream.guards import Guards
    from ringmain_vector.stores.embedded_postgres import EmbeddedPostgres

T = TypeVar("T")
Row = Mapping[str, Any]

SYSTEM = "pgvector"
_IDLE_SECONDS = 120.0
_CLEAN_UP_SECONDS = 3.0
_GRACE_SECONDS = 2.0  # for a time-out of the server's to arrive before we stop waiting
_NO_EXTENSION = "pg_catalog, pg_temp"
_OLDEST = (0, 8)  # the first that goes on searching an index until enough rows pass the filter
# Plans are made for the values: where what a filter lets through is unknown, the wrong index is taken.
# Compiling costs more than it saves, and a client that hangs must not keep its locks.
_SETTINGS = (
    "SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL jit = off;"
    " SET LOCAL idle_in_transaction_session_timeout = '60s'; SET LOCAL hnsw.iterative_scan = strict_order;"
)
_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
_WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;"
_EXTENSION = """
    SELECT quote_ident(n.nspname) AS schema, e.extversion AS version
    FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'vector'
"""


class Transaction(Protocol):
    """What of an asyncpg connection is used; the library is imported when the first one is opened."""

    async def execute(self, query: str, *args: Any) -> str: ...
    async def fetch(self, query: str, *args: Any) -> Sequence[Row]: ...
    async def fetchmany(self, query: str, args: Sequence[Sequence[Any]]) -> Sequence[Row]: ...
    async def fetchrow(self, query: str, *args: Any) -> Row | None: ...
    async def fetchval(self, query: str, *args: Any) -> Any: ...


Work = Callable[[Transaction], Awaitable[T]]


@dataclass(frozen=True, slots=True)
class Limits:
    """What the database is asked for.

    Attributes:
        connections: At most so many at once, made as needed.
        connect: Seconds to wait for one.
        statement: Seconds that a statement may take.
        build: Seconds that making an index may take.
        prepared: Whether statements are prepared once for each session, which some poolers cannot do.
    """

    connections: int = 5
    connect: float = 5.0
    statement: float = 20.0
    build: float = 3_600.0
    prepared: bool = True


class CommitBroke(Exception):
    """The connection went away while a transaction was committed: nobody knows whether it was."""


class Connections:
    """A pool that connects when first asked, and the transactions that run in it.

    Args:
        url: As asyncpg takes it, TLS included; or a server that is started when first wanted.
        guards: Where there are any, one of theirs watches over the database.
    """

    def __init__(self, url: "str | EmbeddedPostgres", guards: "Guards | None", limits: Limits) -> None:
        self._url = url
        self._limits = limits
        self._guard = None if guards is None else guards.guard(SYSTEM, trouble_of, at_once=limits.connections)
        self._opening = anyio.Lock()
        self._pool: Any = None
        self._search_path = _NO_EXTENSION

    async def read(self, name: str, work: Work[T], settings: str = "") -> T:
        """Do something in a read-only transaction that sees one snapshot.

        Args:
            name: Of the operation, for the log.
            work: What is done; again, where the connection broke.
            settings: Statements that set something for this transaction.

        Raises:
            UpstreamUnavailable: Where the database cannot be reached, or goes away.
            UpstreamRefused: Where it answers with an error.
            DeadlineExceeded: Where a statement is stopped by its time-out.
        """
        once = partial(self._transaction, _READ + settings, work, self._limits.statement)
        return await self._guarded(once, "read", name)

    async def write(self, name: str, work: Work[T], *, builds: bool = False) -> T:
        """Do something in a transaction that may write: all of it, or nothing.

        Args:
            name: As for `read`, as is what it raises.
            work: Likewise; doing it twice must be like doing it once.
            builds: Whether it makes an index, which takes longer.

        Raises:
            OutcomeUnknown: Where the connection broke just when all was to be kept.
        """
        seconds = self._limits.build if builds else self._limits.statement
        return await self._guarded(partial(self._transaction, _WRITE, work, seconds), "write", name, seconds)

    async def find_extension(self, transaction: Transaction) -> bool:
        """Look where the types of pgvector are; whether they are anywhere."""
        found = await transaction.fetchrow(_EXTENSION)
        if found is None:
            return False
        version = str(found["version"])
        if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST:
            raise UpstreamRefused(
                f"The extension `vector` is {version} and must be 0.8 or newer. The database's operator has "
                "to update pgvector and to run `ALTER EXTENSION vector UPDATE`."
            )
        self._search_path = f"pg_catalog, {found['schema']}, pg_temp"
        await transaction.execute(f"SET LOCAL search_path = {self._search_path}")
        return True

    async def close(self) -> None:
        """Close every connection; those still at work are cut after a few seconds."""
        pool, self._pool = self._pool, None
        if pool is not None:
            with anyio.move_on_after(_CLEAN_UP_SECONDS, shield=True) as scope:
                await pool.close()
            if scope.cancelled_caught:
                pool.terminate()
        if not isinstance(self._url, str):
            await self._url.stop()

    async def _guarded(
        self,
        operation: Callable[[], Awaitable[T]],
        access: "Access",
        name: str,
        seconds: float | None = None,
    ) -> T:
        if self._guard is not None:
            return await self._guard.call(
                operation, access=access, name=name, idempotent=True, timeout=seconds
            )
        try:
            return await operation()
        except ToolFailure:
            raise
        except Exception as error:
            trouble = trouble_of(error)
            if trouble is None:
                raise
            raise in_our_words(SYSTEM, trouble, access=access, idempotent=True) from error

    async def _transaction(self, begin: str, work: Work[T], seconds: float) -> T:
        pool = await self._opened()
        connection = await pool.acquire(timeout=self._limits.connect)
        ended = False
        try:
            with anyio.fail_after(seconds + _GRACE_SECONDS):
                await connection.execute(
                    f"{begin} {_SETTINGS} SET LOCAL statement_timeout = {int(seconds * 1000)};"
                    f" SET LOCAL search_path = {self._search_path}"
                )
                if self._search_path == _NO_EXTENSION:
                    await self.find_extension(connection)
                result = await work(connection)
            await _commit(connection)
            ended = True
        except Exception as error:
            if isinstance(error, TimeoutError) or _sqlstate(error) == "57014":
                raise DeadlineExceeded(
                    f"The database was stopped after {seconds:.3g} s. Try again later, or ask for less."
                ) from error
            raise
        finally:
            if not ended:
                await _roll_back(connection)
            await pool.release(connection)
        return result

    async def _opened(self) -> Any:
        import asyncpg  # pyright: ignore[reportMissingTypeStubs]

        async with self._opening:
            if self._pool is None:
                options: dict[str, Any] = {
                    "min_size": 0,
                    "max_size": self._limits.connections,
                    "max_inactive_connection_lifetime": _IDLE_SECONDS,
                    "timeout": self._limits.connect,
                    "reset": _leave_as_it_is,
                    "statement_cache_size": 100 if self._limits.prepared else 0,
                    "server_settings": {"application_name": "ringmain-vector"},
                }
                url = self._url if isinstance(self._url, str) else await self._url.start()
                self._pool = await asyncpg.create_pool(url, **options)  # pyright: ignore[reportUnknownMemberType]
        return self._pool


def trouble_of(error: Exception) -> Trouble | None:
    """What it means where the database does not answer, or not as it should."""
    import asyncpg  # pyright: ignore[reportMissingTypeStubs]

    code = _sqlstate(error)
    match code[:2], code:
        case _ if isinstance(error, CommitBroke):
            return Trouble("transient")
        case "28", _:
            return Trouble("auth")
        case _, "3D000":
            return Trouble("refused", message="The database does not exist on its server.")
        case _, ("40001" | "40P01" | "53300" | "55P03"):
            return Trouble("throttled")
        case (("08" | "53" | "57" | "58"), _):
            return Trouble("down")
        case _, "42501":
            return Trouble("refused", message=f"The database's role may not do that: {_said(error)}.")
        case _ if isinstance(error, asyncpg.PostgresError):
            return Trouble("refused", message=f"Postgres says: {_said(error)}.", detail={"sqlstate": code})
        case _ if isinstance(error, (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError)):
            return Trouble("down")
        case _:
            return None


async def _commit(connection: Any) -> None:
    """Until here a broken connection means that nothing has happened; from here on it can mean all."""
    try:
        with anyio.fail_after(_GRACE_SECONDS, shield=True):
            await connection.execute("COMMIT")
    except Exception as error:
        if _sqlstate(error)[:2] in ("", "08", "57"):
            raise CommitBroke from error
        raise


async def _roll_back(connection: Any) -> None:
    """Give up a transaction, or the session with it."""
    with anyio.move_on_after(_CLEAN_UP_SECONDS, shield=True):
        try:
            await connection.execute("ROLLBACK")
        except Exception:  # noqa: BLE001 (whatever it was: this connection is not used again)
            connection.terminate()
        return
    connection.terminate()


async def _leave_as_it_is(_connection: Any) -> None:
    """Whatever a transaction has set ends with it, so a session that comes back is a new one."""


def _sqlstate(error: BaseException) -> str:
    return cast("str | None", getattr(error, "sqlstate", None)) or ""


def _said(error: Exception) -> str:
    return str(error.args[0]) if error.args else type(error).__name__
