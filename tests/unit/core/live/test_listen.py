"""Listen streams of the 2026-07-28 protocol, through a real client in memory."""

from dataclasses import replace
from typing import Any

import anyio
import pytest
from mcp.client import Client
from mcp.client.subscriptions import ResourceUpdated, ToolsListChanged
from mcp.shared.exceptions import MCPError

from ringmain_core.live import listen, watchers
from ringmain_core.settings import CoreSettings
from ringmain_core.testing import bench
from unit.core.live.pond import POLICY, Pond, at_pond, connector, events, parsed, to_the_end, uri

pytestmark = pytest.mark.anyio

FENCED = POLICY.replace("limits =", 'fence = { "pond.water" = ["w*"] }\nlimits =')


async def refused(client: Client, *names: str) -> tuple[int, str, Any]:
    """The error that opening a stream is answered with."""
    with pytest.raises(MCPError) as caught:
        async with client.listen(resource_subscriptions=[uri(name) for name in names]):
            pass
    data: Any = caught.value.error.data
    data.pop("call_id")
    return caught.value.code, caught.value.error.message, data


async def test_a_change_is_told_to_whoever_listens_to_it_and_to_nobody_else() -> None:
    async with at_pond() as at:
        client = await at.client()
        async with (
            client.listen(resource_subscriptions=[uri("w1"), uri("w2")]) as both,
            client.listen(resource_subscriptions=[uri("w2")]) as second,
        ):
            at.pond.stir("w1")
            assert await events(both, 1) == [ResourceUpdated(uri("w1"))]
            at.pond.stir("w2")
            assert await events(both, 1) == [ResourceUpdated(uri("w2"))]
            assert await events(second, 1) == [ResourceUpdated(uri("w2"))]


async def test_many_quick_changes_are_told_as_few() -> None:
    async with at_pond() as at:
        at.server.live.watchers.quiet = 0.2
        client = await at.client()
        async with client.listen(resource_subscriptions=[uri("w1")]) as stream:
            for _ in range(20):
                at.pond.stir("w1")
                with anyio.move_on_after(0.005):
                    await anyio.sleep_forever()
            told = await events(stream, 2)
            at.server.live.close()
            assert len(told + await to_the_end(stream)) <= 3


async def test_one_watcher_serves_all_streams_and_stops_after_the_last() -> None:
    async with at_pond() as at:
        client = await at.client()
        async with client.listen(resource_subscriptions=[uri("w1")]):
            async with client.listen(resource_subscriptions=[uri("w1")]):
                assert (at.pond.watched["w1"], at.pond.begun["w1"]) == (1, 1)
            assert at.pond.watched["w1"] == 1
        await at.pond.until(lambda: at.pond.watched["w1"] == 0)
        async with client.listen(resource_subscriptions=[uri("w1")]):
            assert (at.pond.watched["w1"], at.pond.begun["w1"]) == (1, 2)


async def test_who_is_soon_back_finds_the_watcher_still_there() -> None:
    async with at_pond() as at:
        at.server.live.watchers.grace = 0.2
        client = await at.client()
        async with client.listen(resource_subscriptions=[uri("w1")]):
            pass
        async with client.listen(resource_subscriptions=[uri("w1")]):
            with anyio.move_on_after(0.3):  # longer than the grace: the first one's end is forgotten
                await at.pond.until(lambda: at.pond.watched["w1"] == 0)
            assert (at.pond.watched["w1"], at.pond.begun["w1"]) == (1, 1)
    assert at.pond.watched["w1"] == 0


async def test_after_a_failure_it_is_watched_again_and_one_change_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watchers, "_FIRST_PAUSE", 0.02)
    async with at_pond() as at:
        client = await at.client()
        async with client.listen(resource_subscriptions=[uri("w1"), uri("w2")]) as stream:
            at.pond.break_down()
            await at.pond.until(lambda: not at.pond.watched.total())
            at.pond.broken = False
            told = await events(stream, 2)
            assert sorted(told, key=str) == [ResourceUpdated(uri("w1")), ResourceUpdated(uri("w2"))]
            at.server.live.close()
            assert await to_the_end(stream) == []


async def test_what_cannot_be_watched_at_first_is_told_once_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchers, "_BEGINS_WITHIN", 0.02)
    async with at_pond() as at:
        at.pond.frozen = anyio.Event()
        client = await at.client()
        async with client.listen(resource_subscriptions=[uri("w1")]) as stream:
            at.pond.frozen.set()
            assert await events(stream, 1) == [ResourceUpdated(uri("w1"))]
            at.server.live.close()
            assert await to_the_end(stream) == []


async def test_what_is_hidden_fenced_away_or_missing_looks_the_same() -> None:
    async with at_pond(FENCED) as at:
        client = await at.client()
        fenced, missing = await refused(client, "secret"), await refused(client, "w999")
        at.reload(POLICY.replace("limits =", 'deny = ["pond.water"]\nlimits ='))
        hidden = await refused(client, "w1")
        for name, answer in (("secret", fenced), ("w999", missing), ("w1", hidden)):
            assert answer == (
                -32602,
                "There is no such resource here. `resources/templates/list` shows what there is.",
                {"code": "unknown_resource", "retryable": False, "uri": uri(name)},
            )
        assert at.pond.begun.total() == 0


async def test_one_uri_that_may_not_be_heard_refuses_the_whole_stream() -> None:
    async with at_pond(FENCED) as at:
        client = await at.client()
        _, _, data = await refused(client, "w1", "secret")
        assert (data["code"], data["uri"]) == ("unknown_resource", uri("secret"))
        assert at.pond.begun.total() == 0
        assert at.server.live.listen.open_streams == 0


async def test_a_resource_that_tells_nothing_is_left_out_of_what_is_acknowledged() -> None:
    async with at_pond() as at:
        client = await at.client()
        async with client.listen(resource_subscriptions=["pond://about", uri("w1")]) as stream:
            assert stream.honored.resource_subscriptions == [uri("w1")]
        with pytest.raises(MCPError, match="does not tell when it changes") as caught:
            async with client.listen(resource_subscriptions=["pond://about"]):
                pass
        assert caught.value.error.data["code"] == "not_live"


async def test_a_system_out_of_reach_is_said_to_be_so() -> None:
    async with at_pond() as at:
        at.pond.reachable = False
        code, words, data = await refused(await at.client(), "w1")
        assert (code, words) == (-32000, "The pond cannot be reached. Try again.")
        assert data == {"code": "upstream_unavailable", "retryable": True, "retry_after_ms": 100}


async def test_who_loses_a_part_hears_no_more_of_it_and_who_loses_all_has_its_stream_ended() -> None:
    async with at_pond() as at:
        client = await at.client()
        async with (
            client.listen(resource_subscriptions=[uri("w1"), uri("secret")]) as both,
            client.listen(resource_subscriptions=[uri("secret")]) as one,
        ):
            at.reload(FENCED)
            assert await to_the_end(one) == []
            await at.pond.until(lambda: at.pond.watched["secret"] == 0)
            at.pond.stir("w1")
            assert await events(both, 1) == [ResourceUpdated(uri("w1"))]
            at.reload(POLICY.replace('allow = ["pond:read"]', "allow = []"))
            assert await to_the_end(both) == []


async def test_permission_is_asked_again_before_each_thing_that_is_told() -> None:
    async with at_pond() as at:
        client = await at.client()
        async with client.listen(resource_subscriptions=[uri("w1"), uri("secret")]) as stream:
            other = FENCED.replace("w*", "secret")
            before, at.policy[0] = at.policy[0], parsed(other)  # nobody says that it has changed
            at.pond.stir("w1")
            at.pond.stir("secret")
            assert await events(stream, 1) == [ResourceUpdated(uri("secret"))]
            at.policy[0] = before
            at.pond.stir("w1")
            assert await events(stream, 1) == [ResourceUpdated(uri("w1"))]


async def test_lists_that_changed_are_told_to_those_whose_view_changed() -> None:
    async with at_pond() as at:
        client = await at.client()
        async with (
            client.listen(tools_list_changed=True, prompts_list_changed=True) as lists,
            client.listen(prompts_list_changed=True) as prompts,
        ):
            at.reload(POLICY.replace("limits =", 'deny = ["pond.fish"]\nlimits ='))
            assert await events(lists, 1) == [ToolsListChanged()]
            at.reload(POLICY.replace("limits =", 'deny = ["pond.fish"]\nlimits ='))
            at.reload(POLICY)
            assert await events(lists, 1) == [ToolsListChanged()]
            at.server.live.close()
            assert (await to_the_end(lists), await to_the_end(prompts)) == ([], [])


async def test_streams_are_bounded_for_each_caller_and_make_room_when_they_end() -> None:
    async with at_pond() as at:
        client = await at.client()
        async with client.listen(tools_list_changed=True):
            async with _streams(client, 19):
                code, words, data = await refused(client, "w1")
                assert (code, data["code"]) == (-32005, "rate_limited")
                assert words == "You hold 20 listen streams, and 20 is the most. End one first."
            await at.pond.until(lambda: at.pond.watched.total() == 0)
            async with client.listen(resource_subscriptions=[uri("w1")]):
                pass


async def test_what_one_caller_has_watched_is_bounded() -> None:
    async with at_pond() as at:
        client = await at.client()
        async with client.listen(resource_subscriptions=[uri(f"w{n}") for n in range(150)]):
            code, words, _ = await refused(client, *(f"w{n}" for n in range(150, 250)))
            assert (code, words) == (
                -32005,
                "You hold 150 watched resources, and 200 is the most. End one first.",
            )
        assert at.pond.begun.total() == 150


async def test_a_stream_is_on_record_when_it_opens_and_when_it_ends() -> None:
    async with at_pond() as at:
        client = await at.client()
        at.audit.records.clear()
        async with client.listen(tools_list_changed=True, resource_subscriptions=[uri("w1"), uri("w2")]) as s:
            (opened,) = at.audit.records
            at.server.live.close()
            await to_the_end(s)
        ended = at.audit.records[1]
        kept = ("id", "phase", "method", "outcome", "detail")
        assert [{key: record.get(key) for key in kept} for record in (opened, ended)] == [
            {
                "id": opened["id"],
                "phase": "intent",
                "method": "subscriptions/listen",
                "outcome": None,
                "detail": {"uris": [uri("w1"), uri("w2")], "lists": ["tools"]},
            },
            {
                "id": opened["id"],
                "phase": "outcome",
                "method": "subscriptions/listen",
                "outcome": "ok",
                "detail": None,
            },
        ]


async def test_a_stream_that_cannot_be_put_on_record_is_refused() -> None:
    async with at_pond() as at:
        client = await at.client()
        at.audit.broken = True
        _, _, data = await refused(client, "w1")
        assert data["code"] == "audit_unavailable"
        await at.pond.until(lambda: at.pond.watched["w1"] == 0)


async def test_closing_ends_streams_in_order_and_takes_no_more() -> None:
    async with at_pond() as at:
        client = await at.client()
        async with client.listen(resource_subscriptions=[uri("w1")]) as stream:
            at.server.live.close()
            assert await to_the_end(stream) == []
        code, _, data = await refused(client, "w1")
        assert (code, data["code"], data["retryable"]) == (-32011, "draining", True)


async def test_a_client_that_does_not_read_has_its_stream_ended(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(listen, "_READ_WITHIN", 0.02)

    async def never(*_: object, **__: object) -> None:
        await anyio.sleep_forever()

    async with at_pond() as at:
        client = await at.client()
        async with client.listen(resource_subscriptions=[uri("w1")]) as stream:
            monkeypatch.setattr("mcp.server.session.ServerSession.send_notification", never)
            at.pond.stir("w1")
            assert await to_the_end(stream) == []
        assert "its client does not read" in caplog.text


async def test_without_anything_to_watch_no_subscriptions_are_promised() -> None:
    async with bench(replace(connector, watches={}), upstream=Pond()) as at:
        assert at.client.server_capabilities.resources is not None
        assert at.client.server_capabilities.resources.subscribe is False
        assert at.client.server_capabilities.resources.list_changed is True
        assert (await refused(at.client, "w1"))[2]["code"] == "not_live"


async def test_what_is_stated_is_what_is_told() -> None:
    json = CoreSettings(responses="json", sessions=False)
    async with at_pond() as at, at_pond(core=json) as stdio, at_pond(core=json, local=None) as http:
        modern, legacy = "2026-07-28", "2025-11-25"
        told = [
            (s.resources.subscribe, s.resources.list_changed, s.tools.list_changed, s.prompts.list_changed)
            for server in (at.server, stdio.server, http.server)
            for s in (server.get_capabilities(protocol_version=era) for era in (modern, legacy))
            if s.resources and s.tools and s.prompts
        ]
        assert told == [(True,) * 4] * 4 + [(False,) * 4] * 2


class _streams:  # noqa: N801 (used like a function)
    """Some open streams."""

    def __init__(self, client: Client, count: int) -> None:
        self._opened = [client.listen(resource_subscriptions=[uri(f"w{n}")]) for n in range(count)]

    async def __aenter__(self) -> None:
        for each in self._opened:
            await each.__aenter__()

    async def __aexit__(self, *error: Any) -> None:  # noqa: PYI036 (passed on as they are)
        for each in reversed(self._opened):
            await each.__aexit__(*error)
