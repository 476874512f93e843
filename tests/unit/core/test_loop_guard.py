from collections.abc import Mapping
from typing import Any, cast

import pytest
from mcp.shared.exceptions import MCPError

from ringmain_core.call import Call
from ringmain_core.gates.loop_guard import LoopGuard
from ringmain_core.refusals import LoopDetected
from ringmain_core.tooling import resource
from unit.core.demo import echo, note
from unit.core.upstream.parts import Clock, call_of

pytestmark = pytest.mark.anyio

FAILED: dict[str, Any] = {"isError": True, "_meta": {"dev.ringmain/error": {"code": "upstream_refused"}}}
DONE: dict[str, Any] = {"content": []}


@resource("demo://thing/{thing}", title="Thing")
async def thing(thing: str) -> str:
    """A thing."""
    return thing


class Rig:
    def __init__(self) -> None:
        self.clock = Clock()
        self.gate = LoopGuard(clock=self.clock, sleep=self.clock.sleep)

    async def call(
        self, result: Mapping[str, Any] | Exception = FAILED, *, call: Call | None = None, text: str = "x"
    ) -> str:
        """Make a call that ends like this: how long it was held up, or that it was stopped."""

        async def proceed() -> dict[str, Any]:
            if isinstance(result, Exception):
                raise result
            return dict(result)

        slept = len(self.clock.slept)
        made = call or call_of(echo, {"text": text})
        try:
            await self.gate(made, proceed)
        except LoopDetected:
            assert made.refused_by == "loop_guard"
            return "stopped"
        except MCPError:
            pass
        return " ".join(f"{pause:g}" for pause in self.clock.slept[slept:] if pause)

    async def calls(self, times: int, result: Mapping[str, Any] | Exception = FAILED) -> list[str]:
        return [await self.call(result) for _ in range(times)]


async def test_the_same_failure_again_and_again_is_slowed_then_stopped_for_a_while() -> None:
    rig = Rig()
    assert await rig.calls(9) == ["", "", "", "0.25", "0.5", "1", *["stopped"] * 3]
    rig.clock.now += 59
    call = call_of(echo, {"text": "x"})
    with pytest.raises(LoopDetected) as caught:
        await rig.gate(call, cast("Any", None))
    assert caught.value.message == (
        "This very call has failed 6 times in a row; it is not tried again for now. Change the arguments, "
        "take another way, or ask a person."
    )
    assert caught.value.fields() == {"code": "loop_detected", "retryable": False, "retry_after_ms": 1_000}
    rig.clock.now += 1
    assert await rig.calls(2) == ["2", "stopped"]
    rig.clock.now += 301
    assert await rig.calls(4) == ["", "", "", "0.25"]


async def test_a_success_or_other_arguments_end_it() -> None:
    rig = Rig()
    await rig.calls(5)
    assert await rig.call(DONE) == "1"
    assert await rig.calls(4) == ["", "", "", "0.25"]
    assert await rig.call(DONE, text="y") == ""
    assert await rig.calls(4) == ["", "", "", "0.25"]
    assert await rig.call(text="y") == ""
    assert await rig.calls(4) == ["", "", "", "0.25"]


async def test_a_question_to_the_client_is_no_success() -> None:
    rig = Rig()
    for _ in range(3):
        await rig.call({"resultType": "input_required"})
        await rig.call()
    assert await rig.call({"resultType": "input_required"}) == "0.25"


async def test_callers_and_tools_have_loops_of_their_own() -> None:
    rig = Rig()
    await rig.calls(6)
    assert await rig.call(call=call_of(echo, {"text": "x"}, agent="other")) == ""
    assert await rig.call(call=call_of(note, {"text": "x"})) == ""
    assert await rig.call() == "stopped"


async def test_resources_are_watched_by_what_is_read_and_lists_not_at_all() -> None:
    rig = Rig()
    refused = MCPError(-32602, "No such thing.", {"code": "unknown_resource"})

    def read(uri: str) -> Call:
        return call_of(thing, method="resources/read", target=uri)

    assert [await rig.call(refused, call=read("demo://thing/a")) for _ in range(4)] == ["", "", "", "0.25"]
    assert await rig.call(refused, call=read("demo://thing/b")) == ""
    lists = [await rig.call(refused, call=call_of(method="tools/list")) for _ in range(9)]
    assert lists == [""] * 9


async def test_who_waits_as_long_as_a_failure_says_is_not_counted() -> None:
    rig = Rig()
    error = {"code": "upstream_unavailable", "retryable": True, "retry_after_ms": 2_000}
    throttled = {"isError": True, "_meta": {"dev.ringmain/error": error}}
    for _ in range(20):
        assert await rig.call(throttled) == ""
        rig.clock.now += 2
    rig.clock.now -= 1
    assert await rig.calls(4, throttled) == ["", "", "0.25", "0.5"]


async def test_a_defect_goes_on_and_leaves_nothing_behind() -> None:
    rig = Rig()
    with pytest.raises(LookupError):
        await rig.call(LookupError())
    assert await rig.call() == ""


async def test_neither_arguments_nor_endless_callers_are_kept() -> None:
    rig = Rig()
    rig.gate = LoopGuard(clock=rig.clock, sleep=rig.clock.sleep, most_loops=10)
    for number in range(50):
        await rig.call(call=call_of(echo, {"text": "secret"}, agent=str(number)))
    loops = rig.gate._loops  # pyright: ignore[reportPrivateUsage]
    assert [agent for _, agent, _, _ in loops] == [str(number) for number in range(40, 50)]
    assert "secret" not in repr(loops)
