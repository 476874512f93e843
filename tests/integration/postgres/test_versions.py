"""Two versions of one API at work: a client written for the first, and one for the second."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from standins.asking import ask, fault, rows_of
from standins.serving import Served, serving

pytestmark = pytest.mark.anyio


async def templates(client: Client) -> set[str]:
    return {each.uri_template for each in (await client.list_resource_templates()).resource_templates}


@asynccontextmanager
async def connected(served: Served, version: str, mode: str) -> AsyncGenerator[Client]:
    url = served.url.rpartition("/v")[0] + f"/{version}/mcp"
    headers = {"Authorization": f"Bearer {served.key}"}
    async with httpx2.AsyncClient(headers=headers, timeout=30) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, mode=mode) as client:
            yield client


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_an_old_and_a_new_client_are_served_side_by_side(
    shop_reader: str, tmp_path: Path, mode: str
) -> None:
    settings = {"RINGMAIN_POSTGRES_URL": shop_reader, "RINGMAIN_STATE_DIR": str(tmp_path)}
    with serving("ringmain-postgres", settings) as served:
        async with connected(served, "v1", mode) as old, connected(served, "v2", mode) as new:
            assert len(rows_of(await ask(old, "sample_rows", table="customers", n=2))) == 2
            assert len(rows_of(await ask(new, "sample_rows", table="customers", limit=2))) == 2
            code, text = await fault(new, "sample_rows", table="customers", n=2)
            assert (code, text.startswith("Unknown argument `n`")) == ("invalid_arguments", True)
            before, after = await templates(old), await templates(new)
            assert after - before == {
                "pg://{db}/table/{schema}/{table}/rows",
                "pg://{db}/channel/{channel}",
            }
            assert before <= after
