"""Schemas, tables and named queries as resources; prompts; completions."""

from pathlib import Path

import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import ResourceTemplateReference, TextContent

from ringmain_core.cursors import Cursors
from ringmain_core.errors import ConfigurationError
from ringmain_core.services import Services
from ringmain_core.testing import bench
from ringmain_postgres import connector
from ringmain_postgres.databases import connect
from ringmain_postgres.settings import PostgresSettings
from standins.asking import read, rows_of

pytestmark = pytest.mark.anyio

CONFIG = """
[databases.shop]
url = "{dsn}"

[databases.shop.queries.customer_list]
sql = "SELECT name, city FROM customers ORDER BY name"
description = "Everybody who has ordered."

[databases.shop.queries.customers_of]
title = "Customers of a city, born after a day"
sql = "SELECT name FROM customers WHERE city = $1 AND born > $2"
description = "Who lives there."
parameters = ["city", "born_after"]

[databases.archive]
url = "{dsn}"
schemas = ["sales"]
"""


@pytest.fixture
def settings(shop: str, tmp_path: Path) -> PostgresSettings:
    path = tmp_path / "postgres.toml"
    path.write_text(CONFIG.format(dsn=shop), encoding="utf-8")
    return PostgresSettings(config=path)


async def test_databases_and_named_queries_are_listed(settings: PostgresSettings) -> None:
    async with bench(connector.configured(settings), settings=settings) as at:
        resources = {resource.uri for resource in (await at.client.list_resources()).resources}
        templates = {
            template.uri_template
            for template in (await at.client.list_resource_templates()).resource_templates
        }
    assert resources == {"pg://shop/schema", "pg://archive/schema", "pg://shop/query/customer_list"}
    assert templates == {
        "pg://{db}/schema",
        "pg://{db}/schema/{schema}",
        "pg://{db}/table/{schema}/{table}",
        "pg://{db}/table/{schema}/{table}/rows",
        "pg://{db}/channel/{channel}",
        "pg://shop/query/customers_of{?city,born_after}",
    }


async def test_named_queries_run_with_and_without_parameters(settings: PostgresSettings) -> None:
    async with bench(connector.configured(settings), settings=settings) as at:
        everybody = await read(at.client, "pg://shop/query/customer_list")
        some = await read(at.client, "pg://shop/query/customers_of?city=New%20York&born_after=1900-01-01")
        none = await read(at.client, "pg://shop/query/customers_of?city=' OR true --&born_after=1900-01-01")
    assert rows_of(everybody) == [["Ada", "London"], ["Blaise", "Paris"], ["Grace", "New York"]]
    assert rows_of(some) == [["Grace"]]
    assert rows_of(none) == []


async def test_a_named_query_without_its_parameters_says_which_are_missing(
    settings: PostgresSettings,
) -> None:
    async with bench(connector.configured(settings), settings=settings) as at:
        with pytest.raises(MCPError, match="`born_after` is required"):
            await read(at.client, "pg://shop/query/customers_of?city=Paris")


async def test_a_schema_and_a_table_can_be_read(settings: PostgresSettings) -> None:
    async with bench(connector.configured(settings), settings=settings) as at:
        schema = await read(at.client, "pg://shop/schema/sales")
        table = await read(at.client, "pg://shop/table/sales/orders")
        odd = await read(at.client, "pg://shop/table/public/Odd%20%22Names%22")
    assert "table sales.orders" in schema
    assert "(id integer, customer integer, status sales.status, amount numeric(10,2)" in schema
    assert "FOREIGN KEY (customer) REFERENCES customers(id)" in table
    assert '"select" integer' in odd


@pytest.mark.parametrize(
    "uri",
    ["pg://shop/table/sales/nosuch", "pg://nosuch/schema", "pg://shop/query/nosuch", "file:///etc/passwd"],
)
async def test_what_is_not_there_is_a_protocol_error(settings: PostgresSettings, uri: str) -> None:
    async with bench(connector.configured(settings), settings=settings) as at:
        with pytest.raises(MCPError) as error:
            await read(at.client, uri)
    assert error.value.code == -32602


async def test_completions_offer_databases_schemas_and_tables(settings: PostgresSettings) -> None:
    template = ResourceTemplateReference(uri="pg://{db}/table/{schema}/{table}")
    async with bench(connector.configured(settings), settings=settings) as at:

        async def offered(name: str, typed: str, **chosen: str) -> list[str]:
            argument = {"name": name, "value": typed}
            completed = await at.client.complete(template, argument, context_arguments=chosen or None)
            return completed.completion.values

        assert await offered("db", "s") == ["shop"]
        assert await offered("schema", "s", db="shop") == ["sales"]
        assert await offered("table", "", db="shop", schema="sales") == ["by_city", "orders", "paid"]


async def test_prompts_are_listed_and_filled_in(settings: PostgresSettings) -> None:
    async with bench(connector.configured(settings), settings=settings) as at:
        names = [prompt.name for prompt in (await at.client.list_prompts()).prompts]
        filled = await at.client.get_prompt(
            "explore_database", {"goal": "who orders most", "database": "shop"}
        )
    assert names == ["explore_database", "diagnose_slow_query"]
    (message,) = filled.messages
    assert isinstance(message.content, TextContent)
    assert message.content.text.startswith(
        "Find out: who orders most\n\nWork in the database `shop` like this:"
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[databases.x]\nurl = 3", "databases.x.url"),
        ("[databases.x]\nurl = 'postgresql://h/x'\nnonsense = 1", "databases.x.nonsense: Extra inputs"),
        ("[databases.'a b']\nurl = 'postgresql://h/x'", "use letters, digits"),
        ("[databases", "not valid TOML"),
    ],
)
def test_a_settings_file_that_cannot_be_used_says_where(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "postgres.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as error:
        _ = PostgresSettings(config=path).databases
    assert str(path) in str(error.value)
    assert complaint in str(error.value)


async def test_no_database_at_all_says_what_to_set() -> None:
    with pytest.raises(ConfigurationError, match="RINGMAIN_POSTGRES_URL=postgresql"):
        async with connect(PostgresSettings(), Services(Cursors(b"key"))):
            pass
