"""The protocol's reference client, which we did not write, against the real command."""

import pytest

from standins.inspector import inspect
from standins.serving import command, serving


@pytest.mark.parametrize("transport", ["stdio", "http"])
def test_the_inspector_lists_calls_and_reads(transport: str, settings: dict[str, str]) -> None:
    if transport == "stdio":
        environment = [part for name, value in settings.items() for part in ("-e", f"{name}={value}")]
        look(command("ringmain-postgres"), *environment)
    else:
        with serving("ringmain-postgres", settings) as served:
            look(served.url, "--transport", "http", "--header", f"Authorization: Bearer {served.key}")


def look(*target: str) -> None:
    tools = inspect(*target, "--method", "tools/list")["tools"]
    assert [tool["name"] for tool in tools][:3] == ["list_databases", "search_objects", "describe_object"]
    sql = "sql=SELECT name FROM customers ORDER BY id LIMIT 1"
    answer = inspect(*target, "--method", "tools/call", "--tool-name", "query", "--tool-arg", sql)
    assert '["Ada"]' in answer["content"][0]["text"]
    assert not answer.get("isError")
    read = inspect(*target, "--method", "resources/read", "--uri", "pg://shop/table/sales/orders")
    assert "orders_pkey PRIMARY KEY (id)" in read["contents"][0]["text"]
