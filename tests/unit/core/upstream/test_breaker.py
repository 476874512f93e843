import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ringmain_core.telemetry.signals import BreakerState
from ringmain_core.upstream.breaker import Breaker, BreakerOpen, Tripping
from unit.core.upstream.parts import Clock

TRIPPING = Tripping(in_a_row=3, share=0.5, least=8, window=30, pause=4, longest=20)


def breaker_of(clock: Clock) -> tuple[Breaker, list[tuple[BreakerState, bool]]]:
    changes: list[tuple[BreakerState, bool]] = []
    return Breaker(
        TRIPPING, lambda state, news: changes.append((state, news)), clock=clock, random=lambda: 0.5
    ), changes


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.failed(breaker.admit())


def refused_for(breaker: Breaker) -> float | None:
    """The wait that is asked for; `None` where a call may be made, which then is given up."""
    try:
        breaker.abandoned(breaker.admit())
    except BreakerOpen as refused:
        return refused.retry_after
    return None


def test_failures_in_a_row_open_it_and_a_success_between_them_does_not() -> None:
    breaker, changes = breaker_of(Clock())
    fail(breaker, 2)
    breaker.succeeded(breaker.admit())
    fail(breaker, 2)
    assert changes == []
    fail(breaker, 1)
    assert (changes, refused_for(breaker)) == ([("open", True)], 4.0)


def test_half_of_many_calls_failing_opens_it_and_old_ones_do_not_count() -> None:
    clock = Clock()
    breaker, changes = breaker_of(clock)
    for _ in range(3):
        breaker.succeeded(breaker.admit())
        fail(breaker, 1)
    clock.now += 31
    for _ in range(3):
        fail(breaker, 1)
        breaker.succeeded(breaker.admit())
    assert changes == []
    breaker.succeeded(breaker.admit())
    fail(breaker, 1)
    assert changes == [("open", True)]


def test_each_try_that_fails_doubles_the_pause_up_to_the_longest_and_is_no_news() -> None:
    clock = Clock()
    breaker, changes = breaker_of(clock)
    fail(breaker, 3)
    waits: list[float | None] = []
    for _ in range(4):
        waits.append(refused_for(breaker))
        clock.now += breaker.opens_in
        fail(breaker, 1)
    assert waits == [4.0, 8.0, 16.0, 20.0]
    assert changes == [("open", True), *[("half_open", False), ("open", False)] * 4]
    clock.now += 20
    breaker.succeeded(breaker.admit())
    assert changes[-1] == ("closed", True)
    fail(breaker, 3)
    assert refused_for(breaker) == 4.0


def test_what_replicas_say_is_followed_but_an_answer_of_our_own_weighs_more() -> None:
    clock = Clock()
    idle, _ = breaker_of(clock)
    idle.hear_open(1e9)
    assert refused_for(idle) == 20.0
    idle.hear_closed()
    assert (idle.state, refused_for(idle)) == ("half_open", None)

    busy, changes = breaker_of(clock)
    busy.succeeded(busy.admit())
    busy.hear_open(3.0)
    probe = busy.admit()
    assert refused_for(busy) == 1.0
    busy.succeeded(probe)
    assert changes == [("half_open", False), ("closed", True)]


class Machine(RuleBasedStateMachine):
    """The breaker against what its documentation says, with calls that end whenever they like."""

    @initialize()
    def start(self) -> None:
        self.clock = Clock()
        self.breaker, self.changes = breaker_of(self.clock)
        self.running: list[tuple[int, int]] = []  # ticket, and the number of changes when it was given
        self.in_a_row = 0
        self.outcomes: list[bool] = []
        self.began: float | None = None

    @rule(seconds=st.sampled_from([0.1, 1.0, 4.0, 20.0, 31.0]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule()
    def call(self) -> None:
        before, opens_in = self.breaker.state, self.breaker.opens_in
        probes = [entry for entry in self.running if entry[1] == len(self.changes)]
        if opens_in > 0 or (before == "half_open" and probes):
            with pytest.raises(BreakerOpen) as refused:
                self.breaker.admit()
            assert 0 < refused.value.retry_after <= 20
            return
        ticket = self.breaker.admit()
        assert self.breaker.state == ("closed" if before == "closed" else "half_open")
        self.running.append((ticket, len(self.changes)))

    @precondition(lambda self: self.running)
    @rule(data=st.data(), outcome=st.sampled_from(["succeeded", "failed", "abandoned"]))
    def end(self, data: st.DataObject, outcome: str) -> None:
        entry = data.draw(st.sampled_from(self.running))
        self.running.remove(entry)
        ticket, given_at = entry
        before, changes = self.breaker.state, len(self.changes)
        getattr(self.breaker, outcome)(ticket)
        after = self.breaker.state
        if given_at != changes:  # it says nothing about now
            assert after == before
            return
        if before == "half_open":
            assert after == {"succeeded": "closed", "failed": "open", "abandoned": "half_open"}[outcome]
            self.forget()
        elif before == "closed" and outcome != "abandoned":
            self.count(failed=outcome == "failed")
            assert after == ("open" if self.tripped(failed=outcome == "failed") else "closed")
            if after == "open":
                self.forget()

    @rule(seconds=st.floats(0.5, 100))
    def hear_open(self, seconds: float) -> None:
        before = self.breaker.state
        self.breaker.hear_open(seconds)
        if before == "closed":
            assert self.breaker.state in {"open", "half_open"}
            self.forget()
        else:
            assert self.breaker.state == before

    @rule()
    def hear_closed(self) -> None:
        before = self.breaker.state
        self.breaker.hear_closed()
        assert self.breaker.state == ("half_open" if before == "open" else before)

    @invariant()
    def it_never_keeps_away_for_longer_than_the_longest_pause(self) -> None:
        assert 0 <= self.breaker.opens_in <= 20

    @invariant()
    def only_the_beginning_and_the_end_of_an_outage_are_news(self) -> None:
        told = ["closed", *[state for state, _ in self.changes]]
        for before, (state, news) in zip(told, self.changes, strict=False):
            assert not news or (before, state) in {("closed", "open"), ("half_open", "closed")}

    def forget(self) -> None:
        self.in_a_row, self.outcomes, self.began = 0, [], self.clock.now

    def count(self, *, failed: bool) -> None:
        self.in_a_row = self.in_a_row + 1 if failed else 0
        began = 1_000.0 if self.began is None else self.began
        if failed and self.clock.now - began > TRIPPING.window:
            self.outcomes, self.began = [], self.clock.now
        self.outcomes.append(failed)

    def tripped(self, *, failed: bool) -> bool:
        share = sum(self.outcomes) / len(self.outcomes)
        many = len(self.outcomes) >= TRIPPING.least and share >= TRIPPING.share
        return failed and (self.in_a_row >= TRIPPING.in_a_row or many)


TestBreakerAsDocumented = Machine.TestCase
TestBreakerAsDocumented.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
