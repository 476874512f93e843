import time

import anyio
import mcp_types as types
import pytest

from ringmain_core.call import current_call
from ringmain_core.principal import Principal
from ringmain_core.settings import CoreSettings
from ringmain_core.testing import Bench, bench
from unit.core.demo import ROW, Demo, connector

pytestmark = pytest.mark.anyio


async def failure_of(at: Bench, tool: str) -> tuple[str, dict[str, object]]:
    result = await at.client.session.call_tool(tool, {})
    assert isinstance(result, types.CallToolResult)
    assert result.is_error
    assert result.meta is not None
    assert isinstance(result.content[0], types.TextContent)
    fields = dict(result.meta["dev.ringmain/error"])
    assert fields.pop("call_id") == at.audit.records[-1]["id"]
    return result.content[0].text, fields


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_read_that_takes_too_long_is_cancelled_and_may_be_tried_again(mode: str) -> None:
    demo = Demo()
    async with bench(connector, upstream=demo, mode=mode) as at:
        assert await failure_of(at, "hurry") == (
            "`hurry` took longer than 0.02 s and was cancelled. Ask for less.",
            {"code": "deadline_exceeded", "retryable": True},
        )
        assert demo.ended.is_set()


async def test_a_write_that_takes_too_long_may_have_happened() -> None:
    async with bench(connector, upstream=Demo()) as at:
        assert await failure_of(at, "hurry_write") == (
            (
                "`hurry_write` took longer than 0.02 s and was cancelled, perhaps too late. Check whether it "
                "has happened before you try again."
            ),
            {"code": "outcome_unknown", "retryable": False},
        )


async def test_the_servers_time_is_for_tools_without_one_of_their_own() -> None:
    async with bench(connector, upstream=Demo(), core=CoreSettings(call_timeout=0.03)) as at:
        assert (await failure_of(at, "wait"))[0].startswith("`wait` took longer than 0.03 s")


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_defect_is_told_by_its_id_and_logged_by_its_type(
    mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with bench(connector, upstream=Demo(), mode=mode) as at:
        text, fields = await failure_of(at, "crash")
        call_id = at.audit.records[-1]["id"]
        assert (
            text == f"`crash` failed unexpectedly. The operator finds the reason in the log under {call_id}."
        )
        assert fields == {"code": "internal", "retryable": False}
    assert [record.getMessage() for record in caplog.records] == ["crash failed"]
    assert ROW not in caplog.messages[0]


async def test_a_failure_as_planned_keeps_its_words_and_details() -> None:
    async with bench(connector, upstream=Demo()) as at:
        assert await failure_of(at, "refuse") == (
            "No such column.",
            {"code": "upstream_refused", "retryable": False, "column": "colour"},
        )


async def test_no_call_is_left_behind_in_the_task_that_made_it() -> None:
    async with bench(connector, upstream=Demo()) as at:
        await at.client.session.call_tool("echo", {"text": "x"})
        await at.client.session.call_tool("crash", {})
        assert current_call.get() is None


async def test_calls_side_by_side_keep_to_themselves() -> None:
    demo = Demo()
    names = [f"agent-{number}" for number in range(5)]
    found: dict[str, str] = {}

    async def ask(name: str) -> None:
        async with bench(connector, upstream=demo, principal=Principal(name, "api_key")) as at:
            for _ in range(5):
                result = await at.client.call_tool("who", {})
                assert isinstance(result.content[0], types.TextContent)
                found[name] = result.content[0].text
                assert at.audit.records[-1]["principal"] == name

    started = time.monotonic()
    async with anyio.create_task_group() as tasks:
        for name in names:
            tasks.start_soon(ask, name)
    assert found == {name: name for name in names}
    assert time.monotonic() - started < 5
