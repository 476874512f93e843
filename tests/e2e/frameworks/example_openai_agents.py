"""The OpenAI Agents SDK: `pip install ringmain-postgres openai-agents`."""

import os

from agents import Agent, Model, Runner
from agents.mcp import MCPServerStdio, MCPServerStreamableHttp


def over_stdio() -> MCPServerStdio:
    """Start the server here; it takes its settings from the environment."""
    return MCPServerStdio(
        {"command": "ringmain-postgres", "env": dict(os.environ)}, client_session_timeout_seconds=60
    )


def over_http() -> MCPServerStreamableHttp:
    """Use the server that somebody runs at `MCP_URL`."""
    headers = {"Authorization": f"Bearer {os.environ['MCP_KEY']}"}
    return MCPServerStreamableHttp(
        {"url": os.environ["MCP_URL"], "headers": headers, "timeout": 60}, client_session_timeout_seconds=60
    )


async def ask(
    question: str, server: MCPServerStdio | MCPServerStreamableHttp, model: Model | str = "gpt-5"
) -> str:
    """Let the model call the server's tools until it has an answer."""
    async with server as postgres:
        agent = Agent("analyst", mcp_servers=[postgres], model=model)
        return (await Runner.run(agent, question)).final_output
