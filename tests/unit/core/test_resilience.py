from dataclasses import replace
from typing import Any

import anyio
import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPError

from ringmain_core.errors import UpstreamUnavailable
from ringmain_core.testing import bench
from ringmain_core.tooling import resource, tool
from ringmain_core.upstream.cache import Cache
from unit.core.demo import Demo, connector

pytestmark = pytest.mark.anyio
CACHE = Cache(ttl=0.001, stale=300)


@tool(access="read", title="Count", cache=Cache())
async def count(demo: Demo, step: int = 1) -> str:
    """Count."""
    demo.asked += step
    return str(demo.asked)


@tool(access="read", title="Look", cache=CACHE)
async def look(demo: Demo) -> str:
    """Look."""
    if not demo.reachable:
        raise UpstreamUnavailable("`demo` cannot be reached now.", retry_after_ms=5)
    return "seen"


@resource("demo://count", title="Counted", cache=Cache())
async def counted(demo: Demo) -> str:
    """Count."""
    demo.asked += 1
    return str(demo.asked)


cached = replace(connector, tools=(*connector.tools, count, look), resources=(*connector.resources, counted))


def text_of(result: Any) -> str:
    assert isinstance(result.content[0], types.TextContent)
    return result.content[0].text


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_cached_read_is_done_once_through_the_whole_server(mode: str) -> None:
    async with bench(cached, upstream=Demo(), mode=mode) as at:
        first = await at.client.call_tool("count", {})
        second = await at.client.call_tool("count", {"step": "1"})
        assert (text_of(first), text_of(second)) == ("1", "1")
        assert (first.meta or {}).get("dev.ringmain/cache") is None
        assert second.meta is not None
        assert second.meta["dev.ringmain/cache"]["age_seconds"] < 5
        fresh = await at.client.call_tool("count", {}, meta={"dev.ringmain/fresh": True})
        assert text_of(fresh) == "2"
        read = [(await at.client.read_resource("demo://count")).contents[0] for _ in range(2)]
        assert [getattr(each, "text", None) for each in read] == ["3", "3"]
        calls = [record["outcome"] for record in at.audit.records if record["method"] == "tools/call"]
        assert calls == ["ok"] * 3


async def test_an_old_answer_comes_while_the_system_is_away() -> None:
    demo = Demo()
    async with bench(cached, upstream=demo) as at:
        assert text_of(await at.client.call_tool("look", {})) == "seen"
        demo.reachable = False
        with anyio.fail_after(5):
            result = await at.client.call_tool("look", {})
            while "dev.ringmain/stale" not in (result.meta or {}):
                result = await at.client.call_tool("look", {})
        assert text_of(result).endswith("because there is none now: `demo` cannot be reached now.]\nseen")
        assert result.is_error is False


async def test_a_looping_agent_is_stopped_by_the_server() -> None:
    async with bench(cached, upstream=Demo()) as at:
        with anyio.fail_after(10):
            for _ in range(6):
                assert (await at.client.session.call_tool("refuse", {})).is_error
            with pytest.raises(MCPError) as caught:
                await at.client.session.call_tool("refuse", {})
        assert caught.value.error.data["code"] == "loop_detected"
        assert at.audit.records[-1]["gate"] == "loop_guard"
