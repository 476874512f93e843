"""slack-sdk without us: pages of channels, in a tool of the bare SDK or by a loop of its own.

`python -m bench.bare_slack API TOKEN CHANNELS http` serves the tool; `… loop` takes lines with a number N
from stdin, reads N pages for each, and answers with a line; `… kept` keeps its connection open.
"""

import asyncio
import json
import sys
from typing import Any

from mcp.server.mcpserver import MCPServer

from bench.slack_load import PAGE, page

_SHOWN = ("ts", "user", "text", "reply_count", "reactions", "files")


def client(url: str, token: str, *, kept: bool) -> Any:
    """slack-sdk as its documentation has it, or with a session whose connection is kept open."""
    from aiohttp import ClientSession
    from slack_sdk.web.async_client import AsyncWebClient

    return AsyncWebClient(token=token, base_url=url, session=ClientSession() if kept else None)


async def read(slack: Any, channel: str, latest: str) -> str:
    answer = await slack.conversations_history(channel=channel, latest=latest, limit=PAGE)
    messages = [{name: one.get(name) for name in _SHOWN} for one in answer["messages"]]
    return json.dumps(messages)


def build(url: str, token: str) -> MCPServer[None]:
    server: MCPServer[None] = MCPServer("bare-slack", log_level="WARNING")
    opened: list[Any] = []

    @server.tool(structured_output=False)
    async def read_channel(channel: str, until: str, limit: int) -> str:  # noqa: ARG001  # pyright: ignore[reportUnusedFunction]
        """Read a channel."""
        if not opened:
            opened.append(client(url, token, kept=True))
        return await read(opened[0], channel, until)

    return server


async def loop(url: str, token: str, channels: list[str], *, kept: bool) -> None:
    """Read as many pages as each line of stdin says."""
    slack = client(url, token, kept=kept)
    number = 0
    while line := await asyncio.to_thread(sys.stdin.readline):
        for _ in range(int(line)):
            channel, latest, _ = page(number, channels)
            await read(slack, channel, latest)
            number += 1
        print("done", flush=True)
    if kept:
        await slack.session.close()


if __name__ == "__main__":
    address, secret, names, how = sys.argv[1:5]
    if how == "http":
        from bench.bare_http import serve

        serve(build(address, secret), sys.argv[5:])
    else:
        asyncio.run(loop(address, secret, names.split(","), kept=how == "kept"))
