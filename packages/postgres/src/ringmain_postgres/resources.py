"""What a model can read of the databases: schemas, tables, and the queries that operators have named."""

import inspect
from collections.abc import Mapping
from dataclasses import replace

from ringmain_core.call import Call
from ringmain_core.declarations import Resource
from ringmain_core.text import untrusted
from ringmain_core.tooling import resource
from ringmain_postgres import catalog, catalog_sql
from ringmain_postgres.databases import Postgres
from ringmain_postgres.models import ObjectPage
from ringmain_postgres.paging import PageRequest, fetch_page
from ringmain_postgres.settings import NamedQuery, PostgresSettings
from ringmain_postgres.summaries import SAMPLE_ROWS, channel_text, rows_summary
from ringmain_postgres.watch import counted_table, require_channel

_LISTED = 500


async def complete_database(postgres: Postgres, _: Call, typed: str, __: Mapping[str, str]) -> list[str]:
    """Databases whose names begin like this."""
    return [name for name in postgres.databases if name.startswith(typed)]


async def complete_schema(postgres: Postgres, call: Call, typed: str, chosen: Mapping[str, str]) -> list[str]:
    """Schemas of the chosen database that hold something to read."""
    tables = await _tables(postgres, call, "", None, chosen.get("db"))
    schemas = dict.fromkeys(schema for schema, _ in tables)
    return [schema for schema in schemas if schema.startswith(typed)]


async def complete_table(postgres: Postgres, call: Call, typed: str, chosen: Mapping[str, str]) -> list[str]:
    """Tables and views of the chosen schema, or of every schema."""
    tables = await _tables(postgres, call, typed, chosen.get("schema"), chosen.get("db"))
    return list(dict.fromkeys(name for _, name in tables))


async def _tables(
    postgres: Postgres, call: Call, typed: str, schema: str | None, database: str | None
) -> list[tuple[str, str]]:
    async with postgres.database(database).read(call.deadline) as session:
        rows = await session.fetch(catalog_sql.TABLES_LIKE, typed, schema)
    fence = call.fence("table")
    return [(row["schema"], row["name"]) for row in rows if fence.admits(f"{row['schema']}.{row['name']}")]


async def _listing(postgres: Postgres, call: Call, db: str, schema: str | None) -> str:
    database = postgres.database(db)
    async with database.read(call.deadline) as session:
        objects, last = await catalog.search(
            session,
            pattern="",
            kinds=("table", "view", "materialized_view", "foreign_table"),
            schema=schema,
            detail="full" if schema is not None else "summary",
            fence=call.fence("table"),
            after=None,
            limit=_LISTED,
        )
    await call.saw(postgres.database(db).settings.audience)
    text = ObjectPage(database=db, objects=objects).text()
    return (
        text if last is None else f"{text}\nThe first {_LISTED} are shown; `search_objects` finds the others."
    )


@resource("pg://{db}/schema", title="Tables and views of a database", complete={"db": complete_database})
async def database_schema(postgres: Postgres, call: Call, db: str) -> str:
    """Every table and view that can be read, with sizes and comments."""
    return await _listing(postgres, call, db, None)


@resource(
    "pg://{db}/schema/{schema}",
    title="Tables and views of a schema, with columns",
    complete={"db": complete_database, "schema": complete_schema},
)
async def schema(postgres: Postgres, call: Call, db: str, schema: str) -> str:
    """Every table and view of one schema, with its columns."""
    return await _listing(postgres, call, db, schema)


@resource(
    "pg://{db}/table/{schema}/{table}",
    title="Description of a table or view",
    complete={"db": complete_database, "schema": complete_schema, "table": complete_table},
)
async def table(postgres: Postgres, call: Call, db: str, schema: str, table: str) -> str:
    """Columns, constraints, indexes, comments and statistics of one table or view."""
    database = postgres.database(db)
    name = f"{catalog.quoted(schema)}.{catalog.quoted(table)}"
    sections: tuple[catalog.Section, ...] = (
        "columns",
        "constraints",
        "referenced_by",
        "indexes",
        "comments",
        "stats",
    )
    async with database.read(call.deadline) as session:
        description = await catalog.describe(session, db, name, sections, call.fence("table"))
    await call.saw(database.settings.audience)
    return description.text()


@resource(
    "pg://{db}/table/{schema}/{table}/rows",
    title="What happens in a table",
    since="v2",
    complete={"db": complete_database, "schema": complete_schema, "table": complete_table},
)
async def rows(postgres: Postgres, call: Call, db: str, schema: str, table: str) -> str:
    """How many rows a table has, how many have changed, and a few of them; tells when they change."""
    async with postgres.database(db).read(call.deadline) as session:
        oid = await counted_table(session, call, schema, table)
        last_change = postgres.ears_of(db).changed((schema, table))
        summary = await rows_summary(session, oid, (schema, table), last_change)
        checked = await session.check(summary.sample)
        await call.saw(postgres.database(db).settings.audience)
        request = PageRequest(db, summary.sample, max_rows=SAMPLE_ROWS).fitted(call.answer_bytes)
        page = await fetch_page(session, checked, request)
    return f"{summary.text}\n{untrusted(page.body, f'{db}: {schema}.{table}')}"


@resource(
    "pg://{db}/channel/{channel}",
    title="Notifications of a channel",
    since="v2",
    complete={"db": complete_database},
)
async def channel(postgres: Postgres, call: Call, db: str, channel: str) -> str:
    """The last notifications (NOTIFY) of a channel that were heard; tells when there are more."""
    require_channel(postgres, call, db, channel)
    await call.saw(postgres.database(db).settings.audience)
    return channel_text(postgres.ears_of(db), db, channel, call.answer_bytes)


RESOURCES = (database_schema, schema, table, rows, channel)


def configured_resources(settings: PostgresSettings) -> list[Resource]:
    """What the settings add: the schema of each database as a resource to list, and the named queries."""
    listed = replace(database_schema, instances=tuple(f"pg://{name}/schema" for name in settings.databases))
    return [listed, *_named_queries(settings)]


def _named_queries(settings: PostgresSettings) -> list[Resource]:
    return [
        _named_query(database, name, named)
        for database, entry in settings.databases.items()
        for name, named in entry.queries.items()
    ]


def _named_query(database: str, name: str, named: NamedQuery) -> Resource:
    async def read(postgres: Postgres, call: Call, **values: str) -> str:
        target = postgres.database(database)
        params = [values[parameter] for parameter in named.parameters]
        async with target.read(call.deadline) as session:
            checked = await session.check(named.sql)
            await call.saw(target.settings.audience)
            request = PageRequest(database, named.sql, params, named.max_rows, postgres.settings.max_bytes)
            page = await fetch_page(session, checked, request.fitted(call.answer_bytes))
        return page.text(f"{database}: {name}", None)

    injected = [
        inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, annotation=kind)
        for key, kind in (("postgres", Postgres), ("call", Call))
    ]
    given = [
        inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, annotation=str) for key in named.parameters
    ]
    read.__signature__ = inspect.Signature([*injected, *given], return_annotation=str)  # type: ignore[attr-defined]
    read.__annotations__ = {
        "postgres": Postgres,
        "call": Call,
        **dict.fromkeys(named.parameters, str),
        "return": str,
    }
    read.__doc__ = named.description
    variables = f"{{?{','.join(named.parameters)}}}" if named.parameters else ""
    declare = resource(
        f"pg://{database}/query/{name}{variables}", name=name, title=named.title or name.replace("_", " ")
    )
    return declare(read)
