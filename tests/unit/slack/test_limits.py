"""Slack's tiers, kept before Slack has to say no."""

from dataclasses import dataclass

from ringmain_slack.limits import Limits


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_is_let_in_and_then_the_rate_of_the_tier() -> None:
    clock = Clock()
    limits = Limits(clock=clock)
    assert [limits.take("a", "conversations.list") for _ in range(20)] == [0.0] * 20
    assert limits.take("a", "conversations.list") == 3.0
    clock.now += 3.0
    assert limits.take("a", "conversations.list") == 0.0
    assert limits.take("a", "conversations.list") > 0


def test_tokens_and_methods_do_not_share() -> None:
    limits = Limits(clock=Clock())
    while limits.take("a", "conversations.list") == 0:
        pass
    assert limits.take("b", "conversations.list") == 0
    assert limits.take("a", "conversations.info") == 0


def test_what_slack_says_counts_more() -> None:
    clock = Clock()
    limits = Limits(clock=clock)
    limits.close("a", "users.info", 30.0)
    assert limits.take("a", "users.info") == 30.0
    clock.now += 30.0
    assert limits.take("a", "users.info") == 0.0


def test_unknown_methods_are_in_the_second_tier() -> None:
    limits = Limits(clock=Clock())
    assert sum(limits.take("a", "new.method") == 0 for _ in range(50)) == 20
