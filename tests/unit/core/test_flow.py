"""What was read decides where may be written without a person: all of it, everywhere, for long enough."""

import json
from types import SimpleNamespace
from typing import Any, cast

import mcp_types as types
import pytest

from ringmain_core.confirmations import Ask
from ringmain_core.flow import Flow, Reading
from ringmain_core.state.local import LocalState
from unit.core import http_bench
from unit.core.http_bench import LEGACY, MODERN
from unit.core.test_writes import CONNECTOR, Wall
from unit.core.upstream.parts import Clock, SharedState, call_of

pytestmark = pytest.mark.anyio

DM, OPS, GENERAL = Reading("self", "dm"), Reading("group", "ops"), Reading("organisation", "general")
EVERYBODY = Reading("public")
HALF_AN_HOUR = 1800.0
_ASKS = types.ClientCapabilities(
    elicitation=types.ElicitationCapability(form=types.FormElicitationCapability())
)


async def saw(flow: Flow, *readings: Reading, agent: str = "bot") -> None:
    for reading in readings:
        await flow.saw(call_of(agent=agent), reading)


async def asked(flow: Flow, reach: Reading) -> bool:
    """Whether a person is asked before something is written there."""
    return await question(flow, reach) != ""


async def question(flow: Flow, reach: Reading) -> str:
    call = call_of()
    call.client = cast("Any", SimpleNamespace(client_capabilities=_ASKS))
    try:
        await flow.may_share(call, reach, "Post")
    except Ask as ask:
        return ask.message
    return ""


@pytest.mark.parametrize("readings", [(DM, OPS), (OPS, DM), (DM, GENERAL), (GENERAL, DM)])
async def test_reading_a_place_does_not_take_away_what_is_known_of_others(
    readings: tuple[Reading, Reading],
) -> None:
    flow = Flow(LocalState())
    await saw(flow, *readings)
    assert await asked(flow, Reading("public", "dm"))  # its other side belongs to another organisation
    assert await asked(flow, EVERYBODY)


async def test_what_was_read_may_go_back_to_its_own_place() -> None:
    flow = Flow(LocalState())
    await saw(flow, DM, DM)
    assert not await asked(flow, Reading("public", "dm"))
    await saw(flow, OPS)
    assert "(group)" in await question(flow, Reading("public", "dm"))
    assert "(self)" in await question(flow, Reading("group", "ops"))


async def test_two_places_of_one_audience_keep_from_each_other() -> None:
    flow = Flow(LocalState())
    await saw(flow, OPS, Reading("group", "staff"), OPS)
    for place in ("ops", "staff", "elsewhere"):
        assert "(several places)" in await question(flow, Reading("group", place))
    assert not await asked(flow, Reading("group"))


async def test_what_everybody_can_read_keeps_nothing_back() -> None:
    flow = Flow(LocalState())
    assert not await asked(flow, EVERYBODY)
    await saw(flow, EVERYBODY, Reading("public", "elsewhere"))
    assert not await asked(flow, EVERYBODY)


async def test_it_is_remembered_for_half_an_hour_after_the_last_reading() -> None:
    clock = Clock()
    flow = Flow(LocalState(), clock)
    await saw(flow, OPS)
    clock.now += HALF_AN_HOUR - 1
    await saw(flow, GENERAL)
    clock.now += HALF_AN_HOUR - 1
    assert "(group)" in await question(flow, EVERYBODY)
    clock.now += 2
    assert not await asked(flow, EVERYBODY)


async def test_others_cannot_push_out_what_is_remembered() -> None:
    flow = Flow(LocalState())
    await saw(flow, OPS)
    for number in range(10_001):
        await saw(flow, EVERYBODY, agent=f"other-{number}")
    assert await asked(flow, EVERYBODY)


@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_a_made_up_session_is_no_clean_memory(era: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_bench, "connector", CONNECTOR)
    monkeypatch.setattr(http_bench, "Demo", Wall)
    async with http_bench.http_bench(sessions=False) as at:
        for session in (None, "made-up"):
            await at.call(era, "tools/call", {"name": "look", "arguments": {}})
            publish = {"name": "publish", "arguments": {"text": "x"}}
            answer = await at.call(era, "tools/call", publish, session=session)
            assert answer.json["result"]["_meta"]["dev.ringmain/error"]["code"] == "confirmation_needed"


async def test_a_new_session_is_no_clean_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_bench, "connector", CONNECTOR)
    monkeypatch.setattr(http_bench, "Demo", Wall)
    async with http_bench.http_bench() as at:
        await at.call_tool(LEGACY, "look")
        answer = await at.call_tool(LEGACY, "publish", text="x")
        assert answer.json["result"]["_meta"]["dev.ringmain/error"]["code"] == "confirmation_needed"


async def test_what_one_replica_has_read_another_does_not_forget() -> None:
    state = SharedState()
    one, two, three = Flow(state), Flow(state), Flow(state)
    await saw(one, DM)
    await saw(two, GENERAL)
    await saw(two, EVERYBODY)
    for replica in (one, two, three):
        assert "(self)" in await question(replica, Reading("organisation", "general"))
        assert await asked(replica, EVERYBODY)


async def test_two_replicas_that_read_at_once_both_count() -> None:
    class Busy(SharedState):
        """Another replica is always a moment faster, while it has something to say."""

        async def get(self, key: str) -> bytes | None:
            kept = await super().get(key)
            if waiting:
                await saw(other, waiting.pop())
            return kept

    state = Busy()
    other, flow = Flow(state), Flow(state)
    waiting = [DM]
    await saw(flow, GENERAL)  # nothing was there
    waiting = [OPS]
    await saw(flow, EVERYBODY)  # something was
    (kept,) = state.values.values()
    assert json.loads(kept) == ["group ops", "organisation general", "public ", "self dm"]


async def test_the_first_reading_is_told_however_young_the_machine_is() -> None:
    state = SharedState()
    one, two = Flow(state, Clock(100.0)), Flow(state, Clock(100.0))
    await saw(one, DM)
    assert await asked(two, EVERYBODY)


async def test_others_are_told_again_before_they_forget() -> None:
    state, clock = SharedState(), Clock()
    one, two = Flow(state, clock), Flow(state, clock)
    await saw(one, OPS)
    state.values.clear()
    clock.now += HALF_AN_HOUR / 2 + 1
    await saw(one, OPS)
    assert await asked(two, EVERYBODY)


async def test_what_was_read_while_the_state_was_away_is_told_when_it_is_back() -> None:
    state, clock = SharedState(), Clock()
    one, two = Flow(state, clock), Flow(state, clock)
    state.away = True
    await saw(one, DM)
    assert await asked(two, EVERYBODY)  # it cannot know
    await state.come_back()
    assert await asked(two, EVERYBODY)
    clock.now += HALF_AN_HOUR - 1
    assert await asked(one, EVERYBODY)


async def test_what_could_not_be_told_is_told_at_the_next_use() -> None:
    state = SharedState()
    one, two = Flow(state), Flow(state)
    state.away = True
    await saw(one, DM)
    state.away = False
    assert not await asked(two, EVERYBODY)
    assert await asked(one, EVERYBODY)
    assert await asked(two, EVERYBODY)


async def test_a_state_that_comes_back_empty_is_told_everything() -> None:
    state = SharedState()
    one, two = Flow(state), Flow(state)
    await saw(one, DM)
    state.values.clear()
    await state.come_back()
    assert await asked(two, EVERYBODY)
