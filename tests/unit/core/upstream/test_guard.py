import math
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import Any

import anyio
import pytest

from ringmain_core.call import current_call
from ringmain_core.errors import (
    DeadlineExceeded,
    NotFound,
    OutcomeUnknown,
    RingmainError,
    UpstreamRefused,
    UpstreamUnavailable,
)
from ringmain_core.policy import Access
from ringmain_core.upstream.breaker import Breaker, Tripping
from ringmain_core.upstream.bulkhead import Bulkhead
from ringmain_core.upstream.guard import Guard
from ringmain_core.upstream.trouble import Kind, Trouble
from unit.core.upstream.parts import Clock, Heard, call_of

pytestmark = pytest.mark.anyio


class Vendor(Exception):
    """What the vendor's library raises."""

    def __init__(self, kind: Kind, retry_after: float | None = None, **more: Any) -> None:
        super().__init__("row 4711")
        self.trouble = Trouble(kind, retry_after, **more)


def classify(error: Exception) -> Trouble | None:
    return error.trouble if isinstance(error, Vendor) else None


class Rig:
    """A guard whose clock and chance a test controls."""

    def __init__(self, *, at_once: int = 4, patience: float = 5.0, in_a_row: int = 3) -> None:
        self.clock = Clock()
        self.heard = Heard()
        self.bulkhead = Bulkhead(at_once, patience)
        self.asked = 0
        self.answers = 0
        self.breaker = Breaker(
            Tripping(in_a_row=in_a_row),
            lambda state, _: self.heard.breaker("demo", state),
            clock=self.clock,
            random=lambda: 0.5,
        )
        self.guard = Guard(
            "demo:one",
            classify,
            self.breaker,
            self.bulkhead,
            signals=self.heard,
            on_answer=self.answered,
            clock=self.clock,
            random=lambda: 0.5,
            sleep=self.clock.sleep,
        )

    def answered(self) -> None:
        self.answers += 1

    def outcomes(self) -> list[str]:
        return [outcome for _, outcome in self.heard.upstreams]

    def failing(self, *errors: Exception) -> Callable[[], Awaitable[str]]:
        """An operation that fails like this, one after the other, and then succeeds."""
        left = list(errors)

        async def operation() -> str:
            self.asked += 1
            if left:
                raise left.pop(0)
            return "done"

        return operation

    async def call(
        self, *errors: Exception, access: Access = "read", idempotent: bool = False, seconds: float = 30.0
    ) -> str | tuple[str, dict[str, Any]]:
        """Make a call that has so many seconds; what came of it."""
        token = current_call.set(call_of(deadline=self.clock() + seconds))
        try:
            operation = self.failing(*errors)
            return await self.guard.call(operation, access=access, name="op", idempotent=idempotent)
        except RingmainError as error:
            return type(error).__name__, error.fields()
        finally:
            current_call.reset(token)


def gone(cause: str, wait: int = 2_000) -> tuple[str, dict[str, Any]]:
    fields = {"code": "upstream_unavailable", "retryable": True, "retry_after_ms": wait, "cause": cause}
    return "UpstreamUnavailable", fields


UNKNOWN = ("OutcomeUnknown", {"code": "outcome_unknown", "retryable": False})


@pytest.mark.parametrize("kind", ["transient", "down", "throttled"])
async def test_a_read_is_tried_again_after_growing_pauses(kind: Kind) -> None:
    rig = Rig()
    assert await rig.call(Vendor(kind), Vendor(kind)) == "done"
    assert rig.clock.slept == [0.05, 0.1]
    failed = "refused" if kind == "throttled" else "failed"
    assert (rig.outcomes(), rig.heard.retries) == ([failed, failed, "ok"], 2)


async def test_after_the_last_try_the_failure_is_in_our_words_and_quotes_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rig = Rig(in_a_row=9)
    assert await rig.call(*[Vendor("transient")] * 3) == gone("transient")
    assert rig.asked == 3
    assert caplog.messages == ["demo:one: op: transient (Vendor)"]
    with pytest.raises(UpstreamUnavailable) as caught:
        await rig.guard.call(rig.failing(*[Vendor("down")] * 3), access="read", name="op")
    assert caught.value.message == "`demo:one` cannot be reached now. Try again in a few seconds."


async def test_a_write_is_never_tried_again_unless_it_is_idempotent() -> None:
    expectations: list[tuple[Kind, object]] = [
        ("transient", UNKNOWN),
        ("down", gone("down")),
        ("throttled", gone("throttled")),
    ]
    for kind, expected in expectations:
        rig = Rig()
        assert await rig.call(Vendor(kind), access="write") == expected
        assert (rig.asked, rig.clock.slept) == (1, [])
        assert await rig.call(Vendor(kind), access="write", idempotent=True) == "done"
        assert rig.asked == 3


async def test_an_idempotent_write_whose_next_try_may_not_be_made_is_still_unknown() -> None:
    rig = Rig(in_a_row=1)
    assert await rig.call(Vendor("transient"), access="destructive", idempotent=True) == UNKNOWN
    assert (rig.asked, rig.outcomes()) == (1, ["failed", "rejected"])


async def test_an_idempotent_write_that_may_have_happened_stays_unknown_until_there_is_an_answer() -> None:
    rig = Rig(in_a_row=9)
    errors = [Vendor("transient"), Vendor("down"), Vendor("throttled")]
    assert await rig.call(*errors, access="write", idempotent=True) == UNKNOWN
    refused = await rig.call(Vendor("transient"), Vendor("refused"), access="write", idempotent=True)
    assert refused == ("UpstreamRefused", {"code": "upstream_refused", "retryable": False})
    assert await rig.call(*errors) == gone("throttled")


async def test_refusals_are_answers_and_not_tried_again() -> None:
    rig = Rig(in_a_row=1)
    said = Vendor("refused", message="No such column.", detail={"column": "colour"})
    assert await rig.call(said) == (
        "UpstreamRefused",
        {"code": "upstream_refused", "retryable": False, "column": "colour"},
    )
    assert await rig.call(Vendor("auth")) == (
        "UpstreamRefused",
        {"code": "upstream_refused", "retryable": False, "cause": "auth"},
    )
    with pytest.raises(NotFound):  # a connector's own words pass as they are
        await rig.guard.call(rig.failing(NotFound("No such thing.")), access="read", name="op")
    with pytest.raises(UpstreamRefused, match=r"No such column\."):
        await rig.guard.call(rig.failing(said), access="write", name="op")
    assert (rig.breaker.state, rig.asked, rig.outcomes()) == ("closed", 4, ["refused"] * 4)


async def test_a_defect_passes_as_it_is_and_says_nothing_of_the_system() -> None:
    rig = Rig(in_a_row=1)
    with pytest.raises(LookupError, match="ours"):
        await rig.guard.call(rig.failing(LookupError("ours")), access="read", name="op")
    assert (rig.breaker.state, rig.bulkhead.taken, rig.asked) == ("closed", 0, 1)


async def test_the_system_is_waited_for_as_it_asks_within_the_time_of_the_call() -> None:
    rig = Rig()
    assert await rig.call(Vendor("throttled", 7.0), seconds=8) == "done"
    assert rig.clock.slept == [7.05]
    assert await rig.call(Vendor("throttled", 7.0), seconds=7) == gone("throttled", 7_000)
    assert rig.clock.slept == [7.05]
    assert await rig.call(Vendor("down"), seconds=0.04) == gone("down")
    assert rig.asked == 4


async def test_an_open_breaker_answers_at_once_and_the_first_answer_closes_it() -> None:
    rig = Rig()
    assert await rig.call(*[Vendor("down")] * 3) == gone("down")
    assert await rig.call() == gone("breaker", 5_000)
    rig.clock.now += 5
    assert await rig.call() == "done"
    assert (rig.asked, rig.answers) == (4, 1)
    assert rig.heard.breakers == ["open", "half_open", "closed"]
    assert rig.outcomes() == ["failed"] * 3 + ["rejected", "ok"]


async def test_throttling_does_not_open_the_breaker() -> None:
    rig = Rig(in_a_row=1)
    for _ in range(3):
        assert await rig.call(*[Vendor("throttled")] * 3) == gone("throttled")
    assert rig.heard.breakers == []


async def test_failures_that_a_connector_words_itself_count_as_well() -> None:
    rig = Rig(in_a_row=2)
    for _ in range(2):
        with pytest.raises(UpstreamUnavailable):
            await rig.guard.call(rig.failing(UpstreamUnavailable("Gone.")), access="read", name="op")
    assert rig.breaker.state == "open"


async def test_so_many_at_once_a_few_wait_and_the_rest_is_refused() -> None:
    rig = Rig(at_once=2)
    go_on = anyio.Event()
    ended: list[str] = []

    async def one() -> None:
        async def operation() -> str:
            await go_on.wait()
            return "done"

        try:
            ended.append(await rig.guard.call(operation, access="write", name="op"))
        except UpstreamUnavailable as error:
            ended.append(error.detail["cause"])

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            for _ in range(2 + 8 + 3):
                tasks.start_soon(one)
            await anyio.wait_all_tasks_blocked()
            assert (ended, rig.bulkhead.taken) == (["busy"] * 3, 2)
            go_on.set()
    assert ended == ["busy"] * 3 + ["done"] * 10
    assert rig.bulkhead.taken == 0


async def test_nobody_waits_long_for_a_place() -> None:
    rig = Rig(at_once=1, patience=0.01)
    await rig.bulkhead.enter("somebody who hangs")
    assert await rig.call() == (
        "UpstreamUnavailable",
        {"code": "upstream_unavailable", "retryable": True, "retry_after_ms": 500, "cause": "busy"},
    )
    assert (rig.asked, rig.outcomes()) == (0, ["rejected"])


async def test_a_call_that_is_given_up_while_it_waits_or_tries_leaves_no_trace() -> None:
    rig = Rig(at_once=1, in_a_row=1)
    await rig.call(Vendor("down"), access="write")
    rig.clock.now += 5

    async def hang() -> None:
        await anyio.sleep_forever()

    for _ in range(3):  # each is the one probe of the half-open breaker
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(rig.guard.call, hang, access="read", name="op"))
            await anyio.wait_all_tasks_blocked()
            assert rig.bulkhead.taken == 1
            tasks.cancel_scope.cancel()
    assert (rig.breaker.state, rig.bulkhead.taken, rig.outcomes()) == ("half_open", 0, ["failed"])

    await rig.bulkhead.enter("somebody else")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(partial(rig.guard.call, hang, access="read", name="op"))
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    rig.bulkhead.leave("somebody else")
    assert await rig.call() == "done"


@pytest.mark.parametrize(
    ("access", "error", "said"),
    [
        ("read", DeadlineExceeded, "`demo:one` has not answered in time. Try again later, or ask for less."),
        (
            "write",
            OutcomeUnknown,
            (
                "`demo:one` has not answered in time, so whether this has happened is not known. Check "
                "before you try again."
            ),
        ),
    ],
)
async def test_outside_of_calls_there_is_a_time_as_well(
    access: Access, error: type[RingmainError], said: str
) -> None:
    rig = Rig(in_a_row=1)

    async def hang() -> None:
        rig.clock.now += 0.01
        await anyio.sleep_forever()

    with pytest.raises(error) as caught:
        await rig.guard.call(hang, access=access, name="op", timeout=0.01)
    assert caught.value.message == said
    assert (rig.outcomes(), rig.breaker.state) == (["timeout"], "closed")  # it had no fair chance


async def test_a_system_that_hangs_for_a_fair_time_counts_as_failed() -> None:
    rig = Rig(in_a_row=1)

    async def hang() -> None:
        rig.clock.now += 30
        await anyio.sleep_forever()

    call = call_of(deadline=rig.clock() + 30)
    token = current_call.set(call)
    with anyio.move_on_after(0.01):  # as `invoke` does it
        await rig.guard.call(hang, access="read", name="op")
    current_call.reset(token)
    assert (rig.outcomes(), rig.breaker.state) == (["timeout"], "open")


async def test_each_try_of_a_traced_call_has_a_span() -> None:
    rig = Rig()
    spans: list[tuple[str, str, int]] = []

    class Spans:
        @contextmanager
        def upstream(self, *what: Any) -> Generator[None]:
            yield
            spans.append(what)

    token = current_call.set(call_of(deadline=rig.clock() + 30, tracing=Spans()))
    await rig.guard.call(rig.failing(Vendor("down")), access="read", name="op")
    current_call.reset(token)
    assert spans == [("demo:one", "op", 2)]


async def test_what_outlives_its_call_has_a_time_of_its_own() -> None:
    rig = Rig()
    assert await rig.call(seconds=-math.inf) == "done"
