"""What is remembered of a statement never outlives a change of what it rests on."""

import importlib
from typing import Any

import pytest
from mcp.client import Client
from pydantic import SecretStr

from ringmain_core.testing import bench
from ringmain_postgres import connector
from ringmain_postgres.settings import PostgresSettings
from standins.asking import ask, fault, fenced, rows_of

asyncpg: Any = importlib.import_module("asyncpg")  # it ships no types

pytestmark = pytest.mark.anyio

SETUP = """
DROP SCHEMA IF EXISTS changing CASCADE;
CREATE SCHEMA changing;
CREATE TABLE changing.things (id integer, name text);
INSERT INTO changing.things VALUES (1, 'one');
CREATE FUNCTION changing.twice(n integer) RETURNS integer LANGUAGE sql STABLE AS 'SELECT n * 2';
"""

SQL = "SELECT * FROM changing.things WHERE id = $1"
CALL = "SELECT changing.twice(id) FROM changing.things"


async def both(client: Client, sql: str = SQL) -> tuple[str, str]:
    params = [1] if "$1" in sql else None
    return await ask(client, "query", sql=sql, params=params), await ask(
        client, "query", sql=sql, params=params
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("ALTER TABLE changing.things RENAME COLUMN name TO title", "id,title\n1,one"),
        ("ALTER TABLE changing.things ADD COLUMN extra date", "id,name,extra\n1,one,"),
        ("ALTER TABLE changing.things DROP COLUMN name", "id\n1"),
        ("ALTER TABLE changing.things ALTER COLUMN id TYPE text", None),
        (
            "DROP TABLE changing.things; CREATE VIEW changing.things AS SELECT 1 AS id, 'v' AS seen",
            "id,seen\n1,v",
        ),
    ],
)
async def test_a_changed_table_is_seen_by_the_next_query(
    shop: str, change: str, expected: str | None
) -> None:
    admin = await asyncpg.connect(shop)
    try:
        await admin.execute(SETUP)
        async with bench(connector, settings=PostgresSettings(url=SecretStr(shop), pool_size=1)) as at:
            first, again = await both(at.client)
            assert rows_of(first) == rows_of(again) == [[1, "one"]]
            await admin.execute(change)
            params = ["1"] if expected is None else [1]
            text = fenced(await ask(at.client, "query", sql=SQL, params=params, format="csv"))
        assert text == (expected or "id,name\n1,one")
    finally:
        await admin.execute("DROP SCHEMA changing CASCADE")
        await admin.close()


@pytest.mark.parametrize(
    ("sql", "change"),
    [
        (
            CALL,
            "CREATE OR REPLACE FUNCTION changing.twice(n int) RETURNS int LANGUAGE plpgsql AS 'BEGIN END'",
        ),
        (
            SQL,
            "DROP TABLE changing.things; CREATE VIEW changing.things AS SELECT 1 AS id, pg_sleep(0)::text",
        ),
        (
            "SELECT length(name) FROM changing.things",
            "CREATE FUNCTION public.length(text) RETURNS integer LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'",
        ),
    ],
)
async def test_a_statement_that_has_become_harmful_is_refused_the_next_time(
    shop: str, sql: str, change: str
) -> None:
    admin = await asyncpg.connect(shop)
    try:
        await admin.execute(SETUP)
        async with bench(connector, settings=PostgresSettings(url=SecretStr(shop), pool_size=1)) as at:
            await both(at.client, sql)
            await admin.execute(change)
            code, _ = await fault(at.client, "query", sql=sql, params=[1] if "$1" in sql else None)
        assert code == "statement_refused"
    finally:
        await admin.execute("DROP SCHEMA changing CASCADE; DROP FUNCTION IF EXISTS public.length(text)")
        await admin.close()
