"""What is read from Slack when it is measured: many messages, no page twice; and a workspace of a size."""

from collections.abc import Generator
from contextlib import contextmanager

from standins.slack.serve import serving
from standins.slack.state import FakeSlack

CHANNELS, MESSAGES, PAGE = 20, 400, 20
USERS, HALLS, JOINED = 200_000, 20_000, 50
_BEGIN = 1_700_000_000
_TEXT = "Build <https://ci.example.com/{0}|#{0}> of <@{1}> is *green*; the cache was cold, `make` helps. "


@contextmanager
def slack_with_messages() -> Generator[tuple[FakeSlack, str, list[str]]]:
    """The stand-in with some channels: itself, a bot's token, and the channels' ids."""
    fake = FakeSlack()
    fake.user("ringmain", "Ringmain", bot=True)
    people = [fake.user(f"p{number}", f"Person {number}") for number in range(10)]
    channels = [
        fake.channel(f"c{number}", members=["ringmain", *(one.name for one in people)])
        for number in range(CHANNELS)
    ]
    for channel in channels:
        for number in range(MESSAGES):
            author = people[number % len(people)]
            text = _TEXT.format(number, people[(number + 1) % len(people)].id) * 2
            channel.post(text, author.name, ts=f"{_BEGIN + number}.000100")
    token = fake.token("bot", "xoxb", user="ringmain")
    with serving(fake):
        yield fake, token, [channel.id for channel in channels]
    _look_at(fake)


def page(number: int, channels: list[str]) -> tuple[str, str, int]:
    """The channel of a call, the time before which it reads, and the number of the newest message then."""
    newest = PAGE + number // len(channels) % (MESSAGES - PAGE)
    return channels[number % len(channels)], f"{_BEGIN + newest}.000101", newest


@contextmanager
def slack_with_a_crowd() -> Generator[tuple[FakeSlack, str]]:
    """A large workspace, of whose channels the bot is in a few: the stand-in and the bot's token."""
    fake = FakeSlack()
    fake.user("ringmain", "Ringmain", bot=True)
    fake.channel("general", members=["ringmain"]).post("Good morning", "ringmain")
    fake.crowd(users=USERS, channels=HALLS, joined=JOINED)
    token = fake.token("bot", "xoxb", user="ringmain")
    with serving(fake):
        yield fake, token
    _look_at(fake)


def _look_at(fake: FakeSlack) -> None:
    if fake.violations:
        raise RuntimeError(f"Slack's documentation does not allow this: {fake.violations[:3]}")
