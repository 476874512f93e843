from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, cast

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringmain_core.call import Call
from ringmain_core.errors import RateLimited
from ringmain_core.gates.rate_limit import RateLimit
from ringmain_core.policy import Limits, Policy, PolicyFile
from ringmain_core.principal import Principal
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


def gate_of(clock: Clock, *, most_meters: int = 10_000, **limits: Limits) -> RateLimit:
    named = {name.replace("_", "."): value for name, value in limits.items() if name != "all"}
    policy = Policy(PolicyFile(limits={"*": limits["all"], **named}))
    return RateLimit(lambda: policy, clock=clock, most_meters=most_meters)


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
    gate = gate_of(clock, most_meters=1000, all=Limits(rate=1, burst=2))
    assert drive(gate, call_of("known")) is None
    refused = sum(drive(gate, call_of(f"stranger-{number}")) is not None for number in range(100_000))
    assert refused > 90_000  # beyond the thousand they share one meter
    assert len(gate._meters) <= 1000  # pyright: ignore[reportPrivateUsage]
    assert drive(gate, call_of("known")) is None
    clock.now += 10
    assert drive(gate, call_of("late")) is None
    assert len(gate._meters) <= 1000  # pyright: ignore[reportPrivateUsage]


def test_callers_with_calls_of_hours_do_not_keep_newcomers_from_a_meter_of_their_own() -> None:
    clock = Clock()
    gate = gate_of(clock, most_meters=100, all=Limits(rate=1, burst=1))
    long: list[Callable[[], None]] = []
    for number in range(70):
        block = running(gate, call_of(f"long-{number}"))
        block.__enter__()
        long.append(lambda block=block: cast("None", block.__exit__(None, None, None)))
    for number in range(30):
        drive(gate, call_of(f"short-{number}"))
    clock.now += 10
    answers = [drive(gate, call_of(f"new-{number}")) for number in range(3)]
    for end in long:
        end()
    assert answers == [None, None, None]
    assert drive(gate, call_of("new-3")) is None
