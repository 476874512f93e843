import json
import re
from typing import Any

import anyio
import pytest

from ringmain_core.transport.direct import Direct, _Pings  # pyright: ignore[reportPrivateUsage]
from unit.core.http_bench import LEGACY, MODERN, Exchange, Headers, HttpBench, http_bench

pytestmark = pytest.mark.anyio

PREFIX = "io.modelcontextprotocol/"
META: dict[str, Any] = {f"{PREFIX}protocolVersion": MODERN, f"{PREFIX}clientCapabilities": {}}
HEADERS: Headers = {"mcp-protocol-version": MODERN, "mcp-method": "tools/call", "mcp-name": "who"}
MESSAGE: dict[str, Any] = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "who", "arguments": {}, "_meta": META},
}


def message(**params: Any) -> dict[str, Any]:
    return MESSAGE | {"params": MESSAGE["params"] | params}


def called(name: str, **arguments: Any) -> tuple[Headers, dict[str, Any]]:
    return {"mcp-name": name}, message(name=name, arguments=arguments)


REQUESTS: dict[str, tuple[Headers, Any]] = {
    "plain": ({}, MESSAGE),
    "id is text": ({}, MESSAGE | {"id": "a"}),
    "charset": ({"content-type": "Application/JSON; charset=utf-8"}, MESSAGE),
    "accepts everything": ({"accept": "*/*"}, MESSAGE),
    "structured": called("words", count=2, tags=["a"]),
    "wrong argument": called("count", limit="many"),
    "failure": called("refuse"),
    "crash": called("broken"),
    "not sendable": called("half"),
    "unknown tool": called("nothing"),
    "arguments in the wrong form": ({}, message(arguments=[])),
    "no arguments": ({}, MESSAGE | {"params": {"name": "who", "_meta": META}}),
    "capabilities in the wrong form": (
        {},
        message(_meta=META | {f"{PREFIX}clientCapabilities": 1}),
    ),
    "says who it is": ({}, message(_meta=META | {f"{PREFIX}clientInfo": {"name": "c", "version": "1"}})),
    "forged state": ({}, message(requestState="x")),
    "no envelope": ({}, MESSAGE | {"params": {"name": "who"}}),
    "parameters that are a list": ({}, MESSAGE | {"params": []}),
    "other method in header": ({"mcp-method": "tools/list"}, MESSAGE),
    "other name in header": ({"mcp-name": "wipe"}, MESSAGE),
    "name sent twice": ({"mcp-name": ["who", "who"]}, MESSAGE),
    "method not in header": ({"mcp-method": []}, MESSAGE),
    "other version": ({"mcp-protocol-version": "2027-01-01"}, MESSAGE),
    "not JSON, it says": ({"content-type": "text/plain"}, MESSAGE),
    "does not take JSON": ({"accept": "text/html"}, MESSAGE),
    "takes JSON alone": ({"accept": "application/json"}, MESSAGE),
    "not JSON-RPC": ({}, MESSAGE | {"jsonrpc": "1.0"}),
    "notification": ({}, {"jsonrpc": "2.0", "method": "tools/call", "params": MESSAGE["params"]}),
    "batch": ({}, [MESSAGE]),
    "more members": ({}, MESSAGE | {"x": 1}),
    "progress wanted": ({}, message(_meta=META | {"progressToken": 1})),
}


async def ask(at: HttpBench, headers: Headers, body: Any) -> Exchange:
    return await at.ask("POST", "/v1/mcp", HEADERS | headers, [json.dumps(body).encode()])


def seen(exchange: Exchange) -> tuple[int, list[tuple[str, str]], Any]:
    """What of an answer must be the same, whoever made it."""
    text = re.sub(r"[0-9a-f]{16}", "<call>", exchange.content.decode())
    headers = sorted(pair for pair in exchange.headers if pair[0] != "content-length")
    return exchange.status, headers, json.loads(text) if text.startswith("{") else text


def _none(*_: object) -> None:
    """Nothing is plain."""


@pytest.mark.parametrize("responses", ["sse", "json"])
@pytest.mark.parametrize("name", REQUESTS)
async def test_it_answers_as_the_sdk_does(name: str, responses: str, monkeypatch: pytest.MonkeyPatch) -> None:
    headers, body = REQUESTS[name]
    async with http_bench(responses=responses) as at:
        ours = await ask(at, headers, body)
        on_record = [(record["outcome"], record.get("code")) for record in at.audit.records]
        monkeypatch.setattr("ringmain_core.transport.direct._plain_message", _none)
        monkeypatch.setattr("ringmain_core.gates.adapter.is_plain_call", _none)
        at.audit.records.clear()
        theirs = await ask(at, headers, body)
        assert seen(ours) == seen(theirs)
        assert [(record["outcome"], record.get("code")) for record in at.audit.records] == on_record


async def test_a_plain_call_needs_no_more_of_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    async with http_bench() as at:
        calls: list[str] = []

        async def otherwise(scope: Any, _: Any, send: Any) -> None:
            calls.append(scope["path"])
            await send({"type": "http.response.start", "status": 418, "headers": []})
            await send({"type": "http.response.body", "body": b"{}"})

        (direct,) = {route.app for path, route in at.app.front._routes.items() if path == "/v1/mcp"}  # pyright: ignore[reportPrivateUsage]
        assert isinstance(direct, Direct)
        monkeypatch.setattr(direct, "_otherwise", otherwise)
        assert (await at.call(MODERN, "tools/call", {"name": "who", "arguments": {}})).status == 200
        assert calls == []
        for era, method in ((MODERN, "tools/list"), (LEGACY, "tools/call"), (MODERN, "resources/list")):
            assert (await at.call(era, method, {"name": "who"})).status == 418


async def test_an_answer_that_is_long_in_coming_becomes_a_stream_that_is_kept_alive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ringmain_core.transport.direct._PING_EVERY", 0.01)
    async with http_bench() as at:
        call = at.start_call(MODERN, "tools/call", {"name": "wait", "arguments": {}})
        with anyio.fail_after(5):
            while call.content.count(b": ping\r\n\r\n") < 2:
                await anyio.lowlevel.checkpoint()
            at.demo.go_on.set()
            await call.done.wait()
        assert (call.status, call.header("content-type"), call.complete) == (200, "text/event-stream", True)
        assert call.content.endswith(b"\r\n\r\n")
        assert call.json["id"] == 1
        assert call.json["result"]["content"][0]["type"] == "text"


async def test_an_answer_in_the_very_moment_of_the_first_ping_is_no_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    end = _Pings.end

    async def end_when_one_is_due(pings: _Pings) -> bool:
        pings._begin()  # pyright: ignore[reportPrivateUsage]
        return await end(pings)

    monkeypatch.setattr(_Pings, "end", end_when_one_is_due)
    async with http_bench() as at:
        call = await at.call(MODERN, "tools/call", {"name": "who", "arguments": {}})
        assert (call.status, call.header("content-type"), call.complete) == (200, "application/json", True)
        assert call.json["result"]["content"][0]["type"] == "text"


async def test_in_json_mode_it_waits_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringmain_core.transport.direct._PING_EVERY", 0.0)
    async with http_bench(responses="json") as at:
        call = at.start_call(MODERN, "tools/call", {"name": "wait", "arguments": {}})
        with anyio.fail_after(5):
            await at.demo.started.wait()
            at.demo.go_on.set()
            await call.done.wait()
        assert (call.status, call.header("content-type")) == (200, "application/json")
