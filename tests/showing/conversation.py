"""A client of the SDK that talks to the server, and shows each call and its answer as a model reads it."""

import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
from mcp.client import Client
from mcp.client.session import ElicitationFnT
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, TextContent

from showing.failed import Failed, expect
from showing.terminal import Terminal
from standins.asking import read, text_of

_CALL_SECONDS = 60
_LOADED_WITHIN = 60.0


class Conversation:
    """One client; every call is shown.

    Args:
        client: Connected.
        terminal: Where it shows.
        name: Of the server, where there are several.
    """

    def __init__(self, client: Client, terminal: Terminal, name: str = "") -> None:
        self._client = client
        self._terminal = terminal
        self._of = f"{name}." if name else ""

    async def tools(self) -> list[str]:
        """The names of the tools that this client gets to see."""
        self._terminal.call(f"{self._of}tools/list", {})
        names = [tool.name for tool in (await self._client.list_tools()).tools]
        self._terminal.answer(", ".join(names))
        return names

    async def ask(self, why: str, tool: str, lines: int = 12, /, **arguments: Any) -> str:
        """Call a tool that must succeed; return the text that it answers."""
        return text_of(await self._answered(why, tool, lines, arguments))

    async def fetch(self, why: str, tool: str, lines: int = 12, /, **arguments: Any) -> dict[str, Any]:
        """Call a tool that must succeed; return its structured content."""
        return (await self._answered(why, tool, lines, arguments)).structured_content or {}

    async def search(
        self, why: str, shown: Callable[[Mapping[str, Any]], Iterable[str]], /, **arguments: Any
    ) -> list[dict[str, Any]]:
        """Search documents; show the lines that are made of each hit, and return the hits."""
        self._ask("search_documents", arguments, why)
        begin = time.monotonic()
        found = await self._searched(arguments)
        hits: list[dict[str, Any]] = found["hits"]
        lines = [line for hit in hits for line in shown(hit)]
        self._terminal.answer("\n".join(lines), seconds=time.monotonic() - begin)
        return hits

    async def refused(self, why: str, codes: tuple[str, ...], tool: str, /, **arguments: Any) -> str:
        """Call a tool that must fail with one of these codes; return what it says."""
        result = await self._shown(why, tool, 12, arguments)
        text = text_of(result)
        found = (result.meta or {}).get("dev.ringmain/error", {}).get("code")
        expected = " or ".join(codes)
        expect(found in codes, f"`{tool}` was to be refused ({expected}), but says: {text}")
        return text

    async def unknown(self, why: str, tool: str, /, **arguments: Any) -> str:
        """Call a tool that must look as if there were none; return what the server says."""
        self._ask(tool, arguments, why)
        try:
            await self._client.call_tool(tool, arguments)
        except MCPError as error:
            self._terminal.answer(f"JSON-RPC error {error.code}: {error.message}", refused=True)
            expect(f"Unknown tool `{tool}`" in error.message, f"`{tool}` was to be hidden.")
            return error.message
        raise Failed(f"`{tool}` was to be hidden from this agent, but it answered.")

    async def resource(self, why: str, uri: str) -> str:
        """Read a resource; return its text."""
        self._ask("resources/read", {"uri": uri}, why)
        text = await read(self._client, uri)
        self._terminal.answer(text)
        return text

    async def prompt(self, why: str, name: str, /, **arguments: str) -> str:
        """Fetch a prompt; return its text."""
        self._ask("prompts/get", {"name": name, "arguments": arguments}, why)
        (message,) = (await self._client.get_prompt(name, arguments)).messages
        content = message.content
        text = content.text if isinstance(content, TextContent) else ""
        self._terminal.answer(text, 5)
        return text

    def _ask(self, name: str, arguments: Mapping[str, Any], why: str) -> None:
        self._terminal.question(why)
        self._terminal.call(f"{self._of}{name}", arguments)

    async def _answered(self, why: str, tool: str, lines: int, arguments: dict[str, Any]) -> CallToolResult:
        result = await self._shown(why, tool, lines, arguments)
        expect(not result.is_error, f"`{tool}` was to answer, but says: {text_of(result)}")
        return result

    async def _shown(self, why: str, tool: str, lines: int, arguments: dict[str, Any]) -> CallToolResult:
        self._ask(tool, arguments, why)
        begin = time.monotonic()
        result = await self._client.call_tool(tool, arguments)
        seconds = time.monotonic() - begin
        self._terminal.answer(text_of(result), lines, refused=result.is_error, seconds=seconds)
        return result

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
            await anyio.sleep(0.5)
        raise Failed(f"The model was to be loaded within {_LOADED_WITHIN:.0f} s.")


@asynccontextmanager
async def over_http(
    terminal: Terminal, url: str, key: str, name: str = "", asks: ElicitationFnT | None = None
) -> AsyncGenerator[Conversation]:
    """Talk to a server that listens on a URL.

    Args:
        terminal: Where it shows.
        url: Of the MCP path.
        key: Of the agent.
        name: Of the server, where there are several.
        asks: Puts the server's questions to a person; without it, the client cannot.
    """
    bearer = {"Authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(headers=bearer, timeout=_CALL_SECONDS, trust_env=False) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, read_timeout_seconds=_CALL_SECONDS, elicitation_callback=asks) as client:
            terminal.say(f"Connected to {_name_of(client)}.")
            yield Conversation(client, terminal, name)


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
