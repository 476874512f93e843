"""What one caller can take from the others over HTTP: sessions, streams, attention to notifications."""

import json

import anyio
import anyio.lowlevel
import pytest

from ringmain_core.gates import adapter
from ringmain_core.transport import front
from unit.core.http_bench import LEGACY, POLICY, Exchange, Headers, HttpBench, http_bench

pytestmark = pytest.mark.anyio

HANDSHAKE = {
    "protocolVersion": LEGACY,
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}


async def begin(at: HttpBench, who: str) -> Exchange:
    return await at.call(LEGACY, "initialize", HANDSHAKE, key=f"key-of-{who}")


def in_session(session: str, who: str = "bob") -> Headers:
    return {
        "authorization": f"Bearer key-of-{who}",
        "mcp-session-id": session,
        "mcp-protocol-version": LEGACY,
    }


async def test_one_caller_cannot_take_all_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "_SESSIONS_EACH", 3)
    async with http_bench() as at:
        opened = [await begin(at, "bob") for _ in range(3)]
        assert [each.status for each in opened] == [200] * 3
        refused = await begin(at, "bob")
        assert (refused.status, refused.header("mcp-session-id")) == (429, None)
        assert refused.json["error"]["message"] == "You hold 3 sessions, and 3 is the most. End one first."
        record = at.audit.records[-1]
        assert [record[key] for key in ("principal", "method", "outcome", "code", "gate")] == [
            *("bob", "initialize", "refused", "rate_limited", "rate_limit")
        ]
        assert (await begin(at, "ann")).status == 200
        session = opened[0].header("mcp-session-id")
        assert session is not None
        assert (await at.ask("DELETE", "/v1/mcp", in_session(session))).status == 200
        with anyio.fail_after(5):
            while (await begin(at, "bob")).status != 200:
                pass


async def test_a_session_counts_once_however_often_its_client_shakes_hands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(adapter, "_SESSIONS_EACH", 1)
    async with http_bench() as at:
        session = (await begin(at, "bob")).header("mcp-session-id")
        again = await at.call(LEGACY, "initialize", HANDSHAKE, key="key-of-bob", session=session)
        assert (again.status, at.audit.records[-1].get("code")) == (200, None)


async def test_one_caller_cannot_open_any_number_of_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "_STREAMS_EACH", 2)
    async with http_bench(legacy_sse=True) as at:
        of_bob: Headers = {"authorization": "Bearer key-of-bob"}
        held = [at.start("GET", "/v1/sse", of_bob) for _ in range(2)]
        with anyio.fail_after(5):
            while not all(each.status for each in held):
                await anyio.lowlevel.checkpoint()
        refused = await at.ask("GET", "/v1/sse", of_bob)
        assert (refused.status, at.audit.records[-1]["code"]) == (429, "rate_limited")
        of_ann = at.start("GET", "/v1/sse")
        held[0].gone.set()
        with anyio.fail_after(5):
            await held[0].done.wait()
            while not of_ann.status:
                await anyio.lowlevel.checkpoint()
        again = at.start("GET", "/v1/sse", of_bob)
        with anyio.fail_after(5):
            while not again.status:
                await anyio.lowlevel.checkpoint()
        assert (of_ann.status, again.status) == (200, 200)
        for each in (held[1], of_ann, again):
            each.gone.set()
            with anyio.fail_after(5):
                await each.done.wait()


async def test_notifications_have_a_limit_of_their_own_and_are_on_record_beyond_it() -> None:
    tight = POLICY + '[limits]\n"*" = { rate = "1/h", burst = 2 }\n'
    async with http_bench(tight) as at:
        session = (await begin(at, "bob")).header("mcp-session-id")
        assert session is not None
        told = json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}).encode()
        other = json.dumps({"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "who"}}).encode()
        for body in (other, told, told, told):
            assert (await at.ask("POST", "/v1/mcp", in_session(session), [body])).status == 202
        with anyio.fail_after(5):
            while len(at.audit.records) < 2:  # they are seen to after they were answered
                await anyio.lowlevel.checkpoint()
        called = await at.call(
            LEGACY, "tools/call", {"name": "who", "arguments": {}}, key="key-of-bob", session=session
        )
        assert called.json["result"]["content"][0]["text"] == "bob"
        assert [(r["method"], r["outcome"], r.get("gate")) for r in at.audit.records] == [
            ("initialize", "ok", None),
            ("notifications/initialized", "refused", "rate_limit"),
            ("tools/call", "ok", None),
        ]
