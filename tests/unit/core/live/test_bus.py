"""Changes travel between replicas, and none is lost when the connection between them is."""

from collections.abc import Callable

import pytest
from mcp.client import Client
from mcp.shared.subscriptions import PromptsListChanged, ResourceUpdated, ServerEvent, ToolsListChanged

from ringmain_core.live.bus import Bus
from ringmain_core.state import StateUnavailable
from ringmain_core.state.local import LocalState
from unit.core.live.pond import at_pond, events, uri

pytestmark = pytest.mark.anyio


class Shared(LocalState):
    """What two replicas share: their messages, unless it cannot be reached."""

    shared = True

    def __init__(self) -> None:
        super().__init__()
        self.reachable = True
        self.gaps: list[Callable[[], None]] = []

    async def publish(self, topic: str, message: bytes) -> None:
        if not self.reachable:
            raise StateUnavailable("no connection")
        await super().publish(topic, message)

    def on_gap(self, listener: Callable[[], None]) -> Callable[[], None]:
        self.gaps.append(listener)
        return lambda: self.gaps.remove(listener)


def heard_by(bus: Bus) -> list[ServerEvent]:
    heard: list[ServerEvent] = []
    bus.subscribe(heard.append)
    return heard


async def test_every_replica_hears_what_one_publishes() -> None:
    shared = Shared()
    one, other = Bus(shared, tuple), Bus(shared, tuple)
    stops = [bus.open() for bus in (one, other)]
    here, there = heard_by(one), heard_by(other)
    published = [ResourceUpdated("a"), ToolsListChanged(), PromptsListChanged()]
    for event in published:
        await one.publish(event)
    assert (here, there) == (published, published)
    for stop in stops:
        stop()
    await one.publish(ResourceUpdated("b"))
    assert (here, there, shared.gaps) == (published, published, [])


async def test_without_the_others_a_change_is_told_here() -> None:
    shared = Shared()
    shared.reachable = False
    bus = Bus(shared, tuple)
    heard = heard_by(bus)
    await bus.publish(ResourceUpdated("a"))
    assert heard == [ResourceUpdated("a")]


async def test_after_a_gap_everything_watched_may_have_changed() -> None:
    shared = Shared()
    bus = Bus(shared, lambda: ["a", "b"])
    bus.open()
    heard = heard_by(bus)
    (gap,) = shared.gaps
    gap()
    assert heard == [ResourceUpdated("a"), ResourceUpdated("b")]


@pytest.mark.parametrize(
    "message",
    [b"", b"{", b"null", b"[1]", b'{"updated": 1}', b'{"changed": "x"}', b"\xff", b"[" * 5_000, b'"' * 9_000],
)
async def test_a_message_that_is_none_of_ours_is_ignored(message: bytes) -> None:
    shared = Shared()
    bus = Bus(shared, tuple)
    bus.open()
    heard = heard_by(bus)
    await shared.publish("live", message)
    assert heard == []


async def test_streams_of_two_servers_hear_what_one_connector_publishes_and_both_after_a_gap() -> None:
    shared = Shared()
    async with (
        at_pond(state=shared) as one,
        at_pond(state=shared) as other,
        Client(one.server) as here,
        Client(other.server) as there,
        here.listen(resource_subscriptions=[uri("w1")]) as first,
        there.listen(resource_subscriptions=[uri("w1"), uri("w2")]) as second,
    ):
        await one.server.live.publish(uri("w1"))
        assert await events(first, 1) == await events(second, 1) == [ResourceUpdated(uri("w1"))]
        for gap in shared.gaps:
            gap()
        assert await events(first, 1) == [ResourceUpdated(uri("w1"))]
        assert await events(second, 2) == [ResourceUpdated(uri("w1")), ResourceUpdated(uri("w2"))]
