"""The OpenAI Agents SDK, and what it thinks of our strict schemas."""

import json
from collections.abc import AsyncIterator
from copy import deepcopy
from typing import Any, cast

import pytest
from agents import Model, ModelResponse, Usage, set_tracing_disabled
from agents.items import TResponseStreamEvent
from agents.strict_schema import ensure_strict_json_schema
from openai.types.responses import (
    ResponseFunctionToolCall,
    ResponseOutputItem,
    ResponseOutputMessage,
    ResponseOutputText,
)

from contract.discover import connectors
from e2e.frameworks import example_openai_agents as example
from e2e.frameworks.script import ANSWER, QUESTION, next_move
from ringmain_core.adapters import exported

pytestmark = pytest.mark.anyio


class Scripted(Model):
    """A model that plays a part."""

    async def get_response(self, *_: Any, **request: Any) -> ModelResponse:
        said_so_far = cast("list[dict[str, Any]]", request["input"])
        outputs = [item["output"] for item in said_so_far if item.get("type") == "function_call_output"]
        heard = [part["text"] for output in outputs for part in output]
        move = next_move({tool.name for tool in request["tools"]}, heard)
        item: ResponseOutputItem
        if isinstance(move, str):
            said = ResponseOutputText(type="output_text", text=move, annotations=[])
            item = ResponseOutputMessage(
                id="1", type="message", role="assistant", status="completed", content=[said]
            )
        else:
            item = ResponseFunctionToolCall(
                type="function_call",
                call_id=f"call_{len(heard)}",
                name=move.tool,
                arguments=json.dumps(move.arguments),
            )
        return ModelResponse(output=[item], usage=Usage(), response_id=None)

    def stream_response(self, *_: Any, **__: Any) -> AsyncIterator[TResponseStreamEvent]:
        raise NotImplementedError("nobody streams here")


async def test_an_agent_of_openai_answers_from_the_database(transport: str) -> None:
    set_tracing_disabled(disabled=True)
    server = example.over_stdio() if transport == "stdio" else example.over_http()
    assert await example.ask(QUESTION, server, Scripted()) == ANSWER


@pytest.mark.parametrize("name", sorted(connectors()))
def test_our_strict_schemas_are_strict_to_openais_library_too(name: str) -> None:
    for connector in connectors()[name].views.values():
        listed = [tool.listing() for tool in connector.tools]
        for tool in exported(name, listed, "openai-strict"):
            parameters = tool["function"]["parameters"]
            assert ensure_strict_json_schema(deepcopy(parameters)) == parameters
