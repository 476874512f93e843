import pytest
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from e2e.frameworks import example_pydantic_ai as example
from e2e.frameworks.script import ANSWER, QUESTION, next_move

pytestmark = pytest.mark.anyio


async def reply(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    heard = [
        part.model_response_str()
        for message in messages
        for part in message.parts
        if isinstance(part, ToolReturnPart)
    ]
    move = next_move({tool.name for tool in info.function_tools}, heard)
    if isinstance(move, str):
        return ModelResponse([TextPart(move)])
    return ModelResponse([ToolCallPart(move.tool, move.arguments)])


async def test_an_agent_of_pydantic_ai_answers_from_the_database(transport: str) -> None:
    server = example.over_stdio() if transport == "stdio" else example.over_http()
    assert await example.ask(QUESTION, server, FunctionModel(reply)) == ANSWER
