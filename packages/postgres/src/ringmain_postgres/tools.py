"""What a model can do with the databases."""

from typing import Annotated, Any

from pydantic import Field

from ringmain_core.arguments import OnRecord, withheld
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, OutsideFence, ToolFailure
from ringmain_core.tooling import tool
from ringmain_core.upstream.cache import Cache
from ringmain_postgres import catalog
from ringmain_postgres.databases import Postgres
from ringmain_postgres.models import DatabaseEntry, DatabaseList, ObjectDescription, ObjectPage, Plan, Posture
from ringmain_postgres.paging import PageRequest, fetch_page
from ringmain_postgres.plans import explain as explain_statement
from ringmain_postgres.posture import posture
from ringmain_postgres.rowtext import Format
from ringmain_postgres.session import Session, StatementRefused
from ringmain_postgres.sql import Checked, SqlRefused, keepable

_DEFAULT_KINDS: tuple[catalog.Kind, ...] = ("table", "view", "materialized_view", "foreign_table")
_DEFAULT_SECTIONS: tuple[catalog.Section, ...] = ("columns", "constraints", "indexes", "comments", "stats")


# Always asked for anew; what is known of the catalogue is better than nothing while the database is away.
_WHEN_DOWN = Cache(ttl=0, stale=300)


def without_literals(sql: Any) -> str:
    """A statement as the audit keeps it: without its constants and comments."""
    try:
        return keepable(str(sql))
    except SqlRefused:
        return f"<not SQL, {len(str(sql))} characters>"


Database = Annotated[str | None, Field(description="Only needed if there are several.")]
Sql = Annotated[str, Field(description="One SELECT; `$1`… for values."), OnRecord(without_literals)]
Params = Annotated[list[Any] | None, Field(description="Values of `$1`…, in order."), OnRecord(withheld)]
Cursor = Annotated[str, Field(description="`next_cursor` of the page before.")]


@tool(access="read", title="List databases")
async def list_databases(postgres: Postgres, call: Call) -> DatabaseList:
    """List the databases you can query, with server version and schemas."""
    entries: list[DatabaseEntry] = []
    for name, database in postgres.databases.items():
        try:
            async with database.read(call.deadline, timeout=5) as session:
                (row,) = await session.fetch(_SERVER)
        except ToolFailure as error:
            entries.append(DatabaseEntry(name=name, reachable=False, problem=error.message))
        else:
            entries.append(
                DatabaseEntry(name=name, reachable=True, server=row["server"], schemas=row["schemas"])
            )
    return DatabaseList(databases=entries)


_SERVER = """
SELECT 'PostgreSQL ' || pg_catalog.current_setting('server_version') AS server,
       ARRAY(SELECT nspname::text FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_'
             AND nspname <> 'information_schema' AND pg_catalog.has_schema_privilege(oid, 'USAGE')
             ORDER BY 1) AS schemas
"""


@tool(access="read", title="Search tables, views, columns, functions", cache=_WHEN_DOWN)
async def search_objects(
    postgres: Postgres,
    call: Call,
    pattern: Annotated[str, Field(description="Part of a name or comment, or a LIKE pattern.")] = "",
    kinds: list[catalog.Kind] | None = None,
    schema: str | None = None,
    detail: Annotated[catalog.Detail, Field(description="`full` adds columns.")] = "summary",
    database: Database = None,
    limit: Annotated[int, Field(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Field(description="`next_cursor` of the page before.")] = None,
) -> ObjectPage:
    """Find tables and views by name or comment; other `kinds` on request."""
    after = None if cursor is None else postgres.cursors.open(call, "search_objects", cursor)
    target = postgres.database(database)
    async with target.read(call.deadline) as session:
        objects, last = await catalog.search(
            session,
            pattern=pattern,
            kinds=kinds or _DEFAULT_KINDS,
            schema=schema,
            detail=detail,
            fence=call.fence("table"),
            after=after,
            limit=limit,
        )
    await call.saw(target.settings.audience)
    following = None if last is None else postgres.cursors.seal(call, "search_objects", last)
    return ObjectPage(database=target.name, objects=objects, next_cursor=following)


@tool(access="read", title="Describe a table or view", cache=_WHEN_DOWN)
async def describe_object(
    postgres: Postgres,
    call: Call,
    name: Annotated[str, Field(description="`table` or `schema.table`.")],
    include: Annotated[
        list[catalog.Section] | None,
        Field(description="Default: columns, constraints, indexes, comments, stats."),
    ] = None,
    database: Database = None,
) -> ObjectDescription:
    """Show a table's or view's columns, keys, indexes, comments and size."""
    target = postgres.database(database)
    async with target.read(call.deadline) as session:
        described = await catalog.describe(
            session, target.name, name, include or _DEFAULT_SECTIONS, call.fence("table")
        )
    await call.saw(target.settings.audience)
    return described


Table = Annotated[str, Field(description="`table` or `schema.table`.")]
Sampling = Annotated[catalog.Sampling, Field(description="`random` reads a random part of the table.")]


@tool(access="read", title="Sample rows", since="v2")
async def sample_rows(
    postgres: Postgres,
    call: Call,
    table: Table,
    limit: Annotated[int, Field(ge=1, le=50)] = 5,
    columns: list[str] | None = None,
    method: Sampling = "first",
    database: Database = None,
) -> str:
    """See a few rows of a table before querying it."""
    target = postgres.database(database)
    async with target.read(call.deadline) as session:
        sql = await catalog.sample_statement(session, table, limit, columns, method, call.fence("table"))
        checked = await _check(session, call, sql)
        await call.saw(target.settings.audience)
        page = await fetch_page(session, checked, PageRequest(target.name, sql, max_rows=limit))
    return page.text(f"{target.name}: {table}", None)


@tool(access="read", title="Sample rows", name="sample_rows", until="v1")
async def sample_rows_v1(
    postgres: Postgres,
    call: Call,
    table: Table,
    n: Annotated[int, Field(ge=1, le=50)] = 5,
    columns: list[str] | None = None,
    method: Sampling = "first",
    database: Database = None,
) -> str:
    """See a few rows of a table before querying it."""
    return await sample_rows.function(postgres, call, table, n, columns, method, database)


@tool(access="read", title="Query")
async def query(
    postgres: Postgres,
    call: Call,
    sql: Sql,
    params: Params = None,
    database: Database = None,
    max_rows: Annotated[int, Field(ge=1, le=10_000)] = 200,
    max_bytes: Annotated[int, Field(ge=256, le=2_000_000)] = 65_536,
    format: Format = "json",  # noqa: A002 (the field's standard name)
    timeout_ms: Annotated[int | None, Field(ge=50, le=300_000)] = None,
) -> str:
    """Run one read-only SELECT (also WITH, VALUES, SHOW, EXPLAIN) and get a page of rows.

    Cells over 2,000 characters are cut and marked. Add ORDER BY if you want further pages: each page runs the
    statement again.
    """
    target = postgres.database(database)
    request = PageRequest(
        database=target.name,
        sql=sql,
        params=params or [],
        max_rows=min(max_rows, postgres.settings.max_rows),
        max_bytes=min(max_bytes, postgres.settings.max_bytes),
        format=format,
        timeout_ms=timeout_ms,
    )
    return await _page(postgres, call, request)


@tool(access="read", title="Next page")
async def next_page(postgres: Postgres, call: Call, cursor: Cursor) -> str:
    """Get the page after one that `query` or `next_page` said is truncated."""
    state = postgres.cursors.open(call, "query", cursor)
    return await _page(postgres, call, PageRequest(**state))


@tool(access="read", title="Explain")
async def explain(
    postgres: Postgres,
    call: Call,
    sql: Sql,
    params: Params = None,
    analyze: Annotated[bool, Field(description="Run it too, and measure.")] = False,
    database: Database = None,
) -> Plan:
    """See how Postgres would run a SELECT, with warnings about slow parts. Parameters need values."""
    target = postgres.database(database)
    async with target.read(call.deadline) as session:
        checked = await _check(session, call, sql)
        if not checked.wrappable:
            raise InvalidArguments("Give the SELECT itself, without EXPLAIN or SHOW.")
        await call.saw(target.settings.audience)
        return await explain_statement(session, target.name, checked, params or [], analyze=analyze)


@tool(access="read", title="Security posture")
async def security_posture(postgres: Postgres, call: Call, database: Database = None) -> Posture:
    """Say what the database role could do beyond reading, with the GRANT script that mends it."""
    target = postgres.database(database)
    async with target.read(call.deadline) as session:
        return await posture(session, target.name)


async def _page(postgres: Postgres, call: Call, request: PageRequest) -> str:
    target = postgres.database(request.database)
    request = request.fitted(call.answer_bytes)
    timeout = None if request.timeout_ms is None else request.timeout_ms / 1000
    async with target.read(call.deadline, timeout) as session:
        checked = await _check(session, call, request.sql)
        await call.saw(target.settings.audience)  # before it runs: an error's text can hold rows, too
        page = await fetch_page(session, checked, request)
    following = None
    if page.more:
        state = request.state() | {"offset": request.offset + page.rows}
        following = postgres.cursors.seal(call, "query", state)
    return page.text(f"{target.name} query", following)


async def _check(session: Session, call: Call, sql: str) -> Checked:
    """Judge a statement, and hold the tables it names against the caller's fence.

    To a caller with a fence, a table outside of it looks like one that is not there.
    """
    fence = call.fence("table")
    outside = OutsideFence(
        f"A table of this statement is not there, or not among what you may read ({fence.describe()})."
    )
    try:
        checked = await session.check(sql)
    except StatementRefused as refused:
        if refused.reason == "unknown_table" and fence.patterns is not None:
            raise outside from refused
        raise
    if not all(fence.admits(name) for name in checked.reached):
        raise outside
    return checked


TOOLS = (
    list_databases,
    search_objects,
    describe_object,
    sample_rows,
    sample_rows_v1,
    query,
    next_page,
    explain,
    security_posture,
)
