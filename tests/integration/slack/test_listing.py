"""Channels and people as rows, within the fence and honest about what was not looked at."""

import pytest

from integration.slack.talking import call, client_of, named, refusal, settings_for
from standins.slack.state import FakeSlack

pytestmark = pytest.mark.anyio

FENCED = """
[roles.reader]
allow = ["slack:read"]
fence = { "slack.channel" = ["#gen*", "private:ops"] }
[[agents]]
id = "local"
roles = ["reader"]
"""


async def test_own_channels_come_as_rows(fake: FakeSlack) -> None:
    async with client_of(fake) as client:
        said, answer = await call(client, "list_channels")
    assert {row[1] for row in answer["rows"]} == {"#general", "#ops", "@ada"}
    assert "#general | public | yes |  | Everything" in said  # Slack counts no members here


async def test_all_channels_are_listed_when_asked_for(fake: FakeSlack) -> None:
    async with client_of(fake) as client:
        _, answer = await call(client, "list_channels", mine=False, kinds=["public"])
        assert {row[1] for row in answer["rows"]} == {"#general", "#random"}
        _, answer = await call(client, "list_channels", mine=False, name="#ran")
        assert [row[1] for row in answer["rows"]] == ["#random"]


async def test_what_is_outside_the_fence_is_not_listed(fake: FakeSlack) -> None:
    async with client_of(fake, "ada", policy=FENCED) as client:
        _, answer = await call(client, "list_channels")
        assert {row[1] for row in answer["rows"]} == {"#general", "#ops"}
        said, _ = await refusal(client, "get_channel", channel="#generl")
    assert "Did you mean #general?" in said
    assert "secret" not in said


async def test_a_long_list_is_walked_by_its_cursor(fake: FakeSlack) -> None:
    fake.crowd(users=5, channels=2_500)
    names: set[str] = set()
    cursor: str | None = None
    async with client_of(fake) as client:
        while True:
            more = {"cursor": cursor} if cursor else {}
            _, answer = await call(
                client, "list_channels", mine=False, kinds=["public"], name="hall-", limit=200, **more
            )
            page = {row[1] for row in answer["rows"]}
            assert not page & names
            names |= page
            cursor = answer.get("next_cursor")
            if cursor is None:
                break
    assert len(names) == 2_500
    assert len(fake.asked("conversations.list")) < 40


async def test_a_limit_in_the_middle_of_a_list_is_said(fake: FakeSlack) -> None:
    fake.crowd(users=5, channels=5_000)
    fake.fault("conversations.list", "ratelimited", seconds=50, cursor=True)
    async with client_of(fake) as client:
        said, answer = await call(client, "list_channels", mine=False, name="general", kinds=["public"])
    assert [row[1] for row in answer["rows"]] == ["#general"]
    assert "The list is not complete: Slack's limit for `conversations.list` is reached." in said
    assert answer["next_cursor"]


async def test_people_are_found_by_part_of_a_name_id_and_address(fake: FakeSlack) -> None:
    ada = fake.team.known_user("ada")
    async with client_of(fake) as client:
        for query in ("moss", "@ada", ada.id, ada.email):
            said, answer = await call(client, "find_users", query=query)
            assert [row[0] for row in answer["rows"]] == [ada.id], query
        assert "Engineer" in said
        _, answer = await call(client, "find_users", query="dev")
        assert answer["rows"][0][4] == "deactivated"


async def test_a_search_for_people_says_how_far_it_came(fake: FakeSlack) -> None:
    fake.crowd(users=12_000)
    fake.fault("users.list", "ratelimited", seconds=50, skip=3)
    async with client_of(fake) as client:
        said, answer = await call(client, "find_users", query="no such name")
        assert answer["rows"] == []
        assert "3,000 people were looked through, not all of them" in said
        assert "Come back in 50 s" in said
        assert answer["next_cursor"]


async def test_a_channel_is_shown_with_its_parts(fake: FakeSlack) -> None:
    async with client_of(fake) as client:
        said, answer = await call(
            client, "get_channel", channel="general", include=["members", "pins", "bookmarks"]
        )
    assert answer["facts"]["topic"] == "Everything"
    assert answer["facts"]["canvas"] == named(fake, "general").canvas
    assert "@ada, Ada Moss" in answer["parts"]["members"]
    assert "Shall we deploy today? @Bo Reyes" in answer["parts"]["pins"]
    assert "Wiki: https://wiki.example.com/" in said


async def test_many_members_are_walked_by_the_cursor(fake: FakeSlack) -> None:
    general = named(fake, "general")
    for number in range(900):
        general.join(fake.user(f"person{number}", f"Person {number}").id)
    seen = ""
    cursor: str | None = None
    async with client_of(fake) as client:
        while True:
            more = {"cursor": cursor} if cursor else {}
            _, answer = await call(client, "get_channel", channel="general", include=["members"], **more)
            seen += answer["parts"].get("members", "") + "\n"
            cursor = answer.get("next_cursor")
            if cursor is None:
                break
    assert len(set(seen.split("\n")) - {""}) == 904


async def test_somebody_whom_slack_does_not_give_hides_nothing(fake: FakeSlack) -> None:
    ghost = fake.user("ghost", "Ghost")
    talk = fake.dm("ghost", "ringmain")
    talk.post("Boo", "ghost")
    del fake.team.users[ghost.id]
    async with client_of(fake) as client:
        _, answer = await call(client, "list_channels")
        said, _ = await call(client, "read_channel", channel=talk.id)
    assert {row[1] for row in answer["rows"]} == {"#general", "#ops", "@ada", f"@{ghost.id}"}
    assert "Boo" in said


async def test_a_limit_while_somebody_is_named_ends_the_list_and_it_goes_on_from_there(
    fake: FakeSlack,
) -> None:
    fake.fault("users.info", "error", error="fatal_error", times=3)
    async with client_of(fake) as client:
        _, answer = await call(client, "list_channels")
        assert {row[1] for row in answer["rows"]} == {"#general", "#ops"}
        assert answer["note"].startswith("The list is not complete: ")
        _, answer = await call(client, "list_channels", cursor=answer["next_cursor"])
    assert [row[1] for row in answer["rows"]] == ["@ada"]


async def test_topics_of_private_channels_are_not_in_the_list(fake: FakeSlack) -> None:
    named(fake, "ops").topic = "Layoffs"
    async with client_of(fake) as client:
        _, answer = await call(client, "list_channels")
    assert {row[1]: row[5] for row in answer["rows"]} == {"#general": "Everything", "#ops": "", "@ada": ""}


async def test_kinds_that_may_not_be_used_are_said(fake: FakeSlack) -> None:
    async with client_of(fake, settings=settings_for(fake, conversations="public")) as client:
        said, _ = await call(client, "list_channels", kinds=["private"])
    assert said.endswith("0 rows.\nYou may use none of these kinds, but public.")
