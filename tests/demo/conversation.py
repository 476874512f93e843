"""A client of the SDK that talks to the server, and shows each call and its answer as a model reads it."""

import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import TextContent

from demo.failed import Failed, expect
from demo.terminal import Terminal
from standins.asking import read, text_of

_CALL_SECONDS = 60
_LOADED_WITHIN = 60.0


class Conversation:
    """One client; every call is shown."""

    def __init__(self, client: Client, terminal: Terminal) -> None:
        self._client = client
        self._terminal = terminal

    async def tools(self) -> list[str]:
        """The names of the tools that this client gets to see."""
        self._terminal.call("tools/list", {})
        names = [tool.name for tool in (await self._client.list_tools()).tools]
        self._terminal.answer(", ".join(names))
        return names

    async def ask(self, why: str, tool: str, lines: int = 12, /, **arguments: Any) -> str:
        """Call a tool that must succeed; return the text that it answers."""
        self._terminal.question(why)
        self._terminal.call(tool, arguments)
        result = await self._client.call_tool(tool, arguments)
        text = text_of(result)
        self._terminal.answer(text, lines, refused=result.is_error)
        expect(not result.is_error, f"`{tool}` was to answer, but says: {text}")
        return text

    async def search(
        self, why: str, shown: Callable[[Mapping[str, Any]], Iterable[str]], /, **arguments: Any
    ) -> list[dict[str, Any]]:
        """Search documents; show the lines that are made of each hit, and return the hits."""
        self._terminal.question(why)
        self._terminal.call("search_documents", arguments)
        found = await self._searched(arguments)
        hits: list[dict[str, Any]] = found["hits"]
        self._terminal.answer("\n".join(line for hit in hits for line in shown(hit)))
        return hits

    async def _searched(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """What a search gives once the model is loaded: until then the server searches by words only."""
        deadline = time.monotonic() + _LOADED_WITHIN
        while time.monotonic() < deadline:
            result = await self._client.call_tool("search_documents", arguments)
            found = result.structured_content
            if result.is_error or found is None:
                raise Failed(f"`search_documents` was to answer, but says: {text_of(result)}")
            if found["mode"] == "hybrid":
                return found
            await anyio.sleep(0.2)
        raise Failed(f"The model was to be loaded within {_LOADED_WITHIN:.0f} s.")

    async def refused(self, why: str, codes: tuple[str, ...], tool: str, /, **arguments: Any) -> str:
        """Call a tool that must fail with one of these codes; return what it says."""
        self._terminal.question(why)
        self._terminal.call(tool, arguments)
        result = await self._client.call_tool(tool, arguments)
        text = text_of(result)
        self._terminal.answer(text, refused=True)
        found = (result.meta or {}).get("dev.ringmain/error", {}).get("code")
        expected = " or ".join(codes)
        expect(found in codes, f"`{tool}` was to be refused ({expected}), but says: {text}")
        return text

    async def unknown(self, why: str, tool: str, /, **arguments: Any) -> str:
        """Call a tool that must look as if there were none; return what the server says."""
        self._terminal.question(why)
        self._terminal.call(tool, arguments)
        try:
            await self._client.call_tool(tool, arguments)
        except MCPError as error:
            self._terminal.answer(f"JSON-RPC error {error.code}: {error.message}", refused=True)
            expect(f"Unknown tool `{tool}`" in error.message, f"`{tool}` was to be hidden.")
            return error.message
        raise Failed(f"`{tool}` was to be hidden from this agent, but it answered.")

    async def resource(self, why: str, uri: str) -> str:
        """Read a resource; return its text."""
        self._terminal.question(why)
        self._terminal.call("resources/read", {"uri": uri})
        text = await read(self._client, uri)
        self._terminal.answer(text)
        return text

    async def prompt(self, why: str, name: str, /, **arguments: str) -> str:
        """Fetch a prompt; return its text."""
        self._terminal.question(why)
        self._terminal.call("prompts/get", {"name": name, "arguments": arguments})
        (message,) = (await self._client.get_prompt(name, arguments)).messages
        content = message.content
        text = content.text if isinstance(content, TextContent) else ""
        self._terminal.answer(text, 5)
        return text


@asynccontextmanager
async def over_http(terminal: Terminal, url: str, key: str) -> AsyncGenerator[Conversation]:
    """Talk to a server that listens on a URL."""
    bearer = {"Authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(headers=bearer, timeout=_CALL_SECONDS, trust_env=False) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, read_timeout_seconds=_CALL_SECONDS) as client:
            terminal.say(f"Connected to {_name_of(client)}.")
            yield Conversation(client, terminal)


@asynccontextmanager
async def over_stdio(
    terminal: Terminal, entry: Mapping[str, Any], settings: Mapping[str, str], log: Path
) -> AsyncGenerator[Conversation]:
    """Start a server as a desktop client does, and talk to it.

    Args:
        terminal: Where it shows.
        entry: The server's entry in `claude_desktop_config.json`.
        settings: More for its environment.
        log: Where its stderr goes.
    """
    server = StdioServerParameters(
        command=entry["command"], args=entry["args"], env={**entry["env"], **settings}
    )
    with log.open("w", encoding="utf-8") as stderr:
        async with Client(stdio_client(server, stderr), read_timeout_seconds=_CALL_SECONDS) as client:
            terminal.say(f"Started {_name_of(client)}.")
            yield Conversation(client, terminal)


def _name_of(client: Client) -> str:
    info = client.server_info
    name = f"{info.name} {info.version}" if info is not None else "a server without a name"
    return f"{name}, protocol {client.protocol_version}"
