"""Pydantic AI: `pip install ringmain-postgres 'pydantic-ai-slim[mcp,openai]'`."""

import os

from fastmcp.client.transports import StdioTransport
from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.models import Model


def over_stdio() -> MCPToolset:
    """Start the server here; it takes its settings from the environment."""
    start = StdioTransport("ringmain-postgres", args=[], env=dict(os.environ), keep_alive=False)
    return MCPToolset(start, init_timeout=30)


def over_http() -> MCPToolset:
    """Use the server that somebody runs at `MCP_URL`."""
    return MCPToolset(os.environ["MCP_URL"], headers={"Authorization": f"Bearer {os.environ['MCP_KEY']}"})


async def ask(question: str, postgres: MCPToolset, model: Model | str = "openai:gpt-5") -> str:
    """Let the model call the server's tools until it has an answer."""
    agent = Agent(model, toolsets=[postgres])
    async with agent:
        return (await agent.run(question)).output
