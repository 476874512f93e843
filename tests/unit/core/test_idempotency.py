"""A key is used up by what was done, and by nothing else; and what it began has an end."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import anyio
import pytest
from mcp.shared.exceptions import MCPError

from ringmain_core.arguments import IdempotencyKey
from ringmain_core.call import Call, current_call
from ringmain_core.errors import (
    InProgress,
    NotFound,
    OutcomeUnknown,
    StateLost,
    ToolFailure,
    UpstreamUnavailable,
)
from ringmain_core.idempotency import Idempotency
from ringmain_core.results import Answer, WireResult
from ringmain_core.sealing import KeyRing
from ringmain_core.settings import CoreSettings
from ringmain_core.state import State, StateUnavailable
from ringmain_core.testing import bench
from ringmain_core.tooling import tool
from standins.asking import ask, fault
from unit.core.test_writes import CONNECTOR, POLICY, Person, Wall
from unit.core.upstream.parts import Clock, SharedState, call_of

pytestmark = pytest.mark.anyio

DONE: WireResult = {"content": []}
TIME = 60.0


class Cut(SharedState):
    """The line to it goes dead once: what was sent arrives, and no answer comes."""

    def __init__(self) -> None:
        super().__init__()
        self.cuts = False

    async def put(self, key: str, value: bytes, ttl: float, *, only_if_absent: bool = False) -> bool:
        if self.cuts:
            self.cuts, self.away = False, True
            self.values[key] = value
            raise StateUnavailable("no answer")
        return await super().put(key, value, ttl, only_if_absent=only_if_absent)


class Writer:
    """A replica, and a write of it that counts how often it was done."""

    def __init__(self, state: State, clock: Callable[[], float] | None = None) -> None:
        self.idempotency = Idempotency(state, KeyRing([b"k" * 32]), clock or Clock())
        self.done = 0
        self.prepare: Callable[[], Awaitable[None]] = self.nothing
        self.begin: Callable[[], Awaitable[None]] = self.nothing
        self.settle: Callable[[Any], Awaitable[WireResult | None]] = self.look
        self.run: Callable[[Call], Awaitable[None]] = self.put_up

    async def write(self) -> WireResult:
        call = call_of(target="write")
        call.deadline = anyio.current_time() + TIME

        async def run() -> WireResult:
            await self.run(call)
            return DONE

        return await self.idempotency.once(
            call, "k", {"a": 1}, settle=self.settle, prepare=self.prepare, begin=self.begin, run=run
        )

    async def nothing(self) -> None: ...

    async def put_up(self, _: Call) -> None:
        self.done += 1

    async def look(self, note: Any) -> WireResult | None:
        if note is None:
            raise OutcomeUnknown("It left no note.")
        return DONE if self.done else None


class Recited(Answer):
    all: list[str]


@tool(access="write", title="Put")
async def put(wall: Wall, text: str, idempotency_key: IdempotencyKey = None) -> str:  # noqa: ARG001
    """Put a text up, and leave no note."""
    wall.posts.append(text)
    return "put"


@pytest.mark.parametrize("name", ["put", "post"])
async def test_what_could_not_be_put_on_record_leaves_its_key_free(name: str) -> None:
    wall = Wall()
    connector = replace(CONNECTOR, tools=(*CONNECTOR.tools, put))
    async with bench(connector, upstream=wall) as at:
        at.audit.broken = True
        with pytest.raises(MCPError, match="cannot be written"):
            await at.client.call_tool(name, {"text": "a", "idempotency_key": "k"})
        at.audit.broken = False
        with anyio.fail_after(5):
            while not wall.posts:
                await at.client.call_tool(name, {"text": "a", "idempotency_key": "k"})
    assert wall.posts == ["a"]


async def test_all_of_a_call_has_one_deadline() -> None:
    wall, deadlines = Wall(), list[float]()

    async def question(**bound: Any) -> str:
        deadlines.append(bound["call"].deadline)
        return "Put it up?"

    @tool(access="write", title="Slow", question=question)
    async def slow(wall: Wall, call: Call, text: str, idempotency_key: IdempotencyKey = None) -> str:  # noqa: ARG001
        """Put a text up."""
        deadlines.append(call.deadline)
        wall.posts.append(text)
        return "put"

    connector = replace(CONNECTOR, tools=(slow,))
    policy = POLICY.format(more='confirm = ["*:*"]')
    person = Person(confirm=True)
    async with bench(connector, upstream=wall, policy=policy, elicitation_callback=person) as at:
        assert await ask(at.client, "slow", text="a", idempotency_key="k") == "put"
    first_round, second_round, write = deadlines
    assert first_round < second_round == write


async def test_a_write_has_what_its_beginning_has_left_of_the_time() -> None:
    @tool(access="write", title="Stick")
    async def stick(wall: Wall, text: str, idempotency_key: IdempotencyKey = None) -> str:  # noqa: ARG001
        """Put a text up, and never come back."""
        wall.posts.append(text)
        await anyio.sleep_forever()
        return ""

    async with bench(replace(CONNECTOR, tools=(stick,)), upstream=Wall()) as at:
        write = at.audit.write

        def slowly(values: dict[str, Any]) -> None:
            call = current_call.get()
            if values["phase"] == "intent" and call is not None:
                call.deadline = time.monotonic() + 0.05
            write(values)

        at.audit.write = slowly
        with anyio.fail_after(5):
            assert (await fault(at.client, "stick", text="a", idempotency_key="k"))[0] == "outcome_unknown"


async def test_a_call_that_ends_before_its_effect_leaves_its_key_free() -> None:
    writer = Writer(SharedState())
    writer.begin = anyio.sleep_forever
    with anyio.move_on_after(0.01) as scope:
        await writer.write()
    assert scope.cancelled_caught
    writer.begin = writer.nothing
    assert await writer.write() == DONE
    assert writer.done == 1


async def test_a_process_that_stood_still_while_it_began_does_not_go_on() -> None:
    clock = Clock()
    writer = Writer(SharedState(), clock)

    async def stand_still() -> None:
        clock.now += TIME

    writer.begin = stand_still
    with pytest.raises(ToolFailure, match="nothing was done"):
        await writer.write()
    assert writer.done == 0


async def test_a_beginning_whose_answer_was_lost_does_not_use_up_its_key() -> None:
    state = Cut()
    one, two = Writer(state), Writer(state)
    state.cuts = True
    with pytest.raises(StateLost):
        await one.write()
    state.away = False
    with pytest.raises(InProgress):
        await two.write()  # it cannot know
    assert await one.write() == DONE
    assert (await two.write())["_meta"] == {"dev.ringmain/replayed": True}
    assert (one.done, two.done) == (1, 0)


async def test_a_key_that_was_not_begun_is_freed_for_other_replicas_when_the_state_is_back() -> None:
    state = Cut()
    one, two = Writer(state), Writer(state)
    state.cuts = True
    with pytest.raises(StateLost):
        await one.write()
    await state.come_back()
    assert await two.write() == DONE
    assert (one.done, two.done) == (0, 1)


async def test_a_beginning_that_was_cancelled_and_arrives_late_does_not_use_up_its_key() -> None:
    state = SharedState()
    writer, late = Writer(state), dict[str, bytes]()
    put = state.put

    async def on_its_way(key: str, value: bytes, ttl: float, *, only_if_absent: bool = False) -> bool:
        del ttl, only_if_absent
        late[key] = value
        await anyio.sleep_forever()
        return True

    state.put = on_its_way
    with anyio.move_on_after(0.01):
        await writer.write()
    state.put = put
    state.values.update(late)
    assert await writer.write() == DONE
    assert (len(late), writer.done) == (1, 1)


async def test_a_key_that_could_not_be_freed_is_freed_when_the_state_is_back() -> None:
    state = SharedState()
    one, two = Writer(state), Writer(state)

    async def fail(_: Call) -> None:
        state.away = True
        raise NotFound("There is no such wall.")

    one.run = fail
    with pytest.raises(NotFound):
        await one.write()
    await state.come_back()
    assert await two.write() == DONE


async def test_a_note_that_could_not_be_kept_leaves_the_key_free() -> None:
    state = SharedState()
    writer = Writer(state)

    async def note(call: Call) -> None:
        state.away = True
        try:
            await call.note({"text": "a"})
        finally:
            state.away = False

    async def unsure(_: Any) -> WireResult | None:
        raise OutcomeUnknown("It may yet come.")

    writer.run, writer.settle = note, unsure
    with pytest.raises(StateLost):
        await writer.write()
    writer.run = writer.put_up
    assert await writer.write() == DONE
    assert writer.done == 1


async def test_a_failure_after_a_part_was_done_is_settled_and_not_repeated() -> None:
    wall = Wall()
    wall.fail_after = UpstreamUnavailable("Too many requests.")
    async with bench(CONNECTOR, upstream=wall) as at:
        assert (await fault(at.client, "post", text="a", idempotency_key="k"))[0] == "upstream_unavailable"
        wall.fail_after = None
        assert await ask(at.client, "post", text="a", idempotency_key="k") == "post 1"
    assert wall.posts == ["a"]


async def test_an_answer_that_is_too_large_does_not_have_it_done_again() -> None:
    wall = Wall()

    @tool(access="write", title="Recite")
    async def recite(wall: Wall, text: str, idempotency_key: IdempotencyKey = None) -> Recited:  # noqa: ARG001
        """Put a text up, and say all that is there."""
        wall.posts.append(text)
        return Recited(all=wall.posts)

    core = CoreSettings(max_answer_bytes=2_000)
    async with bench(replace(CONNECTOR, tools=(recite,)), upstream=wall, core=core) as at:
        for _ in range(2):
            code, _text = await fault(at.client, "recite", text="a" * 2_000, idempotency_key="k")
            assert (code, len(wall.posts)) == ("outcome_unknown", 1)


async def test_a_failure_after_a_note_before_anything_was_done_can_be_tried_again() -> None:
    wall = Wall()
    wall.fail_after = UpstreamUnavailable("Too many requests.")
    async with bench(CONNECTOR, upstream=wall) as at:
        await fault(at.client, "post", text="a", idempotency_key="k")
        wall.posts.clear()
        wall.fail_after = None
        assert await ask(at.client, "post", text="a", idempotency_key="k") == "post 1"
    assert wall.posts == ["a"]
