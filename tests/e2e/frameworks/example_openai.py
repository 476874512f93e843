"""The OpenAI library and nothing between: `pip install ringmain-postgres openai`."""

import os
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx2
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from openai import AsyncOpenAI

from ringmain_core.adapters import toolset


def over_stdio() -> AbstractAsyncContextManager[Client]:
    """Start the server here; it takes its settings from the environment."""
    return Client(StdioServerParameters(command="ringmain-postgres", env=dict(os.environ)))


@asynccontextmanager
async def over_http() -> AsyncGenerator[Client]:
    """Use the server that somebody runs at `MCP_URL`."""
    headers = {"Authorization": f"Bearer {os.environ['MCP_KEY']}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(os.environ["MCP_URL"], http_client=http)) as server,
    ):
        yield server


async def ask(
    question: str, server: AbstractAsyncContextManager[Client], openai: AsyncOpenAI, model: str = "gpt-5"
) -> str:
    """Let the model call the server's tools until it has an answer."""
    messages: list[Any] = [{"role": "user", "content": question}]
    async with server as client, toolset("openai-strict", postgres=client) as postgres:
        while True:
            completion = await openai.chat.completions.create(
                model=model, messages=messages, tools=postgres.tools
            )
            answer = completion.choices[0].message
            results = await postgres.run(answer)
            if not results:
                return answer.content or ""
            messages += [answer, *results]
