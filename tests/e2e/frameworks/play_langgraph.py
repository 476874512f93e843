"""Run the example of LangGraph with a model that plays a part, and print its answer.

A program of its own, for its environment is one of its own: `langchain-mcp-adapters` wants an older `mcp`.
"""

import asyncio
import sys
from collections.abc import Sequence
from typing import Any

import example_langgraph as example
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from script import QUESTION, next_move


class Scripted(BaseChatModel):
    """A model that plays a part."""

    tools: tuple[str, ...] = ()

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **_: Any) -> Runnable[Any, AIMessage]:
        return Scripted(tools=tuple(tool.name for tool in tools))

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        heard = [message.text for message in messages if isinstance(message, ToolMessage)]
        move = next_move(set(self.tools), heard)
        if isinstance(move, str):
            said = AIMessage(move)
        else:
            call = {"name": move.tool, "args": move.arguments, "id": f"call_{len(heard)}"}
            said = AIMessage("", tool_calls=[call])
        return ChatResult(generations=[ChatGeneration(message=said)])


if __name__ == "__main__":
    servers = example.over_stdio() if sys.argv[1] == "stdio" else example.over_http()
    sys.stdout.write(asyncio.run(example.ask(QUESTION, servers, Scripted())))
