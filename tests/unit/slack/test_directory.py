"""What is known of channels is told only as long as it holds."""

from ringmain_slack.conversations import Conversation
from ringmain_slack.directory import Directory


def test_a_channel_is_proposed_only_as_it_was_within_the_last_minute() -> None:
    now = [0.0]
    directory = Directory(lambda: now[0])
    directory.saw(Conversation("C000000001", "public", "layoffs-plan"))
    assert directory.like("layoff-plan", lambda _: True) == ["layoffs-plan"]
    assert [one.name for one in directory.known_channels()] == ["layoffs-plan"]
    now[0] = 61.0
    assert directory.like("layoff-plan", lambda _: True) == []
    assert directory.known_channels() == []
