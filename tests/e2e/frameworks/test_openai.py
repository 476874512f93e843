"""OpenAI's own library, against an API that plays the model."""

import json
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI

from e2e.frameworks import example_openai as example
from e2e.frameworks.script import ANSWER, QUESTION, next_move
from ringmain_core.adapters import toolset
from ringmain_core.testing import bench
from unit.core.demo import Demo, connector

pytestmark = pytest.mark.anyio


def reply(request: httpx2.Request) -> httpx2.Response:
    """What the model says to the conversation so far; it gives all arguments, as strict mode makes it."""
    body = json.loads(request.content)
    functions = {tool["function"]["name"]: tool["function"] for tool in body["tools"]}
    assert all(function["strict"] for function in functions.values())
    heard = [message["content"] for message in body["messages"] if message["role"] == "tool"]
    move = next_move(set(functions), heard)
    message: dict[str, Any] = {"role": "assistant", "content": move}
    if not isinstance(move, str):
        every = dict.fromkeys(functions[move.tool]["parameters"]["required"])
        function = {"name": move.tool, "arguments": json.dumps(every | move.arguments)}
        call = {"id": f"call_{len(heard)}", "type": "function", "function": function}
        message |= {"content": None, "tool_calls": [call]}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    completion = {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
    return httpx2.Response(200, json=completion)


def respond(request: httpx2.Request) -> httpx2.Response:
    """The same of Responses, for one call."""
    (function, *_) = json.loads(request.content)["tools"]
    call = {
        "type": "function_call",
        "id": "fc_1",
        "call_id": "call_1",
        "name": function["name"],
        "arguments": json.dumps(dict.fromkeys(function["parameters"]["required"]) | {"text": "Hello."}),
    }
    response = {"id": "r", "object": "response", "created_at": 0, "model": "m", "output": [call]}
    rest: dict[str, Any] = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
    return httpx2.Response(200, json=response | rest)


async def test_calls_of_responses_are_made_too() -> None:
    async with (
        bench(connector, upstream=Demo()) as at,
        toolset("openai-responses-strict", demo=at.client) as demo,
        httpx2.AsyncClient(transport=httpx2.MockTransport(respond)) as http,
    ):
        openai = AsyncOpenAI(api_key="none", http_client=http)
        response = await openai.responses.create(model="m", input="Say it.", tools=demo.tools)
        results = await demo.run(response)
    assert results == [{"type": "function_call_output", "call_id": "call_1", "output": "Hello."}]


async def test_a_model_of_openai_answers_from_the_database(transport: str) -> None:
    server = example.over_stdio() if transport == "stdio" else example.over_http()
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(reply)) as http:
        openai = AsyncOpenAI(api_key="none", http_client=http)
        assert await example.ask(QUESTION, server, openai) == ANSWER
