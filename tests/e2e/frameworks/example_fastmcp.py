"""The FastMCP client: `pip install ringmain-postgres fastmcp`."""

import os

from fastmcp import Client
from fastmcp.client.transports import StdioTransport, StreamableHttpTransport
from mcp_types import TextContent


def over_stdio() -> Client[StdioTransport]:
    """Start the server here; it takes its settings from the environment."""
    return Client(StdioTransport("ringmain-postgres", args=[], env=dict(os.environ), keep_alive=False))


def over_http() -> Client[StreamableHttpTransport]:
    """Use the server that somebody runs at `MCP_URL`."""
    return Client(StreamableHttpTransport(os.environ["MCP_URL"], auth=os.environ["MCP_KEY"]))


async def customers(server: Client[StdioTransport] | Client[StreamableHttpTransport], city: str) -> str:
    """Who lives in a city, as a model would read it."""
    sql = "SELECT name, born FROM customers WHERE city = $1"
    async with server as postgres:
        answer = await postgres.call_tool("query", {"sql": sql, "params": [city], "format": "markdown"})
    return "\n".join(block.text for block in answer.content if isinstance(block, TextContent))
