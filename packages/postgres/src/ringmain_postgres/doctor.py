"""What `doctor` looks at: every database's address, login, rights and readiness."""

import time
from collections.abc import AsyncIterator

from ringmain_core.connector import Check
from ringmain_core.errors import ToolFailure
from ringmain_postgres.client import Database
from ringmain_postgres.databases import Postgres
from ringmain_postgres.posture import posture
from ringmain_postgres.wording import is_lent_by_transaction

_SECONDS = 10.0


async def ready(postgres: Postgres) -> None:
    """Raise unless every database answers."""
    for database in postgres.databases.values():
        async with database.read(time.monotonic() + _SECONDS) as session:
            await session.fetch("SELECT 1")


async def diagnose(postgres: Postgres) -> AsyncIterator[Check]:
    """Check each database, and each named query in it."""
    for database in postgres.databases.values():
        async for check in _diagnose(database):
            yield check


async def _diagnose(database: Database) -> AsyncIterator[Check]:
    what = f"database {database.name}"
    try:
        async with database.read(time.monotonic() + _SECONDS) as session:
            (row,) = await session.fetch("SELECT pg_catalog.current_setting('server_version') AS version")
            standing = await posture(session, database.name)
    except ToolFailure as error:
        cause = error.__cause__
        detail = f"{type(cause).__name__}: {cause}" if cause is not None else error.message
        yield Check(what, "failed", detail, _remedy(cause))
        return
    yield Check(what, "ok", f"PostgreSQL {row['version']}, as {standing.role}")
    if standing.findings:
        remedy = "Let an administrator run this, and use the new role:\n" + standing.grant_script
        yield Check(f"rights of {standing.role}", "warning", "; ".join(standing.findings), remedy)
    else:
        yield Check(f"rights of {standing.role}", "ok", "it can only read")
    for name, named in database.settings.queries.items():
        try:
            async with database.read(time.monotonic() + _SECONDS) as session:
                checked = await session.check(named.sql)
                await session.describe(checked)
        except ToolFailure as error:
            yield Check(
                f"{what}, query {name}", "failed", error.message, "Mend its SQL in the settings file."
            )
        else:
            yield Check(f"{what}, query {name}", "ok", "it can run")


def _remedy(cause: BaseException | None) -> str:
    code = getattr(cause, "sqlstate", None) or ""
    if code.startswith("28"):
        return "Check user and password in the URL, and pg_hba.conf on the server."
    if code == "3D000":
        return "Check the database's name at the end of the URL."
    if is_lent_by_transaction(cause):
        return (
            "Set RINGMAIN_POSTGRES_PREPARED_STATEMENTS=false: a pooler lends its sessions by the transaction."
        )
    if isinstance(cause, TimeoutError):
        return "Check host and port, and that no firewall drops the connection."
    return "Check host and port in the URL, that the server runs, and `sslmode` if it wants TLS."
