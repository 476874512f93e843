"""The tools that look around: databases, objects, samples, plans, posture; and doctor."""

import importlib
import json
from typing import Any

import pytest
from pydantic import SecretStr

from ringmain_core.connector import Check
from ringmain_core.cursors import Cursors
from ringmain_core.services import Services
from ringmain_core.testing import bench
from ringmain_postgres import connector
from ringmain_postgres.databases import connect
from ringmain_postgres.doctor import diagnose
from ringmain_postgres.settings import PostgresSettings
from standins.asking import ask, fault, fenced, rows_of

asyncpg: Any = importlib.import_module("asyncpg")  # it ships no types

pytestmark = pytest.mark.anyio


def settings(dsn: str, **more: Any) -> PostgresSettings:
    return PostgresSettings(url=SecretStr(dsn), **more)


async def test_databases_are_listed_with_version_and_schemas(shop: str, server_version: int) -> None:
    async with bench(connector, settings=settings(shop)) as at:
        text = await ask(at.client, "list_databases")
    assert text.startswith(f"shop: PostgreSQL {server_version}.")
    assert text.endswith("; schemas hr, public, sales")


async def test_objects_are_found_by_name_and_comment_in_every_kind(shop: str) -> None:
    async with bench(connector, settings=settings(shop)) as at:
        by_name = fenced(await ask(at.client, "search_objects", pattern="orders"))
        by_comment = fenced(await ask(at.client, "search_objects", pattern="at least once", detail="names"))
        kinds = ["column", "function", "type", "view", "materialized_view"]
        others = fenced(await ask(at.client, "search_objects", schema="sales", kinds=kinds, detail="names"))
    assert by_name.startswith("table sales.orders, ~300 rows, ")
    assert by_comment == "table public.customers"
    assert others.splitlines() == [
        "materialized_view sales.by_city",
        "column sales.by_city.city text",
        "column sales.by_city.total numeric",
        "column sales.orders.amount numeric(10,2)",
        "column sales.orders.customer integer",
        "column sales.orders.id integer",
        "column sales.orders.placed timestamp with time zone",
        "column sales.orders.status sales.status",
        "view sales.paid",
        "column sales.paid.amount numeric(10,2)",
        "column sales.paid.customer integer",
        "column sales.paid.id integer",
        "column sales.paid.placed timestamp with time zone",
        "column sales.paid.status sales.status",
        "type sales.quantity domain over integer",
        "type sales.status enum: open, paid, sent",
        "function sales.total_of (city text) -> numeric",
    ]


async def test_a_search_goes_on_where_its_page_ended(shop: str) -> None:
    async with bench(connector, settings=settings(shop)) as at:
        arguments: dict[str, Any] = {"kinds": ["column"], "schema": "sales", "limit": 4, "detail": "names"}
        names: list[str] = []
        while True:
            result = await at.client.call_tool("search_objects", arguments)
            page: Any = result.structured_content
            names += [found["name"] for found in page["objects"]]
            if "next_cursor" not in page:
                break
            arguments["cursor"] = page["next_cursor"]
    assert len(names) == len(set(names)) == 12
    assert names == sorted(names)


async def test_a_pattern_that_means_itself_is_taken_literally(shop: str) -> None:
    async with bench(connector, settings=settings(shop)) as at:
        assert await ask(at.client, "search_objects", pattern="' OR true --") == (
            "Nothing found. Try a shorter pattern, other `kinds`, or leave `schema` out."
        )


async def test_a_table_is_described_in_the_sections_asked_for(shop: str) -> None:
    async with bench(connector, settings=settings(shop)) as at:
        include = ["columns", "constraints", "referenced_by", "comments"]
        orders = fenced(await ask(at.client, "describe_object", name="sales.orders", include=include))
        customers = fenced(await ask(at.client, "describe_object", name="customers", include=include))
        view = fenced(await ask(at.client, "describe_object", name="sales.paid", include=["ddl"]))
    assert orders.splitlines() == [
        "table sales.orders",
        "columns:",
        "  id integer not null",
        "  customer integer not null",
        "  status sales.status not null default 'open'::sales.status",
        "  amount numeric(10,2) not null",
        "  placed timestamp with time zone not null",
        "constraints:",
        "  orders_pkey PRIMARY KEY (id)",
        "  orders_customer_fkey FOREIGN KEY (customer) REFERENCES customers(id)",
        "  orders_amount_check CHECK (amount >= 0::numeric)",
    ]
    assert customers.splitlines()[:6] == [
        "table public.customers",
        "comment: People who have ordered at least once",
        "columns:",
        "  id integer not null identity",
        "  name text not null",
        "  city text",
    ]
    assert "  sales.orders: FOREIGN KEY (customer) REFERENCES customers(id)" in customers.splitlines()
    assert "FROM sales.orders" in view


async def test_names_are_resolved_like_in_sql_and_ambiguity_is_told(shop: str) -> None:
    async with bench(connector, settings=settings(shop)) as at:
        assert fenced(await ask(at.client, "describe_object", name="CUSTOMERS")).startswith(
            "table public.customers"
        )
        assert fenced(await ask(at.client, "describe_object", name='public."Odd ""Names"""')).startswith(
            'table public."Odd ""Names"""'
        )
        code, text = await fault(at.client, "describe_object", name="custmers")
    assert (code, text) == (
        "not_found",
        "There is no table or view `custmers` that can be read. `search_objects` finds names.",
    )


async def test_names_are_written_as_sql_needs_them_and_found_as_they_are_spelled(shop: str) -> None:
    admin = await asyncpg.connect(shop)
    await admin.execute('CREATE TABLE public."Orders" ("Id" integer); INSERT INTO "Orders" VALUES (7)')
    try:
        async with bench(connector, settings=settings(shop)) as at:
            found = fenced(await ask(at.client, "search_objects", pattern="orders", detail="full"))
            assert found.split("\n")[:2] == ['table public."Orders", 8 kB', '  ("Id" integer)']
            for name in ("public.Orders", "Orders", 'public."Orders"'):
                described = fenced(await ask(at.client, "describe_object", name=name))
                assert described.startswith('table public."Orders"\ncolumns:\n  "Id" integer'), name
            assert rows_of(await ask(at.client, "sample_rows", table="public.Orders")) == [[7]]
            described = fenced(await ask(at.client, "describe_object", name="SALES.ORDERS"))
            assert described.startswith("table sales.orders")
    finally:
        await admin.execute('DROP TABLE public."Orders"')
        await admin.close()


async def test_a_random_sample_of_one_row_is_not_empty(shop: str) -> None:
    async with bench(connector, settings=settings(shop)) as at:
        for _ in range(8):
            text = await ask(at.client, "sample_rows", table="sales.orders", limit=1, method="random")
            assert len(rows_of(text)) == 1


async def test_samples_are_a_few_rows_of_the_columns_asked_for(shop: str) -> None:
    async with bench(connector, settings=settings(shop)) as at:
        first = await ask(at.client, "sample_rows", table="customers", limit=2, columns=["name", "city"])
        random = await ask(at.client, "sample_rows", table="sales.orders", limit=5, method="random")
    assert rows_of(first) == [["Ada", "London"], ["Blaise", "Paris"]]
    assert len(rows_of(random)) <= 5


async def test_a_plan_comes_in_short_lines_and_measured_when_asked(shop: str) -> None:
    sql = "SELECT * FROM sales.orders WHERE amount > $1"
    async with bench(connector, settings=settings(shop)) as at:
        planned = await ask(at.client, "explain", sql=sql, params=[100])
        measured = await ask(at.client, "explain", sql=sql, params=[100], analyze=True)
        code, text = await fault(at.client, "explain", sql="EXPLAIN SELECT 1")
    assert fenced(planned).startswith("Seq Scan on orders  cost ")
    assert "  filter (amount > " in fenced(planned)
    assert "; took " in measured
    assert "(really 234, " in measured
    assert (code, text) == ("invalid_arguments", "Give the SELECT itself, without EXPLAIN or SHOW.")


async def test_the_posture_of_a_superuser_is_criticised_and_of_a_reader_is_not(
    shop: str, shop_reader: str
) -> None:
    async with bench(connector, settings=settings(shop)) as at:
        result = await at.client.call_tool("security_posture", {})
        superuser: Any = result.structured_content
    async with bench(connector, settings=settings(shop_reader)) as at:
        reader = await ask(at.client, "security_posture")
    assert "is a superuser: it can do anything, and no right can be taken from it" in superuser["findings"]
    assert "pg_read_all_data" not in superuser["grant_script"]
    assert 'GRANT SELECT ON ALL TABLES IN SCHEMA "sales" TO ringmain_reader;' in superuser["grant_script"]
    assert reader == "shop: the role shop_reader can only read. Nothing to mend."


async def findings(dsn: str) -> list[Check]:
    async with connect(settings(dsn), Services(Cursors(b"key"))) as postgres:
        return [check async for check in diagnose(postgres)]


async def test_rights_on_columns_and_sequences_and_roles_to_become_are_rights(
    shop: str, shop_reader: str
) -> None:
    admin = await asyncpg.connect(shop)
    await admin.execute(
        "GRANT UPDATE (name) ON customers TO shop_reader;"
        "GRANT UPDATE ON SEQUENCE customers_id_seq TO shop_reader;"
        "CREATE ROLE shop_boss; GRANT shop_boss TO shop_reader; ALTER ROLE shop_reader NOINHERIT"
    )
    if admin.get_server_version().major >= 16:
        await admin.execute("GRANT shop_boss TO shop_reader WITH INHERIT FALSE")
    try:
        async with bench(connector, settings=settings(shop_reader)) as at:
            result = await at.client.call_tool("security_posture", {})
        assert result.structured_content is not None
        assert result.structured_content["findings"] == [
            "can write to 1 tables, public.customers for one",
            "can move 1 sequences, public.customers_id_seq for one",
            "can become shop_boss (SET ROLE)",
        ]
    finally:
        await admin.execute(
            "REVOKE UPDATE (name) ON customers FROM shop_reader; ALTER ROLE shop_reader INHERIT;"
            "REVOKE ALL ON SEQUENCE customers_id_seq FROM shop_reader; DROP ROLE shop_boss"
        )
        await admin.close()


async def test_doctor_is_content_with_a_reader(shop_reader: str) -> None:
    assert [(check.what, check.state) for check in await findings(shop_reader)] == [
        ("database shop", "ok"),
        ("rights of shop_reader", "ok"),
    ]


async def test_doctor_warns_of_a_superuser_with_the_script_to_run(shop: str) -> None:
    (_, rights) = await findings(shop)
    assert rights.state == "warning"
    assert "CREATE ROLE ringmain_reader LOGIN" in rights.remedy


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        (("/shop?", "/nosuch?"), "Check the database's name at the end of the URL."),
        (("postgres@", "nobody@"), "Check user and password in the URL, and pg_hba.conf on the server."),
    ],
)
async def test_doctor_says_what_to_mend_where_nothing_can_be_reached(
    shop: str, change: tuple[str, str], remedy: str
) -> None:
    (check,) = await findings(shop.replace(*change))
    assert (check.state, check.remedy) == ("failed", remedy)


async def test_arguments_that_models_get_wrong_are_explained(shop: str) -> None:
    async with bench(connector, settings=settings(shop)) as at:
        assert await fault(at.client, "query", sql="SELECT 1", max_row=5) == (
            "invalid_arguments",
            "Unknown argument `max_row`; did you mean `max_rows`?",
        )
        assert rows_of(await ask(at.client, "query", sql="SELECT $1::int", params=json.dumps([5]))) == [[5]]
        code, text = await fault(at.client, "query", sql="SELECT 1", database="nosuch")
    assert (code, text) == ("not_found", "There is no database `nosuch`; there are `shop`.")
