import pytest

from e2e.frameworks import example_fastmcp as example

pytestmark = pytest.mark.anyio


async def test_the_fastmcp_client_asks_the_database(transport: str) -> None:
    server = example.over_stdio() if transport == "stdio" else example.over_http()
    assert "| Ada | 1815-12-10 |" in await example.customers(server, "London")
