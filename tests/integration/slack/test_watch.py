"""Channels and threads tell when they change, to those who may see them: at once, or when one looks."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from mcp.client.subscriptions import ResourceUpdated, Subscription
from mcp.shared.exceptions import MCPError

from integration.slack.talking import bench_of, named, settings_for, token_of
from ringmain_core.testing import Bench
from ringmain_slack import directory, ears, watch
from standins.slack.channel import Channel
from standins.slack.state import FakeSlack

pytestmark = pytest.mark.anyio

FENCED = """
[roles.reader]
allow = ["slack:read"]
fence = { "slack.channel" = ["#*"] }

[[agents]]
id = "local"
roles = ["reader"]
"""


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.setattr(ears, "RECONNECTS", (0.05, 0.1))


@pytest.fixture
def _looking(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.setattr(watch, "PAUSES", (0.02, 0.05))
    monkeypatch.setattr(watch, "SHARE", 0.001)


@asynccontextmanager
async def at_work(
    fake: FakeSlack, policy: str | None = None, *, heard: bool = False, **more: Any
) -> AsyncGenerator[Bench]:
    settings = settings_for(fake, **({"app_token": token_of(fake, "app")} if heard else {}), **more)
    async with bench_of(fake, settings=settings, policy=policy) as at:
        yield at


async def told(stream: Subscription) -> object:
    with anyio.fail_after(5):
        return await anext(stream)


async def nothing_told(stream: Subscription) -> bool:
    with anyio.move_on_after(0.4):
        await anext(stream)
        return False
    return True


async def refused(at: Bench, uri: str) -> str:
    with pytest.raises(MCPError) as caught:
        async with at.client.listen(resource_subscriptions=[uri]):
            pass
    return caught.value.error.message


async def connected(fake: FakeSlack, times: int = 1) -> None:
    with anyio.fail_after(5):
        while fake.events.opened < times or not fake.events.connections:  # noqa: ASYNC110 (in a thread)
            await anyio.sleep(0.005)
    await anyio.sleep(0.05)


async def hung_up(fake: FakeSlack) -> None:
    with anyio.fail_after(5):
        while fake.events.connections:  # noqa: ASYNC110 (the stand-in is in a thread)
            await anyio.sleep(0.001)


async def acknowledged(fake: FakeSlack) -> None:
    with anyio.fail_after(5):
        while fake.unacknowledged:  # noqa: ASYNC110 (the stand-in is in a thread)
            await anyio.sleep(0.005)


def channel_uri(channel: Channel) -> str:
    return f"slack://acme/channel/{channel.id}"


def thread_uri(channel: Channel) -> str:
    root = next(one for one in channel.timeline() if "deploy" in one.text)
    return f"slack://acme/thread/{channel.id}/{root.ts}"


@pytest.mark.usefixtures("_looking")
async def test_without_socket_mode_changes_are_looked_for(fake: FakeSlack) -> None:
    general = named(fake, "general")
    uri, thread = channel_uri(general), thread_uri(general)
    root = thread.rpartition("/")[2]
    async with at_work(fake, FENCED) as at:
        async with at.client.listen(resource_subscriptions=[uri]) as stream:
            general.post("News", "ada")
            assert await told(stream) == ResourceUpdated(uri)
            general.timeline()[-1].text = "Old news"
            assert await told(stream) == ResourceUpdated(uri)
            general.react(general.timeline()[-1], "eyes", "bo")
            assert await told(stream) == ResourceUpdated(uri)
        async with at.client.listen(resource_subscriptions=[thread]) as stream:
            general.reply(root, "Me, too", "ada")
            assert await told(stream) == ResourceUpdated(thread)


@pytest.mark.usefixtures("_looking")
async def test_a_limit_in_the_way_makes_it_late_and_not_lost(fake: FakeSlack) -> None:
    general = named(fake, "general")
    uri = channel_uri(general)
    async with at_work(fake) as at, at.client.listen(resource_subscriptions=[uri]) as stream:
        fake.fault("conversations.history", "503", times=3)
        general.post("News", "ada")
        assert await told(stream) == ResourceUpdated(uri)


async def test_with_socket_mode_it_is_heard_at_once(fake: FakeSlack) -> None:
    general = named(fake, "general")
    uri, thread = channel_uri(general), thread_uri(general)
    async with (
        at_work(fake, FENCED, heard=True) as at,
        at.client.listen(resource_subscriptions=[uri, thread]) as stream,
    ):
        await connected(fake)
        begun = len(fake.asked("conversations.history"))
        general.post("News", "ada")
        assert await told(stream) == ResourceUpdated(uri)
        general.reply(thread.rpartition("/")[2], "Me, too", "bo")
        assert {await told(stream), await told(stream)} == {ResourceUpdated(uri), ResourceUpdated(thread)}
        named(fake, "random").post("Elsewhere", "ada")
        fake.emit(
            {"type": "message", "channel": general.id, "channel_type": "channel", "ts": fake.next_ts()},
            "T0UNKNOWN",
        )
        assert await nothing_told(stream)
        assert len(fake.asked("conversations.history")) == begun
        await acknowledged(fake)
        assert fake.events.opened == 1
    await hung_up(fake)


async def test_nothing_is_lost_while_the_connection_is_away(fake: FakeSlack) -> None:
    general = named(fake, "general")
    uri = channel_uri(general)
    async with (
        at_work(fake, heard=True) as at,
        at.client.listen(resource_subscriptions=[uri]) as stream,
    ):
        await connected(fake)
        general.post("Heard", "ada")
        assert await told(stream) == ResourceUpdated(uri)
        fake.disconnect()
        await hung_up(fake)
        general.post("Said in between", "ada")
        assert await told(stream) == ResourceUpdated(uri)
        await connected(fake, 2)
        while not await nothing_told(stream):
            pass
        general.post("Heard again", "ada")
        assert await told(stream) == ResourceUpdated(uri)
        await acknowledged(fake)


async def test_a_connection_that_cannot_be_made_is_tried_again(fake: FakeSlack) -> None:
    general = named(fake, "general")
    uri = channel_uri(general)
    fake.fault("apps.connections.open", "500", times=3)
    async with (
        at_work(fake, heard=True) as at,
        at.client.listen(resource_subscriptions=[uri]) as stream,
    ):
        await connected(fake)
        general.post("Heard", "ada")
        assert await told(stream) == ResourceUpdated(uri)


async def test_what_a_caller_may_not_see_cannot_be_listened_to(fake: FakeSlack) -> None:
    ops, secret = named(fake, "ops"), named(fake, "secret")
    uris = [
        channel_uri(ops),
        channel_uri(secret),
        "slack://acme/channel/C0NOWHERE01",
        "slack://acme/channel/general",
    ]
    uris += [f"slack://acme/thread/{named(fake, 'general').id}/1700000000.000001"]
    async with at_work(fake, FENCED) as at:
        said = {await refused(at, uri) for uri in uris}
        random = await refused(at, channel_uri(named(fake, "random")))
    assert said == {"There is no such resource here. `resources/templates/list` shows what there is."}
    assert random.startswith("Slack refuses this: not_in_channel.")


@pytest.mark.usefixtures("_looking")
async def test_nobody_hears_of_what_has_become_private(
    fake: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "_CONVERSATION_HOLDS", 0.0)
    general = named(fake, "general")
    uri = channel_uri(general)
    async with at_work(fake, FENCED) as at, at.client.listen(resource_subscriptions=[uri]) as stream:
        general.post("News", "ada")
        assert await told(stream) == ResourceUpdated(uri)
        general.kind = "private"
        general.post("Hush", "ada")
        assert await nothing_told(stream)


@pytest.mark.parametrize("known", [True, False])
async def test_what_another_process_heard_instead_is_looked_for(
    fake: FakeSlack, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    if known:  # it is greeted after the other
        monkeypatch.setattr(watch, "PAUSES", (0.02, 0.05))
    else:
        monkeypatch.setattr(watch, "_HEARD", 0.05)
    monkeypatch.setattr(watch, "SHARE", 0.001)
    general = named(fake, "general")
    uri = channel_uri(general)
    async with at_work(fake, heard=True) as first, at_work(fake, heard=True) as second:
        at, other = (second, first) if known else (first, second)
        if known:
            await other.client.call_tool("search", {"query": "five"})
            await connected(fake)
        async with at.client.listen(resource_subscriptions=[uri]) as stream:
            await connected(fake, 2 if known else 1)
            if not known:
                await other.client.call_tool("search", {"query": "five"})
                await connected(fake, 2)
            for number in range(4):
                general.post(f"News {number}", "ada")
                assert await told(stream) == ResourceUpdated(uri)
                while not await nothing_told(stream):
                    pass
