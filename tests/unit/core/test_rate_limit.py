from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, cast

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringmain_core.call import Call
from ringmain_core.gates.rate_limit import RateLimit, lease_seconds
from ringmain_core.limits import Limits
from ringmain_core.policy import Policy, PolicyFile
from ringmain_core.principal import Principal
from ringmain_core.refusals import RateLimited
from ringmain_core.state import Exceeded, Quota, StateUnavailable
from ringmain_core.state.local import LocalState
from ringmain_core.state.meters import LocalMeters
from ringmain_core.testing import bench
from unit.core.demo import Demo, connector

pytestmark = pytest.mark.anyio

ONE_AT_A_TIME = """
[limits]
"*" = { concurrency = 1 }
[roles.all]
allow = ["*:*"]
[[agents]]
id = "local"
roles = ["all"]
"""


class Clock:
    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def call_of(agent: str = "bot", tool: str = "echo") -> Call:
    principal = Principal(agent, "api_key")
    nobody = cast("Any", None)
    return Call(principal, "demo", "http", "v1", "tools/call", tool, {}, nobody, "2026-07-28")


def gate_of(clock: Clock, *, meters: LocalMeters | None = None, **limits: Limits) -> RateLimit:
    state = LocalState(meters=meters or LocalMeters(clock=clock))
    policy = policy_of(**limits)
    return RateLimit(lambda: policy, state)


def policy_of(**limits: Limits) -> Policy:
    named = {name.replace("_", "."): value for name, value in limits.items() if name != "all"}
    return Policy(PolicyFile(limits={"*": limits["all"], **named}))


async def attempt(gate: RateLimit, call: Call | None = None) -> int | None:
    """Make one call that ends at once; the wait that was asked for, `None` where it was admitted."""

    async def done() -> dict[str, Any]:
        return {}

    try:
        await gate(call or call_of(), done)
    except RateLimited as refused:
        return refused.retry_after_ms
    return None


def drive(gate: RateLimit, call: Call | None = None) -> int | None:
    """Like `attempt`, without an event loop: nothing in it waits."""
    attempting = attempt(gate, call)
    try:
        attempting.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waited")


@contextmanager
def running(gate: RateLimit, call: Call) -> Generator[None]:
    """A call that is running inside the block, and cancelled at its end."""

    class Forever:
        def __await__(self) -> Generator[None]:
            yield

    async def wait() -> dict[str, Any]:
        await Forever()
        return {}

    coroutine = gate(call, wait)
    coroutine.send(None)
    try:
        yield
    finally:
        with pytest.raises(KeyboardInterrupt):
            coroutine.throw(KeyboardInterrupt)


async def test_a_burst_is_admitted_and_then_the_even_rate() -> None:
    clock = Clock(1_000_000.0)
    gate = gate_of(clock, all=Limits(rate=2, burst=3))
    assert [await attempt(gate) for _ in range(5)] == [None, None, None, 500, 500]
    clock.now += 0.499
    assert await attempt(gate) == 1
    clock.now += 0.001
    assert [await attempt(gate) for _ in range(2)] == [None, 500]
    clock.now += 100
    assert [await attempt(gate) for _ in range(4)] == [None, None, None, 500]


async def test_a_refusal_says_who_refused_what_and_when_to_come_back() -> None:
    gate = gate_of(Clock(), all=Limits(rate=1, burst=1))
    await attempt(gate)
    call = call_of()
    with pytest.raises(RateLimited) as caught:
        await gate(call, cast("Any", None))
    assert call.refused_by == "rate_limit"
    assert caught.value.message == "Too many calls: 1 a second for all calls. Try again in 1000 ms."
    assert caught.value.fields() == {"code": "rate_limited", "retryable": True, "retry_after_ms": 1000}


async def test_agents_do_not_use_up_each_others_calls() -> None:
    gate = gate_of(Clock(), all=Limits(rate=1, burst=1))
    assert await attempt(gate, call_of("one")) is None
    assert await attempt(gate, call_of("two")) is None
    assert await attempt(gate, call_of("one")) == 1000


async def test_a_tool_can_have_a_limit_of_its_own_for_each_agent() -> None:
    gate = gate_of(Clock(), all=Limits(rate=10, burst=10), demo_note=Limits(rate=1, burst=1))
    assert await attempt(gate, call_of(tool="note")) is None
    assert await attempt(gate, call_of(tool="note")) == 1000
    assert await attempt(gate, call_of(tool="echo")) is None
    assert await attempt(gate, call_of("other", "note")) is None


async def test_a_refused_call_uses_nothing_up() -> None:
    clock = Clock()
    gate = gate_of(clock, all=Limits(rate=1, burst=2), demo_note=Limits(rate=1, burst=1))
    assert await attempt(gate, call_of(tool="note")) is None
    assert [await attempt(gate, call_of(tool="note")) for _ in range(50)] == [1000] * 50
    assert await attempt(gate, call_of(tool="echo")) is None


def test_so_many_calls_may_run_at_once_and_whatever_ends_one_makes_room() -> None:
    gate = gate_of(Clock(), all=Limits(rate=1000, burst=1000, concurrency=2))
    with running(gate, call_of()), running(gate, call_of()):
        for _ in range(3):
            assert drive(gate) == 250
        assert drive(gate, call_of("other")) is None
    assert drive(gate) is None


async def test_an_error_makes_room() -> None:
    gate = gate_of(Clock(), all=Limits(concurrency=1))

    async def fail() -> dict[str, Any]:
        raise LookupError

    for _ in range(3):
        with pytest.raises(LookupError):
            await gate(call_of(), fail)
    assert await attempt(gate) is None


async def test_a_cancelled_call_makes_room() -> None:
    demo = Demo()
    async with bench(connector, upstream=demo, policy=ONE_AT_A_TIME) as at:
        for _ in range(3):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(lambda: at.client.call_tool("wait", {}))
                with anyio.fail_after(5):
                    await demo.started.wait()
                tasks.cancel_scope.cancel()
            demo.started = anyio.Event()
        assert (await at.client.call_tool("who", {})).is_error is False


@settings(max_examples=150, deadline=None)
@given(
    rate=st.floats(0.01, 1000),
    burst=st.integers(1, 50),
    start=st.floats(0, 1e7),
    pauses=st.lists(st.floats(0, 30), max_size=60),
)
def test_it_admits_what_a_bucket_of_tokens_would(
    rate: float, burst: int, start: float, pauses: list[float]
) -> None:
    clock = Clock(start)
    gate = gate_of(clock, all=Limits(rate=rate, burst=burst))
    tokens, filled_at = float(burst), start
    for pause in pauses:
        clock.now += pause
        tokens = min(burst, tokens + (clock.now - filled_at) * rate)
        filled_at = clock.now
        admitted = drive(gate) is None
        if abs(tokens - 1) > 1e-5 * rate + 1e-5:  # where floats decide, either may
            assert admitted == (tokens >= 1)
        tokens -= admitted


@settings(max_examples=200, deadline=None)
@given(rate=st.floats(0.01, 5000), burst=st.integers(1, 5), start=st.floats(0, 1e8), calls=st.integers(1, 12))
def test_a_call_after_exactly_the_wait_that_was_said_is_admitted(
    rate: float, burst: int, start: float, calls: int
) -> None:
    clock = Clock(start)
    gate = gate_of(clock, all=Limits(rate=rate, burst=burst))
    for _ in range(burst + calls):
        wait = drive(gate)
        if wait is not None:
            clock.now += wait / 1000
            assert drive(gate) is None


def test_a_flood_of_callers_neither_fills_the_memory_nor_slows_those_who_are_known() -> None:
    clock = Clock()
    meters = LocalMeters(clock=clock, most_meters=1000)
    gate = gate_of(clock, meters=meters, all=Limits(rate=1, burst=2))
    assert drive(gate, call_of("known")) is None
    refused = sum(drive(gate, call_of(f"stranger-{number}")) is not None for number in range(20_000))
    assert refused > 18_000  # beyond the thousand they share one meter
    assert meters.count == 1000
    assert len(gate._known) <= 10_000  # pyright: ignore[reportPrivateUsage]
    assert drive(gate, call_of("known")) is None
    clock.now += 10
    assert drive(gate, call_of("late")) is None
    assert meters.count == 1000


def test_callers_with_calls_of_hours_do_not_keep_newcomers_from_a_meter_of_their_own() -> None:
    clock = Clock()
    gate = gate_of(clock, meters=LocalMeters(clock=clock, most_meters=100), all=Limits(rate=1, burst=1))
    with ExitStack() as long:
        for number in range(70):
            long.enter_context(running(gate, call_of(f"long-{number}")))
        for number in range(30):
            drive(gate, call_of(f"short-{number}"))
        clock.now += 10
        assert [drive(gate, call_of(f"new-{number}")) for number in range(3)] == [None, None, None]
    assert drive(gate, call_of("new-3")) is None


async def test_a_policy_read_again_holds_at_once_and_forgives_what_the_old_one_counted() -> None:
    clock = Clock()
    now = policy_of(all=Limits(rate=1 / 3600, burst=1))
    gate = RateLimit(lambda: now, LocalState(meters=LocalMeters(clock=clock)))
    assert [await attempt(gate) for _ in range(2)] == [None, 3_600_000]
    now = policy_of(all=Limits(rate=10, burst=1))
    assert await attempt(gate) == 100
    clock.now += 0.1
    assert await attempt(gate) is None


def test_streams_that_stay_open_count_for_the_rate_and_take_no_slot() -> None:
    clock = Clock()
    gate = gate_of(clock, all=Limits(rate=1, burst=5, concurrency=1))
    listen = replace(call_of(), method="subscriptions/listen", target=None)
    with running(gate, replace(listen, id="1")), running(gate, replace(listen, id="2")):
        with running(gate, call_of()):
            assert drive(gate) == 250
        assert [drive(gate), drive(gate), drive(gate)] == [None, None, 1000]
        assert drive(gate, listen) == 1000


class Away(LocalState):
    """A shared state that can go away."""

    shared = True
    away = False
    released = 0

    async def admit(self, quotas: Sequence[Quota], lease: str, lease_seconds: float) -> Exceeded | None:
        if self.away:
            raise StateUnavailable("it is away")
        return await super().admit(quotas, lease, lease_seconds)

    async def release(self, quotas: Sequence[Quota], lease: str) -> None:
        await anyio.lowlevel.checkpoint()
        if self.away:
            raise StateUnavailable("it is away")
        self.released += 1
        await super().release(quotas, lease)


async def test_while_the_state_is_away_limits_hold_for_this_process_and_the_log_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    state = Away()
    gate = RateLimit(lambda: policy_of(all=Limits(rate=1e-3, burst=2)), state)
    assert await attempt(gate) is None
    state.away = True
    assert [await attempt(gate) is None for _ in range(3)] == [True, True, False]
    state.away = False
    assert [await attempt(gate) is None for _ in range(2)] == [True, False]
    assert [record.message for record in caplog.records] == [
        "limits now hold for this process alone: it is away",
        "limits hold for all processes again",
    ]


async def test_a_call_counted_in_one_place_ends_there_though_the_state_came_or_went_meanwhile() -> None:
    state = Away()
    gate = RateLimit(lambda: policy_of(all=Limits(concurrency=1)), state)

    async def switch() -> dict[str, Any]:
        state.away = not state.away
        return {}

    await gate(call_of(), switch)  # counted there, and its end cannot be told
    assert state.released == 0
    await gate(call_of(), switch)  # counted here
    assert state.released == 0
    assert await attempt(gate) == 250  # the first still has its lease


async def test_a_cancelled_call_gives_its_slot_back_also_where_that_takes_time() -> None:
    state = Away()
    gate = RateLimit(lambda: policy_of(all=Limits(concurrency=1)), state)
    with anyio.CancelScope() as scope:

        async def leave() -> dict[str, Any]:
            scope.cancel()
            await anyio.sleep_forever()
            return {}

        await gate(call_of(), leave)
    assert state.released == 1
    assert await attempt(gate) is None


def test_a_lease_outlives_the_longest_call() -> None:
    assert lease_seconds(connector, 60.0) == 90.0
    assert (
        lease_seconds(replace(connector, tools=[replace(connector.tools[0], timeout=600.0)]), 60.0) == 630.0
    )
