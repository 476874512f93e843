import json
from typing import Any

import anyio
import pytest

from unit.core.http_bench import LEGACY, MODERN, POLICY, Exchange, Headers, HttpBench, http_bench

pytestmark = pytest.mark.anyio

ERAS = pytest.mark.parametrize("era", [MODERN, LEGACY])
RESPONSES = pytest.mark.parametrize("responses", ["sse", "json"])
TIGHT = POLICY + '[limits."demo.who"]\nrate = "2/s"\nburst = 1\n'


def text_of(exchange: Exchange) -> str:
    return exchange.json["result"]["content"][0]["text"]


async def settle() -> None:
    """Let every task that can run do so."""
    for _ in range(20):
        await anyio.lowlevel.checkpoint()


@ERAS
@RESPONSES
async def test_a_call_is_answered_in_either_era_and_mode(era: str, responses: str) -> None:
    async with http_bench(responses=responses) as at:
        answer = await at.call_tool(era, "who")
        assert (answer.status, text_of(answer)) == (200, "ann")
        record = at.audit.records[-1]
        assert (record["principal"], record["auth"], record["transport"], record["version"]) == (
            "ann",
            "api_key",
            "http",
            "v1",
        )


@ERAS
@RESPONSES
@pytest.mark.parametrize("sessions", [True, False])
async def test_too_many_calls_are_429_with_the_wait_in_header_and_error(
    era: str, responses: str, sessions: bool
) -> None:
    async with http_bench(TIGHT, responses=responses, sessions=sessions) as at:
        session = await at.open_session() if era == LEGACY and sessions else None
        params: dict[str, Any] = {"name": "who", "arguments": {}}
        assert (await at.call(era, "tools/call", params, session=session)).status == 200
        refused = await at.call(era, "tools/call", params, session=session)
        assert (refused.status, refused.header("retry-after")) == (429, "1")
        error = refused.json["error"]
        wait = error["data"].pop("retry_after_ms")
        assert 400 < wait <= 500
        assert error == {
            "code": -32005,
            "message": f"Too many calls: 2 a second for `who`. Try again in {wait} ms.",
            "data": {
                "code": "rate_limited",
                "retryable": True,
                "call_id": at.audit.records[-1]["id"],
            },
        }
        assert (at.audit.records[-1]["outcome"], at.audit.records[-1]["gate"]) == ("refused", "rate_limit")


@ERAS
@RESPONSES
async def test_while_the_audit_is_down_calls_are_503(era: str, responses: str) -> None:
    async with http_bench(responses=responses) as at:
        session = await at.open_session() if era == LEGACY else None
        at.audit.broken = True
        refused = await at.call(
            era, "tools/call", {"name": "note", "arguments": {"text": "x"}}, session=session
        )
        assert (refused.status, refused.header("retry-after")) == (503, "5")
        assert refused.json["error"]["data"]["code"] == "audit_unavailable"
        assert at.demo.notes == []


async def test_liveness_does_not_ask_the_system_behind() -> None:
    async with http_bench() as at:
        at.demo.reachable = False
        at.audit.broken = True
        answer = await at.ask("GET", "/healthz", {"authorization": []})
        assert (answer.status, answer.json, at.demo.asked) == (200, {"status": "ok", "reason": ""}, 0)


async def readiness(at: HttpBench) -> tuple[int, str]:
    answer = await at.ask("GET", "/readyz", {"authorization": []})
    return answer.status, answer.json["reason"]


async def test_readiness_says_what_is_missing() -> None:
    async with http_bench() as at:
        assert await readiness(at) == (200, "")
        at.audit.broken = True
        await at.ask("POST", "/v1/mcp", {"authorization": []})
        assert await readiness(at) == (503, "the audit cannot be written")
    async with http_bench() as at:
        at.demo.reachable = False
        assert await readiness(at) == (503, "Demo cannot be reached")
        at.app.drain()
        assert await readiness(at) == (503, "draining")


async def test_a_balancer_can_ask_for_this_process_alone() -> None:
    async with http_bench() as at:
        at.demo.reachable = False
        answer = await at.ask("GET", "/readyz?own=true", {"authorization": []})
        assert (answer.status, at.demo.asked) == (200, 0)
        at.app.drain()
        answer = await at.ask("GET", "/readyz?own=true", {"authorization": []})
        assert (answer.status, answer.json["reason"]) == (503, "draining")


async def test_a_flood_of_readiness_checks_asks_the_system_behind_once() -> None:
    async with http_bench() as at:
        answers = [at.start("GET", "/readyz", {"authorization": []}) for _ in range(50)]
        with anyio.fail_after(5):
            for answer in answers:
                await answer.done.wait()
        assert ({answer.status for answer in answers}, at.demo.asked) == ({200}, 1)


@ERAS
@RESPONSES
async def test_two_callers_with_the_same_ids_get_their_own_answers(era: str, responses: str) -> None:
    async with http_bench(responses=responses) as at:
        keys = {"ann": "key-of-ann", "bob": "key-of-bob"}
        sessions = {name: await at.open_session(key) for name, key in keys.items()} if era == LEGACY else {}

        def start(name: str, tool: str, id_: int) -> Exchange:
            params = {"name": tool, "arguments": {"text": name} if tool == "echo" else {}}
            return at.start_call(
                era, "tools/call", params, id_=id_, key=keys[name], session=sessions.get(name)
            )

        waiting = {name: start(name, "wait", 1) for name in keys}
        await at.demo.started.wait()
        started: list[tuple[str, int, Exchange]] = [
            (name, id_, start(name, tool, id_))
            for id_ in range(2, 8)
            for tool in ("echo" if id_ % 2 else "who",)
            for name in keys
        ]
        with anyio.fail_after(5):
            for name, id_, exchange in started:
                await exchange.done.wait()
                assert (exchange.json["id"], text_of(exchange)) == (id_, name)
            at.demo.go_on.set()
            for exchange in waiting.values():
                await exchange.done.wait()
                assert (exchange.json["id"], text_of(exchange)) == (1, "waited")
        who = [(r["principal"], r["result"]["text"]) for r in at.audit.records if r.get("target") == "who"]
        assert {principal == text for principal, text in who} == {True}


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
async def test_a_session_of_somebody_else_looks_like_one_that_is_not_there(method: str) -> None:
    async with http_bench() as at:
        session = await at.open_session("key-of-ann")
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).encode()

        async def ask(session: str, key: str) -> Exchange:
            headers: Headers = {"authorization": f"Bearer {key}", "mcp-session-id": session}
            return await at.ask(method, "/v1/mcp", headers, [body] if method == "POST" else [])

        other, missing = await ask(session, "key-of-bob"), await ask("0" * 32, "key-of-bob")
        assert (other.status, other.headers, other.content) == (404, missing.headers, missing.content)
        own = await at.call(LEGACY, "tools/list", session=session)
        assert own.status == 200


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("sessions", [True, False])
@ERAS
@RESPONSES
async def test_a_client_that_goes_away_cancels_its_call(
    era: str, responses: str, sessions: bool, late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if late:
        monkeypatch.setattr("ringmain_core.transport.posts._NOTICE_DISCONNECT_AFTER", 0.0)
    async with http_bench(responses=responses, sessions=sessions) as at:
        session = await at.open_session() if era == LEGACY and sessions else None
        call = at.start_call(era, "tools/call", {"name": "wait", "arguments": {}}, session=session)
        with anyio.fail_after(5):
            await at.demo.started.wait()
            if late:
                await settle()
            call.gone.set()
            await at.demo.ended.wait()
            await call.done.wait()
        assert not at.demo.go_on.is_set()
        record = at.audit.records[-1]
        assert (record["target"], record["outcome"]) == ("wait", "cancelled")
        assert (await at.call(era, "tools/list", session=session)).status == 200


@ERAS
@RESPONSES
async def test_a_client_that_goes_away_at_once_does_not_leave_its_call_behind(
    era: str, responses: str
) -> None:
    async with http_bench(responses=responses) as at:
        session = await at.open_session() if era == LEGACY else None
        call = at.start_call(era, "tools/call", {"name": "wait", "arguments": {}}, session=session)
        call.gone.set()
        with anyio.fail_after(5):
            await call.done.wait()
            await settle()
        assert not at.demo.started.is_set() or at.demo.ended.is_set()


async def test_a_cancelled_call_gives_its_place_to_the_next() -> None:
    policy = POLICY + '[limits]\n"*" = { concurrency = 1 }\n'
    async with http_bench(policy) as at:
        for _ in range(3):
            call = at.start_call(MODERN, "tools/call", {"name": "wait", "arguments": {}})
            with anyio.fail_after(5):
                await at.demo.started.wait()
                busy = await at.call_tool(MODERN, "who")
                assert (busy.status, busy.json["error"]["data"]["retry_after_ms"]) == (429, 250)
                call.gone.set()
                await at.demo.ended.wait()
                await call.done.wait()
            at.demo.started, at.demo.ended = anyio.Event(), anyio.Event()
        assert (await at.call_tool(MODERN, "who")).status == 200


@ERAS
async def test_a_crash_tells_the_caller_nothing(era: str) -> None:
    async with http_bench() as at:
        answer = await at.call_tool(era, "broken")
        call_id = at.audit.records[-1]["id"]
        assert answer.json["error"]["message"] == (
            f"Failed unexpectedly. The operator finds the reason in the log under {call_id}."
        )


async def test_the_api_versions_path_is_the_only_way_in() -> None:
    async with http_bench() as at:
        listed = (await at.ask("GET", "/openapi.json")).json
        assert sorted(listed["paths"]) == ["/healthz", "/readyz"]
        for method in ("PUT", "PATCH", "OPTIONS", "HEAD"):
            assert (await at.ask(method, "/v1/mcp")).status in (404, 405)


async def open_stream(at: HttpBench, path: str, headers: Headers | None = None) -> Exchange:
    """A GET that stays open, once its head or first event is there."""
    stream = at.start("GET", path, headers)
    with anyio.fail_after(5):
        while not stream.status:
            await anyio.lowlevel.checkpoint()
    return stream


async def test_an_open_stream_ends_cleanly_when_the_server_drains_and_no_new_one_begins() -> None:
    async with http_bench() as at:
        session: Headers = {"mcp-session-id": await at.open_session()}
        stream = await open_stream(at, "/v1/mcp", session)
        at.app.drain()
        with anyio.fail_after(5):
            await stream.done.wait()
        assert (stream.status, stream.complete) == (200, True)
        late = await at.ask("GET", "/v1/mcp", session)
        assert (late.status, late.json["error"]["data"]) == (503, {"code": "draining", "retryable": True})
        assert (await at.call(LEGACY, "tools/list", session=str(session["mcp-session-id"]))).status == 200


async def legacy_sse(at: HttpBench, key: str = "key-of-ann") -> tuple[Exchange, str]:
    stream = await open_stream(at, "/v1/sse", {"authorization": f"Bearer {key}"})
    with anyio.fail_after(5):
        while b"data: " not in stream.content:
            await anyio.lowlevel.checkpoint()
    return stream, stream.content.decode().split("data: ")[1].split()[0]


async def test_the_transport_of_2024_works_where_it_is_enabled() -> None:
    async with http_bench(legacy_sse=True) as at:
        stream, endpoint = await legacy_sse(at)

        async def post(message: dict[str, Any], key: str = "key-of-ann") -> int:
            headers: Headers = {"authorization": f"Bearer {key}"}
            body = json.dumps({"jsonrpc": "2.0"} | message).encode()
            return (await at.ask("POST", endpoint, headers, [body])).status

        about = {
            "protocolVersion": "2024-11-05",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        }
        call: dict[str, Any] = {"id": 2, "method": "tools/call", "params": {"name": "who", "arguments": {}}}
        assert await post(call, "key-of-bob") == 404
        assert await post({"id": 1, "method": "initialize", "params": about}) == 202
        assert await post({"method": "notifications/initialized"}) == 202
        assert await post(call) == 202
        with anyio.fail_after(5):
            while b'"id":2' not in stream.content:
                await anyio.lowlevel.checkpoint()
        assert text_of(stream) == "ann"
        assert [r["transport"] for r in at.audit.records if r.get("target") == "who"] == ["sse"]
        waiting: dict[str, Any] = {
            "id": 3,
            "method": "tools/call",
            "params": {"name": "wait", "arguments": {}},
        }
        assert await post(waiting) == 202
        with anyio.fail_after(5):
            await at.demo.started.wait()
            stream.gone.set()
            await at.demo.ended.wait()
            await stream.done.wait()


async def test_the_transport_of_2024_is_reached_with_a_key_and_by_get_only() -> None:
    async with http_bench(legacy_sse=True) as at:
        assert (await at.ask("GET", "/v1/sse", {"authorization": []})).status == 401
        assert (await at.ask("POST", "/v1/messages", {"authorization": []})).status == 401
        refused = await at.ask("POST", "/v1/sse", body=[b"{}"])
        assert (refused.status, refused.header("allow")) == (405, "GET")


async def test_the_transport_of_2024_is_not_there_unless_enabled() -> None:
    async with http_bench() as at:
        for key in (["Bearer key-of-ann"], []):
            assert (await at.ask("GET", "/v1/sse", {"authorization": key})).status == 404
            assert (await at.ask("POST", "/v1/messages", {"authorization": key})).status == 404
