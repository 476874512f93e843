"""Policy decides which tables a caller meets, whichever way it looks for them."""

import importlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import ResourceTemplateReference
from pydantic import SecretStr

from ringmain_core.testing import bench
from ringmain_postgres import connector
from ringmain_postgres.settings import PostgresSettings
from standins.asking import ask, fault, read, rows_of

asyncpg: Any = importlib.import_module("asyncpg")  # it ships no types

pytestmark = pytest.mark.anyio

POLICY = """
[roles.analyst]
allow = ["postgres:read"]
deny = ["postgres.security_posture"]
fence = { "postgres.table" = ["sales.*", "public.customers"] }

[[agents]]
id = "local"
roles = ["analyst"]
"""


MISSING = (
    "A table of this statement is not there, or not among what you may read (sales.*, public.customers)."
)


def settings(dsn: str) -> PostgresSettings:
    return PostgresSettings(url=SecretStr(dsn))


async def test_statements_that_name_a_table_outside_are_refused_with_what_is_inside(shop: str) -> None:
    async with bench(connector, settings=settings(shop), policy=POLICY) as at:
        for sql in (
            "TABLE hr.salaries",
            "TABLE hr.not_there",
            "SELECT (SELECT max(amount) FROM hr.salaries)",
            "WITH s AS (TABLE hr.salaries) SELECT * FROM s",
            "SELECT * FROM customers c JOIN hr.salaries s ON s.person = c.name",
        ):
            assert await fault(at.client, "query", sql=sql) == (
                "outside_fence",
                MISSING,
            )
        code, _ = await fault(at.client, "explain", sql="TABLE hr.salaries")
        assert code == "outside_fence"
        code, _ = await fault(at.client, "query", sql="SELECT relname FROM pg_class")
        assert code == "outside_fence"


async def test_statements_inside_of_the_fence_run_also_through_views(shop: str) -> None:
    async with bench(connector, settings=settings(shop), policy=POLICY) as at:
        assert rows_of(await ask(at.client, "query", sql="SELECT count(*) FROM sales.paid")) == [[100]]
        assert rows_of(await ask(at.client, "query", sql="SELECT count(*) FROM customers")) == [[3]]
        assert rows_of(await ask(at.client, "query", sql="SELECT 1")) == [[1]]


async def test_search_description_and_samples_do_not_show_what_is_outside(shop: str) -> None:
    async with bench(connector, settings=settings(shop), policy=POLICY) as at:
        everything = await ask(at.client, "search_objects")
        columns = await ask(at.client, "search_objects", pattern="amount", kinds=["column"])
        assert "hr.salaries" not in everything + columns
        assert "public.wide" not in everything
        assert "sales.orders" in everything
        assert "sales.orders.amount" in columns
        hidden = await fault(at.client, "describe_object", name="hr.salaries")
        missing = await fault(at.client, "describe_object", name="hr.not_there")
        assert hidden[0] == missing[0] == "outside_fence"
        assert hidden[1] == missing[1].replace("not_there", "salaries")
        assert (await fault(at.client, "sample_rows", table="hr.salaries"))[0] == "outside_fence"
        assert "hr." not in await read(at.client, "pg://shop/schema")
        with pytest.raises(MCPError, match="not among what you may read"):
            await read(at.client, "pg://shop/table/hr/salaries")


async def test_completions_offer_only_what_is_inside(shop: str) -> None:
    template = ResourceTemplateReference(uri="pg://{db}/table/{schema}/{table}")
    async with bench(connector, settings=settings(shop), policy=POLICY) as at:

        async def offered(name: str) -> list[str]:
            return (await at.client.complete(template, {"name": name, "value": ""})).completion.values

        assert await offered("schema") == ["public", "sales"]
        assert await offered("table") == ["customers", "by_city", "orders", "paid"]


async def test_tools_that_policy_denies_are_neither_listed_nor_there(shop: str) -> None:
    async with bench(connector, settings=settings(shop), policy=POLICY) as at:
        names = [tool.name for tool in (await at.client.list_tools()).tools]
        assert "security_posture" not in names
        with pytest.raises(MCPError, match="Unknown tool `security_posture`"):
            await at.client.call_tool("security_posture", {})


CONFIG = """
[databases.shop]
url = "{dsn}"
queries.headcount = {{ sql = "SELECT count(*) AS people FROM hr.salaries", description = "How many." }}
"""


async def test_a_named_query_is_the_operators_own_and_may_read_what_its_caller_may_not(
    shop: str, tmp_path: Path
) -> None:
    path = tmp_path / "postgres.toml"
    path.write_text(CONFIG.format(dsn=shop), encoding="utf-8")
    configured = PostgresSettings(config=path)
    at_work = connector.configured(configured)
    async with bench(at_work, settings=configured, policy=POLICY) as at:
        assert rows_of(await read(at.client, "pg://shop/query/headcount")) == [[1]]
    closed = POLICY.replace('deny = ["', 'deny = ["postgres.headcount", "')
    async with bench(at_work, settings=configured, policy=closed) as at:
        with pytest.raises(MCPError, match="no such resource"):
            await read(at.client, "pg://shop/query/headcount")


WAYS_OUT = """
CREATE FUNCTION hr.all_salaries() RETURNS SETOF hr.salaries LANGUAGE sql STABLE
    AS 'SELECT * FROM hr.salaries';
CREATE FUNCTION hr.is_paid(text, integer) RETURNS boolean LANGUAGE sql STABLE
    AS 'SELECT amount > $2 FROM hr.salaries WHERE person = $1';
CREATE OPERATOR public.=!> (LEFTARG = text, RIGHTARG = integer, FUNCTION = hr.is_paid);
CREATE FUNCTION sales.headcount() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM hr.salaries';
CREATE TABLE sales.parent (id integer);
CREATE TABLE hr.heir () INHERITS (sales.parent);
CREATE TABLE public."customers.secret" (iban text);
"""
CLOSED = """
DROP OPERATOR IF EXISTS public.=!> (text, integer);
DROP FUNCTION IF EXISTS hr.all_salaries(), hr.is_paid(text, integer), sales.headcount();
DROP TABLE IF EXISTS hr.heir, sales.parent, public."customers.secret";
"""


@asynccontextmanager
async def ways_out(dsn: str) -> AsyncGenerator[None]:
    admin = await asyncpg.connect(dsn)
    try:
        await admin.execute(CLOSED + WAYS_OUT)
        yield
    finally:
        await admin.execute(CLOSED)
        await admin.close()


async def test_functions_operators_and_heirs_outside_are_no_way_around(shop: str) -> None:
    writing = PostgresSettings(url=SecretStr(shop), writes=True, migrations=True)
    policy = POLICY.replace('["postgres:read"]', '["postgres:*"]\nconfirm = []')
    async with ways_out(shop), bench(connector.configured(writing), settings=writing, policy=policy) as at:
        for sql in (
            "SELECT * FROM hr.all_salaries()",
            "SELECT hr.all_salaries()",
            "SELECT 'Ada'::text =!> 1",
            "SELECT * FROM sales.parent",
        ):
            assert await fault(at.client, "query", sql=sql) == ("outside_fence", MISSING), sql
        for tool, sql in (
            ("write", "INSERT INTO sales.parent SELECT amount FROM hr.all_salaries()"),
            ("write", "DELETE FROM sales.parent"),
            ("migrate", "CREATE VIEW sales.steal AS SELECT * FROM hr.all_salaries()"),
            ("migrate", "ALTER TABLE sales.parent ADD COLUMN x integer"),
        ):
            assert (await fault(at.client, tool, sql=sql))[0] == "outside_fence", sql
        assert rows_of(await ask(at.client, "query", sql="SELECT sales.headcount()")) == [[1]]
        found = await ask(at.client, "search_objects", pattern="iban", kinds=["column"])
        assert "customers.secret" not in found


async def test_a_function_that_the_operator_vouches_for_needs_no_place_in_the_fence(
    shop: str, tmp_path: Path
) -> None:
    path = tmp_path / "postgres.toml"
    path.write_text(f'[databases.shop]\nurl = "{shop}"\nallow_functions = ["hr.is_paid"]\n', encoding="utf-8")
    vouched = PostgresSettings(config=path)
    async with ways_out(shop), bench(connector.configured(vouched), settings=vouched, policy=POLICY) as at:
        assert rows_of(await ask(at.client, "query", sql="SELECT hr.is_paid('Ada', 1)")) == [[True]]
