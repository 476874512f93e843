"""The bare SDK: an echo tool with nothing around it (`python -m bench.bare_echo [http [json]]`)."""

import sys

from mcp.server.mcpserver import MCPServer


def build() -> MCPServer[None]:
    server: MCPServer[None] = MCPServer("bare-echo", log_level="WARNING")

    @server.tool()
    async def echo(text: str) -> str:  # pyright: ignore[reportUnusedFunction]
        """Return the text."""
        return text

    return server


if __name__ == "__main__":
    if sys.argv[1:2] == ["http"]:
        from bench.bare_http import serve

        serve(build(), sys.argv[2:])
    else:
        build().run("stdio")
