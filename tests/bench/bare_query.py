"""The bare SDK: a query tool as one would write it first (`python -m bench.bare_query URL [http]`)."""

import importlib
import json
import sys
from typing import Any

from mcp.server.mcpserver import MCPServer

asyncpg: Any = importlib.import_module("asyncpg")  # it ships no types


def build(url: str) -> MCPServer[None]:
    server: MCPServer[None] = MCPServer("bare-query", log_level="WARNING")
    pools: list[Any] = []

    # Without structured output, which would send the rows a second time.
    @server.tool(structured_output=False)
    async def query(sql: str, params: list[Any] | None = None) -> str:  # pyright: ignore[reportUnusedFunction]
        """Run a statement."""
        if not pools:
            pools.append(await asyncpg.create_pool(url, min_size=0, max_size=5))
        rows = await pools[0].fetch(sql, *(params or ()))
        return json.dumps([dict(row) for row in rows], default=str)

    return server


if __name__ == "__main__":
    if sys.argv[2:3] == ["http"]:
        from bench.bare_http import serve

        serve(build(sys.argv[1]), sys.argv[3:])
    else:
        build(sys.argv[1]).run("stdio")
