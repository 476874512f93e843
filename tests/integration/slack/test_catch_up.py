"""What came while one was away: for oneself first, within the fence, in pieces where it is much."""

from typing import Any

import pytest
from mcp.client import Client

from integration.slack.talking import call, client_of, named, refusal, settings_for
from ringmain_slack import joined
from ringmain_slack.tools import catching_up
from standins.slack.state import FakeSlack

pytestmark = pytest.mark.anyio

PUBLIC_ONLY = """
[roles.reader]
allow = ["slack:read"]
fence = { "slack.channel" = ["#*"] }

[[agents]]
id = "local"
roles = ["reader"]
"""


def brief(answer: dict[str, Any]) -> list[list[str]]:
    return [[*row[:3], row[6]] for row in answer["rows"]]


def all_is_read(fake: FakeSlack) -> None:
    for channel in fake.team.channels.values():
        for user in channel.members:
            channel.last_read[user] = fake.next_ts()


async def every_page(client: Client, **arguments: Any) -> list[list[str]]:
    found: list[list[str]] = []
    more: dict[str, Any] = {}
    for _ in range(30):
        _, answer = await call(client, "catch_up", **arguments, **more)
        found += brief(answer)
        if "next_cursor" not in answer:
            return found
        more = {"cursor": answer["next_cursor"]}
    raise AssertionError("no end")


async def test_what_is_for_oneself_comes_first(fake: FakeSlack) -> None:
    all_is_read(fake)
    general, random, ops = named(fake, "general"), named(fake, "random"), named(fake, "ops")
    ada = fake.team.known_user("ada").id
    root = next(one for one in general.timeline() if "deploy" in one.text)
    random.post("One", "bo")
    for text in ("First", "Second", "Third", "Fourth"):
        ops.post(text, "bo")
    general.post(f"Look at this, <@{ada}>", "cleo")
    general.reply(root, "Later, please", "cleo")
    fake.dm("ada", "bo").post("Psst", "bo")
    general.post("My own", "ada")
    async with client_of(fake, "ada") as client:
        said, answer = await call(client, "catch_up")
    assert brief(answer) == [
        ["dm", "1", "@bo", "Psst"],
        ["mention", "1", "#general", "Look at this, @Ada Moss"],
        ["thread", "1", "#general", "Later, please"],
        ["channel", "4", "#ops", "Second"],
        ["channel", "4", "#ops", "Third"],
        ["channel", "4", "#ops", "Fourth"],
        ["channel", "1", "#random", "One"],
    ]
    assert "Looked at 6 of 6 conversations, since each was last read." in said


async def test_of_a_busy_conversation_the_newest_are_looked_at_and_that_is_said(fake: FakeSlack) -> None:
    all_is_read(fake)
    ops = named(fake, "ops")
    ada = fake.team.known_user("ada").id
    for number in range(104):
        ops.post(f"Alert {number}", "bo")
    ops.post(f"Look, <@{ada}>", "cleo")
    async with client_of(fake, "ada") as client:
        said, answer = await call(client, "catch_up")
    assert [row[:2] for row in brief(answer)] == [["mention", "1+"], *[["channel", "99+"]] * 3]
    assert "`+`: there is more than was looked at; `read_channel` and `read_thread` have it." in said


async def test_nothing_new_is_said(fake: FakeSlack) -> None:
    all_is_read(fake)
    async with client_of(fake, "ada") as client:
        said, answer = await call(client, "catch_up")
    assert answer["rows"] == []
    assert "Looked at 6 of 6 conversations" in said


async def test_a_bot_looks_back_a_day(fake: FakeSlack) -> None:
    async with client_of(fake) as client:
        _, answer = await call(client, "catch_up")
        assert {tuple(row) for row in brief(answer)} == {
            ("dm", "1", "@ada", "Hello bot"),
            ("channel", "1", "#general", "Notes are attached"),
            ("channel", "1", "#ops", "The cache is cold"),
        }
        _, answer = await call(client, "catch_up", since="2020-01-01")
        assert len(answer["rows"]) == 5


async def test_what_is_outside_the_fence_is_not_looked_at(fake: FakeSlack) -> None:
    async with client_of(fake, "ada", policy=PUBLIC_ONLY) as client:
        said, answer = await call(client, "catch_up", since="2020-01-01")
    assert {row[2] for row in brief(answer)} == {"#general", "#random"}
    assert "Looked at 2 of 2 conversations, since 2020-01-01 00:00." in said
    for hidden in ("ops", "secret"):
        channel = named(fake, hidden).id
        assert all(one.arguments.get("channel") != channel for one in fake.requests)


async def test_pages_lead_through_everything_once(fake: FakeSlack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catching_up, "_REQUESTS", 10)
    for number in range(15):
        fake.channel(f"room-{number}", members=["ada", "bo"]).post(f"In room {number}", "bo")
    settings = settings_for(fake, "ada", conversations="public")
    async with client_of(fake, settings=settings) as client:
        found = await every_page(client, since="2020-01-01", limit=2)
        assert sorted(row[3] for row in found if "room" in row[3]) == sorted(
            f"In room {number}" for number in range(15)
        )
        said, answer = await call(client, "catch_up", since="2020-01-01")
    assert "next_cursor" in answer
    assert "Looked at 5 of 17 conversations" in said


async def test_a_limit_in_the_middle_is_said(fake: FakeSlack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catching_up, "_AT_ONCE", 1)
    fake.fault("conversations.history", "ratelimited", seconds=30, skip=2)
    async with client_of(fake, "ada") as client:
        said, answer = await call(client, "catch_up")
        assert "Looked at 2 of 6 conversations" in said
        assert "Not all: Slack's limit for `conversations.history` is reached. Come back in 30 s" in said
        said, _ = await refusal(client, "catch_up", cursor=answer["next_cursor"])
        assert "Come back in" in said


async def test_what_cannot_be_read_is_named(fake: FakeSlack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joined, "HOLDS", 0.0)
    scopes = ["channels:read", "channels:history", "groups:read", "users:read"]
    fake.token("weak", user="ringmain", scopes=scopes)
    async with client_of(fake, "weak") as client:
        said, answer = await call(client, "catch_up")
    assert brief(answer) == [["channel", "1", "#general", "Notes are attached"]]
    assert "Not #ops: missing_scope." in said
