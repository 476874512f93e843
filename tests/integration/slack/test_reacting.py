"""Reactions are there or not, however often that is asked for; and reading is marked."""

from typing import Any

import pytest

from integration.slack.talking import call, client_of, named, refusal
from integration.slack.writing import fenced, writes
from standins.slack.models import Message
from standins.slack.state import FakeSlack

pytestmark = pytest.mark.anyio


@pytest.fixture
def wanted(fake: FakeSlack) -> dict[str, Any]:
    return {"channel": "general", "ts": message(fake).ts, "emoji": ":eyes:"}


def message(fake: FakeSlack) -> Message:
    return named(fake, "general").timeline()[0]


async def test_a_reaction_comes_and_goes(fake: FakeSlack, wanted: dict[str, Any]) -> None:
    me = fake.team.known_user("ringmain").id
    async with client_of(fake) as client:
        for _ in range(2):
            said, _ = await call(client, "react", **wanted)
            assert said.startswith(":eyes: is under a message in #general.")
            assert message(fake).reactions["eyes"] == [me]
        for _ in range(2):
            await call(client, "react", **wanted, remove=True)
            assert "eyes" not in message(fake).reactions


async def test_a_rehearsal_reacts_to_nothing(fake: FakeSlack, wanted: dict[str, Any]) -> None:
    async with client_of(fake) as client:
        _, shown = await call(client, "react", **wanted, dry_run=True)
        _, read = await call(client, "mark_read", channel="general", ts=message(fake).ts, dry_run=True)
    where = {"channel": named(fake, "general").id}
    assert shown["requests"] == [{"reactions.add": {**where, "timestamp": message(fake).ts, "name": "eyes"}}]
    assert read["requests"] == [{"conversations.mark": {**where, "ts": message(fake).ts}}]
    assert writes(fake) == []


@pytest.mark.parametrize("fault", ["cut", "done-cut", "done-500", "ratelimited"])
async def test_a_reaction_whose_answer_was_lost_is_sent_again(
    fake: FakeSlack, wanted: dict[str, Any], fault: str
) -> None:
    fake.fault("reactions.add", fault, seconds=1)
    async with client_of(fake) as client:
        await call(client, "react", **wanted, idempotency_key="k")
        await call(client, "react", **wanted, idempotency_key="k")
    assert len(message(fake).reactions["eyes"]) == 1
    assert len(writes(fake)) == 2


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        ({"emoji": "no such thing"}, "Give the emoji's name without colons"),
        ({"ts": "1700000000.000100"}, "There is no such message"),
        ({"channel": "old"}, "#old is archived"),
        ({"channel": "random"}, "You are not in #random"),
        ({"channel": "secret"}, "is not there, or not among those that you may use"),
    ],
)
async def test_what_is_refused_says_why(
    fake: FakeSlack, wanted: dict[str, Any], arguments: dict[str, Any], advice: str
) -> None:
    async with client_of(fake) as client:
        said, _ = await refusal(client, "react", **{**wanted, **arguments})
    assert advice in said


async def test_nothing_is_marked_outside_the_fence(fake: FakeSlack, wanted: dict[str, Any]) -> None:
    async with client_of(fake, policy=fenced("#random")) as client:
        for tool, arguments in (("react", wanted), ("mark_read", {"channel": "general", "ts": wanted["ts"]})):
            _, error = await refusal(client, tool, **arguments)
            assert error["code"] == "outside_fence"
    assert writes(fake) == []


async def test_a_channel_is_read_up_to_a_message(fake: FakeSlack) -> None:
    general = named(fake, "general")
    link = f"https://acme.slack.com/archives/{general.id}/p{message(fake).ts.replace('.', '')}"
    async with client_of(fake) as client:
        said, _ = await call(client, "mark_read", ts=link)
    assert "#general is read up to" in said
    assert general.last_read == {fake.team.known_user("ringmain").id: message(fake).ts}


async def test_a_missing_scope_is_named(fake: FakeSlack, wanted: dict[str, Any]) -> None:
    fake.token("weak", user="ringmain", scopes=["channels:read", "groups:read"])
    async with client_of(fake, "weak") as client:
        said, _ = await refusal(client, "react", **wanted)
    assert "The token lacks the scope reactions:write" in said
