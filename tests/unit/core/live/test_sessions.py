"""Clients of 2025-11-25: they subscribe in a session and are told beside their requests."""

import warnings
from typing import Any

import anyio
import pytest
from mcp.client import Client
from mcp.shared.exceptions import MCPDeprecationWarning, MCPError

from ringmain_core.live import admission, sessions
from unit.core.live.pond import POLICY, SOON, at_pond, parsed, uri

pytestmark = pytest.mark.anyio

UPDATED = "notifications/resources/updated"
TOOLS = "notifications/tools/list_changed"
FENCED = POLICY.replace("limits =", 'fence = { "pond.water" = ["w*"] }\nlimits =')
CLOSED = POLICY.replace("limits =", 'deny = ["pond.fish"]\nlimits =')


async def subscribe(client: Client, name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MCPDeprecationWarning)
        await client.subscribe_resource(uri(name))  # pyright: ignore[reportDeprecated]


async def unsubscribe(client: Client, name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MCPDeprecationWarning)
        await client.unsubscribe_resource(uri(name))  # pyright: ignore[reportDeprecated]


async def refused(client: Client, name: str) -> tuple[int, str, Any]:
    with pytest.raises(MCPError) as caught:
        await subscribe(client, name)
    data: Any = caught.value.error.data
    data.pop("call_id")
    return caught.value.code, caught.value.error.message, data


async def test_a_session_is_told_what_it_has_subscribed_to_until_it_unsubscribes() -> None:
    async with at_pond() as at:
        client = await at.old_client()
        await subscribe(client, "w1")
        await subscribe(client, "w1")
        await subscribe(client, "w2")
        at.pond.stir("w3")
        at.pond.stir("w1")
        assert await at.told_of(1) == [(UPDATED, uri("w1"))]
        await unsubscribe(client, "w1")
        await at.pond.until(lambda: at.pond.watched["w1"] == 0)
        at.pond.stir("w2")
        assert await at.told_of(2) == [(UPDATED, uri("w1")), (UPDATED, uri("w2"))]
        await unsubscribe(client, "w1")
        assert at.pond.begun == {"w1": 1, "w2": 1}


async def test_what_a_session_subscribed_to_is_forgotten_with_it() -> None:
    async with at_pond() as at:
        await at.client()  # keeps the server at work after the session
        async with Client(at.server, mode="legacy") as client:
            await subscribe(client, "w1")
            assert at.pond.watched["w1"] == 1
        await at.pond.until(lambda: at.pond.watched["w1"] == 0)
        assert at.server.live.sessions.open_sessions == 0


async def test_what_may_not_be_heard_looks_like_what_is_not_there() -> None:
    async with at_pond(FENCED) as at:
        client = await at.old_client()
        for name in ("secret", "w999"):
            assert await refused(client, name) == (
                -32002,
                "There is no such resource here. `resources/templates/list` shows what there is.",
                {"code": "unknown_resource", "retryable": False, "uri": uri(name)},
            )
        assert at.pond.begun.total() == 0


async def test_a_resource_that_tells_nothing_cannot_be_subscribed_to() -> None:
    async with at_pond() as at:
        client = await at.old_client()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MCPDeprecationWarning)
            with pytest.raises(MCPError, match="does not tell when it changes"):
                await client.subscribe_resource("pond://about")  # pyright: ignore[reportDeprecated]


async def test_a_session_that_loses_its_permission_is_told_no_more() -> None:
    async with at_pond() as at:
        client = await at.old_client()
        await subscribe(client, "secret")
        await subscribe(client, "w1")
        at.reload(FENCED)
        await at.pond.until(lambda: at.pond.watched["secret"] == 0)
        at.pond.stir("w1")
        assert await at.told_of(1) == [(UPDATED, uri("w1"))]


async def test_permission_is_asked_again_before_each_thing_that_is_told() -> None:
    async with at_pond() as at:
        client = await at.old_client()
        await subscribe(client, "secret")
        await subscribe(client, "w1")
        at.policy[0] = parsed(FENCED)  # nobody says that it has changed
        at.pond.stir("secret")
        await at.pond.until(lambda: at.pond.seen["secret"] == 1)
        at.pond.stir("w1")
        assert await at.told_of(1) == [(UPDATED, uri("w1"))]


async def test_sessions_whose_lists_changed_are_told_so() -> None:
    async with at_pond() as at:
        await at.old_client()
        at.reload(CLOSED)
        at.reload(CLOSED)
        assert await at.told_of(1) == [(TOOLS, "")]
        at.reload(POLICY)
        assert await at.told_of(2) == [(TOOLS, ""), (TOOLS, "")]


async def test_what_sessions_have_watched_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "_URIS_EACH", 3)
    async with at_pond() as at:
        client = await at.old_client()
        for number in range(3):
            await subscribe(client, f"w{number}")
        _, words, data = await refused(client, "w3")
        assert (words, data["code"]) == (
            "You hold 3 watched resources, and 3 is the most. End one first.",
            "rate_limited",
        )
        await unsubscribe(client, "w0")
        await subscribe(client, "w3")


async def test_a_session_that_does_not_read_is_told_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sessions, "_READ_WITHIN", 0.02)
    given_up = anyio.Event()

    def warn(*_: object) -> None:
        given_up.set()

    monkeypatch.setattr("ringmain_core.live.sessions._log.warning", warn)
    tried = anyio.Event()

    async def never(*_: object, **__: object) -> None:
        tried.set()
        await anyio.sleep_forever()

    async with at_pond() as at:
        client = await at.old_client()
        await subscribe(client, "w1")
        monkeypatch.setattr("mcp.server.session.ServerSession.send_resource_updated", never)
        at.pond.stir("w1")
        with anyio.fail_after(SOON):
            await tried.wait()
            await given_up.wait()
