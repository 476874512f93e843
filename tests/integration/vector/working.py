"""A client of the vector connector, in front of a store in memory with an embedder that needs no model."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from mcp.client import Client
from mcp_types import CallToolResult, TextContent

from ringmain_core.testing import Bench, bench
from ringmain_vector import connector
from ringmain_vector.settings import VectorSettings

DOCUMENTS = [
    {
        "document_id": "deploy",
        "title": "How we deploy",
        "uri": "https://docs.example.com/deploy",
        "text": "# How we deploy\n\nThe cache has to be warm before we deploy on Friday.\n\nDrain, look.",
        "metadata": {"kind": "runbook", "year": 2026},
    },
    {
        "document_id": "budget",
        "title": "Budget",
        "text": "Servers cost 1500 a month. Coffee costs 95.",
        "metadata": {"kind": "note", "year": 2025},
    },
    {"document_id": "lunch", "text": "Lunch is at noon, in the kitchen."},
]


def settings_for(**more: Any) -> VectorSettings:
    return VectorSettings.model_validate({"store": "memory:", "embedder": "hash", **more})


@asynccontextmanager
async def bench_of(settings: VectorSettings | None = None, **more: Any) -> AsyncGenerator[Bench]:
    """The connector and a client of it; `more` is for `bench`."""
    settings = settings or settings_for()
    async with bench(connector.configured(settings), settings=settings, **more) as at:
        yield at


@asynccontextmanager
async def client_of(settings: VectorSettings | None = None, **more: Any) -> AsyncGenerator[Client]:
    """A client, with the documents taken in."""
    async with bench_of(settings, **more) as at:
        await call(at.client, "add_documents", documents=DOCUMENTS)
        yield at.client


async def call(client: Client, tool: str, /, **arguments: Any) -> tuple[str, dict[str, Any]]:
    """What a tool says, and its structured content."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    return text_of(result), dict(result.structured_content or {})


async def refusal(client: Client, tool: str, /, **arguments: Any) -> tuple[str, Mapping[str, Any]]:
    """What a tool says when it fails: the text, and the error's fields."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error, text_of(result)
    meta: Mapping[str, Any] = result.meta or {}
    return text_of(result), meta["dev.ringmain/error"]


def text_of(result: CallToolResult) -> str:
    return "\n".join(part.text for part in result.content if isinstance(part, TextContent))
