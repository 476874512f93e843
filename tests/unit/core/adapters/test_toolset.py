"""Calls that a model asks for, made at real servers in memory."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import mcp_types as types
import pytest
from mcp.client import Client
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from ringmain_core.adapters import in_process, toolset
from ringmain_core.errors import ConfigurationError
from ringmain_core.testing import bench
from unit.core.demo import Demo, connector

pytestmark = pytest.mark.anyio


def asks(*calls: tuple[str, Any]) -> dict[str, Any]:
    """What a model of Chat Completions says that wants these calls."""
    return {
        "tool_calls": [
            {
                "id": str(number),
                "type": "function",
                "function": {
                    "name": name,
                    "arguments": given if isinstance(given, str) else json.dumps(given),
                },
            }
            for number, (name, given) in enumerate(calls)
        ]
    }


def texts(messages: list[dict[str, Any]]) -> list[str]:
    assert [message["tool_call_id"] for message in messages] == [str(n) for n in range(len(messages))]
    return [message["content"] for message in messages]


async def test_calls_are_made_and_answered_in_their_order() -> None:
    async with (
        bench(connector, upstream=(demo := Demo())) as at,
        toolset("openai-strict", demo=at.client) as to,
    ):
        assert [tool["function"]["name"] for tool in to.tools][:3] == ["echo", "words", "who"]
        answer = asks(
            ("echo", {"text": "a", "times": None, "secret": None, "picky": None}),
            ("words", {"count": 2, "tags": ["x"], "where": None, "share": None}),
            ("words", {"count": 1, "tags": None, "where": {"name": "y", "limit": None}, "share": None}),
            ("note", {"text": "kept in mind"}),
            ("who", ""),
        )
        assert texts(await to.run(answer)) == [
            "a",
            '{"words":["x0.5","x0.5"]}',
            '{"words":["y0.5"]}',
            "kept",
            "local",
        ]
        assert demo.notes == ["kept in mind"]
        assert await to.run({"content": "Done.", "tool_calls": []}) == []


async def test_what_goes_wrong_is_told_to_the_model() -> None:
    async with bench(connector, upstream=Demo()) as at, toolset("openai", demo=at.client) as to:
        answer = asks(
            ("ecko", {"text": "a"}),
            ("echo", '{"text": "a"'),
            ("echo", '["a"]'),
            ("echo", '{"text": "a", "text": "b"}'),
            ("echo", {"txt": "a"}),
            ("refuse", {}),
        )
        told = texts(await to.run(answer))
    assert told[0].startswith("Error: There is no function 'ecko'; there are echo, words, who, count, ")
    assert told[1].startswith("Error: The arguments have to be one JSON object: Expecting ',' delimiter")
    assert told[2] == "Error: The arguments have to be one JSON object: it is none."
    assert told[3] == "Error: The arguments have to be one JSON object: an object has the same key twice."
    assert told[4].startswith("Error: ")
    assert "txt" in told[4]
    assert told[5] == "Error: No such column."


async def test_a_refusal_is_told_to_the_model() -> None:
    policy = '[roles.reader]\nallow = ["demo.echo"]\n[[agents]]\nid = "local"\nroles = ["reader"]\n'
    async with bench(connector, upstream=Demo(), policy=policy) as at:
        async with toolset("openai", demo=at.client) as to:
            assert [tool["function"]["name"] for tool in to.tools] == ["echo"]
        listing = types.ListToolsResult(tools=[types.Tool(name="wipe", input_schema={"type": "object"})])

        class Outdated(Client):
            async def list_tools(self, **_: Any) -> types.ListToolsResult:
                return listing

        async with Outdated(at.server) as client, toolset("openai", demo=client) as to:
            with pytest.raises(MCPError) as refused:
                await at.client.call_tool("wipe", {})
            assert texts(await to.run(asks(("wipe", {})))) == [f"Error: {refused.value.message}"]


async def test_an_answer_that_breaks_its_own_schema_is_told_beside_those_that_do_not() -> None:
    shape = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}

    async def list_tools(_: Any, __: Any) -> types.ListToolsResult:
        tools = [types.Tool(name=name, input_schema={"type": "object"}) for name in ("good", "bad")]
        tools[1].output_schema = shape
        return types.ListToolsResult(tools=tools)

    async def call_tool(_: Any, asked: types.CallToolRequestParams) -> types.CallToolResult:
        content = {"a": "x"} if asked.name == "bad" else None
        return types.CallToolResult(
            content=[types.TextContent(type="text", text="done")], structured_content=content
        )

    server = Server("strange", on_list_tools=list_tools, on_call_tool=call_tool)
    async with Client(server) as client, toolset("openai", strange=client) as to:
        bad, good = texts(await to.run(asks(("bad", {}), ("good", {}))))
    assert bad.startswith("Error: The server's answer cannot be used: Invalid structured content")
    assert good == "done"


async def test_a_connection_that_is_gone_is_raised() -> None:
    async with bench(connector, upstream=Demo(), mode="legacy") as at:

        class Gone(Client):
            async def call_tool(self, *_: Any, **__: Any) -> Any:
                raise MCPError(types.CONNECTION_CLOSED, "Connection closed")

        async with Gone(at.server) as client, toolset("openai", demo=client) as to:
            with pytest.raises(ExceptionGroup) as raised:
                await to.run(asks(("who", {})))
    assert raised.group_contains(MCPError, match="Connection closed")


async def test_tools_of_several_servers_are_told_apart() -> None:
    one, other = Demo(), Demo()
    async with (
        bench(connector, upstream=one) as first,
        bench(connector, upstream=other, mode="legacy") as second,
        toolset("anthropic", one=first.client, other=second.client.session) as to,
    ):
        names = [tool["name"] for tool in to.tools]
        assert {"one_note", "other_note"} <= set(names)
        content = [{"type": "tool_use", "id": "1", "name": "other_note", "input": {"text": "here"}}]
        (message,) = await to.run({"content": content})
    assert message["content"][0]["content"] == [{"type": "text", "text": "kept"}]
    assert (one.notes, other.notes) == ([], ["here"])


async def test_arguments_that_do_not_fit_are_told_with_their_place() -> None:
    async with serving(free) as client, toolset("gemini", free=client) as to:
        call = {"functionCall": {"name": "free", "args": {"it": "{"}}}
        (message,) = await to.run({"parts": [call]})
        call["functionCall"]["args"] = {"it": '{"deep": [1]}'}
        (fine,) = await to.run({"parts": [call]})
    response = message["parts"][0]["functionResponse"]["response"]
    assert response["error"].startswith("The arguments do not fit: `it` has to be JSON text: Expecting")
    assert fine["parts"][0]["functionResponse"]["response"] == {"output": '{"it":{"deep":[1]}}'}


async def test_content_of_every_kind_is_shown_or_named() -> None:
    async with serving(everything) as client, toolset("openai-responses", all=client) as to:
        call = {"type": "function_call", "call_id": "1", "name": "all", "arguments": "{}"}
        (item,) = await to.run({"output": [call]})
    assert item["output"] == [
        {
            "type": "input_text",
            "text": "Words.\n"
            "[a recording, audio/wav, which cannot be played here]\n"
            "[resource file:///a.txt: The file.]\n"
            "[resource file:///b.txt]\nInside.\n"
            "[resource file:///c.bin, bytes, which cannot be shown here]",
        },
        {"type": "input_image", "image_url": "data:image/png;base64,aGk="},
    ]


async def test_every_page_of_tools_is_taken() -> None:
    async with serving(free, pages=3) as client, toolset("openai", paged=client) as to:
        assert [tool["function"]["name"] for tool in to.tools] == ["t0", "t1", "t2"]
    async with serving(free, pages=3) as client, toolset("openai", paged=client.session) as to:
        assert len(to.tools) == 3


async def test_a_connector_runs_in_this_process_with_all_its_gates(monkeypatch: pytest.MonkeyPatch) -> None:
    async with toolset("openai", demo=connector) as to:
        assert texts(await to.run(asks(("who", {}), ("note", {"text": "x"})))) == ["local", "kept"]
    monkeypatch.setenv("RINGMAIN_DEMO_DSN", "s3cret")
    with pytest.raises(ConfigurationError, match=r"^RINGMAIN_DEMO_DSN: Value should have at least 8 items"):
        async with in_process(connector):
            pass


async def free(arguments: dict[str, Any]) -> types.CallToolResult:
    """Answer with the arguments, as structured content alone."""
    return types.CallToolResult(content=[], structured_content=arguments)


async def everything(_: dict[str, Any]) -> types.CallToolResult:
    return types.CallToolResult(
        content=[
            types.TextContent(text="Words."),
            types.ImageContent(data="aGk=", mime_type="image/png"),
            types.AudioContent(data="aGk=", mime_type="audio/wav"),
            types.ResourceLink(name="a", uri="file:///a.txt", description="The file."),
            types.EmbeddedResource(resource=types.TextResourceContents(uri="file:///b.txt", text="Inside.")),
            types.EmbeddedResource(resource=types.BlobResourceContents(uri="file:///c.bin", blob="aGk=")),
        ]
    )


@asynccontextmanager
async def serving(answer: Any, pages: int = 1) -> AsyncGenerator[Client]:
    """A client of a server with one tool, which takes anything as `it`, or with one on each page."""

    async def list_tools(_: Any, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        page = int((params and params.cursor) or 0)
        schema = {"type": "object", "properties": {"it": {"type": "object"}}}
        name = answer.__name__.replace("everything", "all") if pages == 1 else f"t{page}"
        more = str(page + 1) if page + 1 < pages else None
        return types.ListToolsResult(tools=[types.Tool(name=name, input_schema=schema)], next_cursor=more)

    async def call_tool(_: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        return await answer(params.arguments or {})

    server: Server[Any] = Server("odd", on_list_tools=list_tools, on_call_tool=call_tool)
    async with Client(server) as client:
        yield client
