"""Listening to the real command over HTTP and stdio: two callers, a policy read again, a drain."""

import importlib
import json
import signal
import time
import warnings
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.client.subscriptions import ResourceUpdated, ServerEvent, Subscription, ToolsListChanged
from mcp.shared.exceptions import MCPDeprecationWarning, MCPError

from ringmain_core.identity.api_keys import hash_key
from standins.postgres import running_postgres, url_of
from standins.serving import Served, clean_environment, command, serving

asyncpg: Any = importlib.import_module("asyncpg")  # it ships no types

pytestmark = pytest.mark.anyio

COMMAND = "ringmain-postgres"
SOON = 10.0
ORDERS, PAYMENTS = "pg://postgres/channel/orders", "pg://postgres/channel/payments"

POLICY = """
[limits."*"]
rate = "1000/s"
burst = 1000

[roles.clerk]
allow = ["postgres:read"]
fence = { "postgres.channel" = ["orders"] }

[roles.cashier]
allow = ["postgres:read"]

[[agents]]
id = "ann"
key = "ANN"
roles = ["clerk"]

[[agents]]
id = "ben"
key = "BEN"
roles = ["cashier"]

[[agents]]
id = "local"
roles = ["cashier"]
"""
KEYS = {name: f"key-of-{name}-that-nobody-guesses" for name in ("ann", "ben")}


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with running_postgres(18) as server:
        yield url_of(server)


@pytest.fixture
def settings(database: str, tmp_path: Path) -> dict[str, str]:
    write_policy(tmp_path, POLICY)
    return {
        "RINGMAIN_POSTGRES_URL": database,
        "RINGMAIN_STATE_DIR": str(tmp_path / "state"),
        "RINGMAIN_POLICY": str(tmp_path / "policy.toml"),
    }


def write_policy(folder: Path, policy: str) -> None:
    hashed = policy.replace("ANN", hash_key(KEYS["ann"])).replace("BEN", hash_key(KEYS["ben"]))
    (folder / "policy.toml").write_text(hashed, encoding="utf-8")


@asynccontextmanager
async def connected(served: Served, name: str, **options: Any) -> AsyncGenerator[Client]:
    async with (
        httpx2.AsyncClient(headers={"X-API-Key": KEYS[name]}, timeout=SOON) as http,
        Client(streamable_http_client(served.url, http_client=http), **options) as client,
    ):
        yield client


async def notify(database: str, *channels: str) -> None:
    connection = await asyncpg.connect(database)
    for channel in channels:
        await connection.execute(f"NOTIFY {channel}")
    await connection.close()


async def next_event(stream: Subscription) -> ServerEvent:
    with anyio.fail_after(SOON):
        return await anext(stream)


async def to_the_end(stream: Subscription) -> list[ServerEvent]:
    with anyio.fail_after(SOON):
        return [event async for event in stream]


def trail(settings: dict[str, str], *outcomes: str) -> list[dict[str, Any]]:
    path = Path(settings["RINGMAIN_STATE_DIR"]) / "postgres" / "audit.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line.get("outcome") in outcomes]


async def test_each_caller_hears_what_it_may_and_a_policy_read_again_holds_at_once(
    database: str, settings: dict[str, str], tmp_path: Path
) -> None:
    with serving(COMMAND, settings) as served:
        async with (
            connected(served, "ann") as ann,
            connected(served, "ben") as ben,
            ann.listen(resource_subscriptions=[ORDERS]) as of_ann,
            ben.listen(resource_subscriptions=[ORDERS, PAYMENTS]) as of_ben,
            ann.listen(tools_list_changed=True) as tools_of_ann,
            ben.listen(tools_list_changed=True) as tools_of_ben,
        ):
            with pytest.raises(MCPError) as caught:
                async with ann.listen(resource_subscriptions=[PAYMENTS]):
                    pass
            assert caught.value.code == -32602
            await notify(database, "payments", "orders")
            assert await next_event(of_ann) == ResourceUpdated(ORDERS)
            heard = {await next_event(of_ben), await next_event(of_ben)}
            assert heard == {ResourceUpdated(ORDERS), ResourceUpdated(PAYMENTS)}

            narrower = POLICY.replace('["orders"]', "[]").replace(
                'allow = ["postgres:read"]\nfence',
                'allow = ["postgres:read"]\ndeny = ["postgres.query"]\nfence',
            )
            write_policy(tmp_path, narrower)
            served.process.send_signal(signal.SIGHUP)
            assert await to_the_end(of_ann) == []
            assert await next_event(tools_of_ann) == ToolsListChanged()
            await notify(database, "orders")
            assert await next_event(of_ben) == ResourceUpdated(ORDERS)
            served.process.send_signal(signal.SIGTERM)
            assert await to_the_end(tools_of_ben) == []


async def test_a_session_of_2025_is_told_over_its_stream(database: str, settings: dict[str, str]) -> None:
    heard, told = anyio.Event(), list[Any]()

    async def note(message: Any) -> None:
        told.append(message)
        heard.set()

    with serving(COMMAND, settings) as served:
        async with connected(served, "ann", mode="legacy", message_handler=note) as client:
            assert client.server_capabilities.resources is not None
            assert client.server_capabilities.resources.subscribe
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", MCPDeprecationWarning)
                await client.subscribe_resource(ORDERS)  # pyright: ignore[reportDeprecated]
            with anyio.fail_after(SOON):
                while not heard.is_set():  # the stream for it opens beside, and is not waited for
                    await notify(database, "orders")
                    with anyio.move_on_after(0.5):
                        await heard.wait()
    assert (told[0].method, told[0].params.uri) == ("notifications/resources/updated", ORDERS)


async def test_sigterm_ends_twenty_open_streams_in_order_and_the_process_in_time(
    settings: dict[str, str],
) -> None:
    with serving(COMMAND, settings) as served:
        async with connected(served, "ben") as client, AsyncExitStack() as stack:
            streams = [
                await stack.enter_async_context(client.listen(resource_subscriptions=[ORDERS]))
                for _ in range(20)
            ]
            began = time.monotonic()
            served.process.send_signal(signal.SIGTERM)
            assert [await to_the_end(stream) for stream in streams] == [[]] * 20
        await anyio.to_thread.run_sync(served.process.wait, 10)
        assert served.process.returncode == 0
        assert time.monotonic() - began < 5
    ended = [line for line in trail(settings, "ok") if line["method"] == "subscriptions/listen"]
    assert len(ended) == 20


async def test_streams_of_a_client_that_goes_away_make_room(settings: dict[str, str]) -> None:
    with serving(COMMAND, settings) as served:
        async with connected(served, "ben") as client:
            async with AsyncExitStack() as stack:
                for _ in range(20):
                    await stack.enter_async_context(client.listen(resource_subscriptions=[ORDERS]))
                with pytest.raises(MCPError, match="You hold 20 listen streams"):
                    async with client.listen(resource_subscriptions=[ORDERS]):
                        pass
            with anyio.fail_after(SOON):
                while len(trail(settings, "cancelled")) < 20:  # noqa: ASYNC110 (a file tells nobody)
                    await anyio.sleep(0.05)
            async with client.listen(resource_subscriptions=[ORDERS]):
                pass


async def test_without_streams_and_sessions_nothing_is_promised_and_the_reason_is_said(
    settings: dict[str, str],
) -> None:
    without = {"RINGMAIN_RESPONSES": "json", "RINGMAIN_SESSIONS": "false"}
    with serving(COMMAND, settings | without) as served:
        async with connected(served, "ben") as client:
            assert client.server_capabilities.resources is not None
            assert client.server_capabilities.resources.subscribe is False
            with pytest.raises(MCPError, match=r"RINGMAIN_RESPONSES=json.*Read again") as caught:
                async with client.listen(resource_subscriptions=[ORDERS]):
                    pass
            assert caught.value.error.data["code"] == "no_stream"
        async with connected(served, "ben", mode="legacy") as client:
            assert client.server_capabilities.resources is not None
            assert client.server_capabilities.resources.subscribe is False
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", MCPDeprecationWarning)
                with pytest.raises(MCPError, match="see RINGMAIN_SESSIONS"):
                    await client.subscribe_resource(ORDERS)  # pyright: ignore[reportDeprecated]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_over_stdio_changes_are_told_and_nothing_keeps_the_process(
    database: str, settings: dict[str, str], mode: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcp.client.stdio.PROCESS_TERMINATION_TIMEOUT", 30.0)  # then it kills
    heard = anyio.Event()

    async def note(message: Any) -> None:  # noqa: ARG001 (its name is the protocol's)
        heard.set()

    parameters = StdioServerParameters(command=command(COMMAND), env=clean_environment(**settings))
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            Client(stdio_client(parameters), mode=mode, message_handler=note)
        )
        if mode == "legacy":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", MCPDeprecationWarning)
                await client.subscribe_resource(ORDERS)  # pyright: ignore[reportDeprecated]
            await notify(database, "orders")
            with anyio.fail_after(SOON):
                await heard.wait()
        else:
            async with client.listen(resource_subscriptions=[ORDERS]) as stream:
                await notify(database, "orders")
                assert await next_event(stream) == ResourceUpdated(ORDERS)
        began = time.monotonic()
    assert time.monotonic() - began < 30
