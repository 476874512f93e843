"""A transaction that may change something: rolled back unless `commit` is called and answered."""

from collections.abc import Iterable, Sequence
from typing import Any

from ringmain_core.errors import OutcomeUnknown
from ringmain_postgres.session import Rows, Session, StatementRefused
from ringmain_postgres.sql import SqlRefused
from ringmain_postgres.sql.closure import Closure
from ringmain_postgres.sql.references import References

READ_WRITE = "SET TRANSACTION READ WRITE;"
"""After the opening of a reading transaction, and before its first query."""

# What a server was doing with a transaction survives neither its crash nor another server in its place; both
# begin their statistics anew.
_MARK = """
SELECT pg_catalog.pg_current_xact_id()::text AS xid,
       (SELECT stats_reset::text FROM pg_catalog.pg_stat_bgwriter) AS server
"""
_STATUS = """
SELECT pg_catalog.pg_xact_status($1::text::xid8) AS status,
       (SELECT stats_reset::text FROM pg_catalog.pg_stat_bgwriter) AS server
"""
# Otherwise a committed transaction could be lost in a crash.
_DURABLE = """
SELECT pg_catalog.set_config('synchronous_commit', 'on', true)
WHERE pg_catalog.current_setting('synchronous_commit') = 'off'
"""
# Classes of SQLSTATE with which a server answers COMMIT only after it has rolled back.
_ROLLED_BACK = frozenset({"21", "22", "23", "25", "27", "2D", "40", "42", "44", "55", "P0"})


class ChangeSession(Session):
    """A transaction that may change something."""

    async def follow(self, references: References, assigned: Iterable[int] = ()) -> Closure:
        """Judge everything that a statement names.

        Raises:
            StatementRefused: With the reason, and what to do instead.
        """
        try:
            return await self._guard.follow(references, self.fetch, assigned)
        except SqlRefused as refused:
            raise StatementRefused(str(refused), reason=refused.code) from refused

    @property
    def path(self) -> tuple[str, ...]:
        """Where names without a schema are looked up."""
        return ("pg_catalog", *self._guard.policy.search_path)

    async def do(self, sql: str, parameters: Sequence[Any]) -> Rows:
        """Run a judged statement with values that came as JSON."""
        statement = await (await self._begun()).prepare(sql, name="")
        types = [parameter.name for parameter in statement.get_parameters()]
        return await self.run(sql, parameters, types)

    async def execute(self, sql: str) -> None:
        """Run one judged statement that returns nothing."""
        await (await self._begun()).execute(sql)

    async def savepoint(self) -> None:
        """Mark where `take_back` goes back to."""
        await (await self._begun()).execute("SAVEPOINT ringmain")

    async def take_back(self) -> None:
        """Undo everything since `savepoint`."""
        await (await self._begun()).execute("ROLLBACK TO SAVEPOINT ringmain")

    async def mark(self) -> dict[str, str]:
        """What `outcome_of` needs to find out later what became of this transaction."""
        await self.fetch(_DURABLE)
        (row,) = await self.fetch(_MARK)
        return {"xid": row["xid"], "server": row["server"]}

    async def commit(self, xid: str) -> None:
        """Make it last.

        Raises:
            OutcomeUnknown: Where the answer did not come: it may have been committed.
        """
        try:
            await (await self._begun()).execute("COMMIT")
        except Exception as error:
            if (getattr(error, "sqlstate", None) or "")[:2] in _ROLLED_BACK:
                raise
            raise OutcomeUnknown(
                "The connection broke while this was being committed, so whether it happened is not known. "
                "Call again with the same arguments and `idempotency_key`; without one, ask "
                f"`query` for SELECT pg_xact_status('{xid}')."
            ) from error


async def was_committed(session: Session, xid: str, server: str) -> bool:
    """Whether a transaction that was marked has been committed.

    Raises:
        OutcomeUnknown: Where that cannot be known, or not yet.
    """
    try:
        (row,) = await session.fetch(_STATUS, xid)
    except Exception as error:
        if getattr(error, "sqlstate", None) == "22023":  # in the future: a crash has taken it back
            return False
        raise
    if row["status"] == "aborted":
        return False
    if row["status"] == "in progress":
        raise OutcomeUnknown(
            f"Transaction {xid} has not ended yet. Ask again in a moment with the same `idempotency_key`."
        )
    if row["status"] is None or row["server"] != server:
        raise OutcomeUnknown(
            f"What became of transaction {xid} cannot be known any more: the server has crashed since, was "
            "replaced, or has forgotten it. Look at the rows before you try again."
        )
    return True
