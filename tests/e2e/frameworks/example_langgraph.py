"""LangGraph: `pip install langgraph langchain-mcp-adapters`, and ringmain-postgres on the path."""

import os

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition


def over_stdio() -> MultiServerMCPClient:
    """Start the server here; it takes its settings from the environment."""
    return MultiServerMCPClient(
        {
            "postgres": {
                "transport": "stdio",
                "command": "ringmain-postgres",
                "args": [],
                "env": dict(os.environ),
            }
        }
    )


def over_http() -> MultiServerMCPClient:
    """Use the server that somebody runs at `MCP_URL`."""
    headers = {"Authorization": f"Bearer {os.environ['MCP_KEY']}"}
    return MultiServerMCPClient(
        {"postgres": {"transport": "streamable_http", "url": os.environ["MCP_URL"], "headers": headers}}
    )


async def ask(question: str, servers: MultiServerMCPClient, model: BaseChatModel) -> str:
    """Let the model call the server's tools until it has an answer."""
    async with servers.session("postgres") as session:
        tools = await load_mcp_tools(session)
        thinking = model.bind_tools(tools)

        async def think(state: MessagesState) -> MessagesState:
            return {"messages": [await thinking.ainvoke(state["messages"])]}

        graph = StateGraph(MessagesState)
        graph.add_node("model", think)
        graph.add_node("tools", ToolNode(tools))
        graph.add_edge(START, "model")
        graph.add_conditional_edges("model", tools_condition)
        graph.add_edge("tools", "model")
        state = await graph.compile().ainvoke({"messages": [HumanMessage(question)]})
    return state["messages"][-1].text
