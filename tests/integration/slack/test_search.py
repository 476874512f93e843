"""Search finds what the caller may see, by whichever way the token has, and says how far it looked."""

from typing import Any

import pytest
from mcp.client import Client

from integration.slack.talking import call, client_of, named, refusal, settings_for
from integration.slack.writing import fenced
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


def texts(answer: dict[str, Any]) -> list[str]:
    return [row[4] for row in answer["rows"]]


async def every_page(client: Client, **arguments: Any) -> list[str]:
    found: list[str] = []
    more: dict[str, Any] = {}
    for _ in range(50):
        _, answer = await call(client, "search", **arguments, **more)
        found += texts(answer)
        if "next_cursor" not in answer:
            return found
        more = {"cursor": answer["next_cursor"]}
    raise AssertionError("no end")


def public_search(fake: FakeSlack) -> None:
    scopes = ["search:read.public", "channels:read", "channels:history", "users:read"]
    fake.token("new", "xoxp", user="ada", scopes=scopes)


@pytest.mark.parametrize(("label", "way"), [("ada", "search.messages"), ("new", "assistant.search.context")])
async def test_a_persons_token_searches_as_slack_does(fake: FakeSlack, label: str, way: str) -> None:
    public_search(fake)
    async with client_of(fake, label) as client:
        said, answer = await call(client, "search", query="deploy today")
    (row,) = answer["rows"]
    general = named(fake, "general")
    asked = next(one for one in general.timeline() if "deploy" in one.text)
    link = f"https://acme.slack.com/archives/{general.id}/p{asked.ts.replace('.', '')}"
    assert row[:2] + row[3:] == ["#general", asked.ts, "Ada Moss", "Shall we deploy today? @Bo Reyes", link]
    assert f"Found by Slack's `{way}`." in said
    assert len(fake.asked(way)) == 1


async def test_a_bots_token_searches_what_it_has_read(fake: FakeSlack) -> None:
    async with client_of(fake) as client:
        said, answer = await call(client, "search", query="five")
        assert "Looked through 8 messages of 4 conversations, back to their beginning." in said
    (row,) = answer["rows"]
    general = named(fake, "general")
    root = next(one for one in general.timeline() if "deploy" in one.text)
    assert row[4] == "Yes, at five"
    assert row[5].endswith(f"?thread_ts={root.ts}&cid={general.id}")
    assert fake.asked("search.*") == []


@pytest.mark.parametrize("label", ["ada", "new", "bot"])
async def test_places_people_and_times_narrow_it_down(fake: FakeSlack, label: str) -> None:
    public_search(fake)
    general, random = named(fake, "general"), named(fake, "random")
    random.join("ringmain")
    general.post("cake by ada", "ada", ago=50_000)
    general.post("cake by bo", "bo", ago=40_000)
    late = random.post("cake by bo elsewhere", "bo", ago=30_000)
    async with client_of(fake, label) as client:
        assert set(await every_page(client, query="cake", in_channels=["#general"])) == {
            "cake by ada",
            "cake by bo",
        }
        assert set(await every_page(client, query="cake", from_users=["@bo"], limit=1)) == {
            "cake by bo",
            "cake by bo elsewhere",
        }
        assert await every_page(client, query="cake", since=late.ts) == ["cake by bo elsewhere"]
        assert await every_page(client, query="cake", from_users=["me"], until=late.ts) == (
            [] if label == "bot" else ["cake by ada"]
        )
        both = await every_page(
            client, query="cake", in_channels=["general", "random"], from_users=["ada", "bo"]
        )
        assert set(both) == {"cake by ada", "cake by bo", "cake by bo elsewhere"}


@pytest.mark.parametrize("label", ["ada", "new", "bot"])
async def test_pages_lead_to_the_end(fake: FakeSlack, label: str) -> None:
    public_search(fake)
    general = named(fake, "general")
    for number in range(110):
        general.post(f"count {number}", "ada", ago=60_000 - number)
    async with client_of(fake, label) as client:
        found = await every_page(client, query="count", limit=30)
    assert sorted(found) == sorted(f"count {number}" for number in range(110))


@pytest.mark.parametrize("label", ["ada", "bot"])
async def test_what_is_outside_the_fence_is_never_found(fake: FakeSlack, label: str) -> None:
    async with client_of(fake, label, policy=PUBLIC_ONLY) as client:
        for query in ("cache", "Nobody may know", "Between us", "in:#ops cache", "in:@bo between"):
            _, answer = await call(client, "search", query=query)
            assert answer["rows"] == []
            assert "total" not in answer
        await refusal(client, "search", query="cache", in_channels=["#ops"])
    async with client_of(fake, label) as client:
        _, answer = await call(client, "search", query="cache")
        assert texts(answer) == ["The cache is cold"]


async def test_a_search_that_is_not_enabled_falls_back_to_the_index(fake: FakeSlack) -> None:
    fake.search_enabled = False
    public_search(fake)
    async with client_of(fake, "new", settings=settings_for(fake, "new", conversations="public")) as client:
        said, answer = await call(client, "search", query="lunch")
    assert texts(answer) == ["Lunch?"]
    assert "Slack's own search is not enabled for this workspace. Looked through" in said


async def test_a_limit_in_the_middle_keeps_what_was_found(fake: FakeSlack) -> None:
    general = named(fake, "general")
    for number in range(150):
        general.post(f"count {number}", "ada", ago=60_000 - number)
    fake.fault("search.messages", "ratelimited", seconds=40, skip=1)
    async with client_of(fake, "ada") as client:
        said, answer = await call(client, "search", query="count", limit=100)
        assert len(answer["rows"]) == 100
        assert (
            "Not all was looked at: Slack's limit for `search.messages` is reached. Come back in 40 s" in said
        )
        assert "next_cursor" in answer
        said, _ = await refusal(client, "search", query="count", cursor=answer["next_cursor"])
        assert "Come back in" in said


@pytest.mark.parametrize("label", ["ada", "bot"])
async def test_what_a_search_shows_is_not_told_to_more_people(fake: FakeSlack, label: str) -> None:
    async with client_of(fake, label) as client:
        await call(client, "search", query="good morning")
        await call(client, "send_message", channel="#general", text="Hello")
        await call(client, "search", query="cache")
        _, error = await refusal(client, "send_message", channel="#general", text="The cache is cold")
    assert error["code"] == "confirmation_needed"


async def test_hits_that_the_token_may_not_look_up_are_left_out(fake: FakeSlack) -> None:
    scopes = ["search:read", "channels:read", "channels:history", "users:read"]
    fake.token("narrow", "xoxp", user="ada", scopes=scopes)
    named(fake, "general").post("cache warmed", "bo")
    fake.dm("ada", "bo").post("cache secret", "bo")
    async with client_of(fake, settings=settings_for(fake, "narrow", conversations="public")) as client:
        _, answer = await call(client, "search", query="cache")
    assert texts(answer) == ["cache warmed"]


async def test_pages_are_counted_where_slack_gives_no_cursors(fake: FakeSlack) -> None:
    fake.search_cursors = False
    for number in range(250):
        named(fake, "general").post(f"count {number}", "bo", ago=60_000 - number)
    async with client_of(fake, "ada") as client:
        found = await every_page(client, query="count", limit=100)
    assert sorted(found) == sorted(f"count {number}" for number in range(250))


async def test_a_limit_while_people_are_named_is_said(fake: FakeSlack) -> None:
    fake.fault("users.info", "ratelimited", times=None, seconds=60)
    async with client_of(fake, policy=fenced("dm:ada", "#general")) as client:
        said, _ = await call(client, "search", query="hello")
        caught, _ = await call(client, "catch_up")
    assert "of 1 conversation, back to their beginning. Not those with 1 people, who cannot be named" in said
    assert "Looked at 1 of 1 conversations" in caught
    assert "Not those with 1 people, who cannot be named now: Slack's limit for `users.info`" in caught


async def test_where_nothing_is_fenced_nobody_need_be_named(fake: FakeSlack) -> None:
    fake.fault("users.info", "ratelimited", times=None, seconds=60)
    async with client_of(fake) as client:
        said, answer = await call(client, "search", query="hello")
    assert texts(answer) == ["Hello bot"]
    assert "cannot be named" not in said
