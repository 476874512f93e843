"""Channels are made, joined, described and put away within the fence, and doing it again does no harm."""

from typing import Any

import pytest

from integration.slack.talking import bench_of, call, client_of, named, refusal
from integration.slack.writing import Person, fenced, writes
from standins.slack.state import FakeSlack

pytestmark = pytest.mark.anyio


def user(fake: FakeSlack, name: str) -> str:
    return fake.team.known_user(name).id


async def manage(fake: FakeSlack, action: str, label: str = "bot", /, **arguments: Any) -> dict[str, Any]:
    async with client_of(fake, label) as client:
        _, made = await call(client, "manage_channel", action=action, **arguments)
    return made


async def test_a_channel_is_made_and_can_be_used_at_once(fake: FakeSlack) -> None:
    async with client_of(fake) as client:
        _, made = await call(client, "manage_channel", action="create", channel="#launch")
        await call(client, "send_message", channel="#launch", text="x")
        _, hidden = await call(client, "manage_channel", action="create", channel="board", private=True)
    assert (made["channel"], made["summary"]) == (named(fake, "launch").id, "Created #launch.")
    assert named(fake, "board").kind == "private"
    assert hidden["channel"] == named(fake, "board").id
    assert named(fake, "launch").texts() == ["x"]


@pytest.mark.parametrize("fault", ["cut", "done-cut", "done-500"])
async def test_a_channel_whose_answer_was_lost_is_made_once(fake: FakeSlack, fault: str) -> None:
    wanted = {"action": "create", "channel": "launch", "idempotency_key": "k"}
    fake.fault("conversations.create", fault)
    async with client_of(fake) as client:
        await refusal(client, "read_channel", channel="launch")  # it is known by now that there is none
        if fault == "cut":
            _, error = await refusal(client, "manage_channel", **wanted)
            assert error["code"] == "outcome_unknown"
        first = await call(client, "manage_channel", **wanted)
        assert await call(client, "manage_channel", **wanted) == first
    assert first[1]["channel"] == named(fake, "launch").id


async def test_a_name_that_others_have_is_taken(fake: FakeSlack) -> None:
    async with client_of(fake) as client:
        said, _ = await refusal(client, "manage_channel", action="create", channel="random")
    assert said == "Slack refuses this: name_taken. There is a channel of that name."


@pytest.mark.parametrize(
    ("patterns", "admitted"),
    [
        (["#launch"], ["launch public", "launch private"]),
        (["private:launch"], ["launch private"]),
        (["#la*"], ["launch public"]),
        (["*"], ["launch public"]),
    ],
)
async def test_only_what_could_be_used_then_is_made(
    fake: FakeSlack, patterns: list[str], admitted: list[str]
) -> None:
    made: list[str] = []
    async with client_of(fake, policy=fenced(*patterns)) as client:
        for private in (False, True):
            wanted = {"action": "create", "channel": "launch", "private": private, "dry_run": True}
            result = await client.call_tool("manage_channel", wanted)
            made += [] if result.is_error else [f"launch {'private' if private else 'public'}"]
    assert made == admitted
    assert writes(fake) == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"action": "create"},
        {"action": "join"},
        {"action": "invite", "channel": "general"},
        {"action": "topic", "channel": "general"},
        {"action": "open_dm", "channel": "general", "people": ["bo"]},
        {"action": "archive", "channel": "general", "text": "x"},
        {"action": "join", "channel": "random", "private": True},
    ],
)
async def test_arguments_that_do_not_go_together_are_refused(
    fake: FakeSlack, arguments: dict[str, Any]
) -> None:
    async with client_of(fake) as client:
        said, _ = await refusal(client, "manage_channel", **arguments)
    assert said.startswith("create takes `channel` (its name) and `private`;")


async def test_a_channel_is_joined_and_then_written_in(fake: FakeSlack) -> None:
    async with client_of(fake) as client:
        await refusal(client, "send_message", channel="random", text="x")
        await call(client, "manage_channel", action="join", channel="random")
        await call(client, "manage_channel", action="join", channel="random")
        await call(client, "send_message", channel="random", text="x")
    assert user(fake, "ringmain") in named(fake, "random").members


async def test_people_are_invited_by_handle_id_or_address(fake: FakeSlack) -> None:
    ops = named(fake, "ops")
    people = ["@cleo", user(fake, "ada"), "bo@example.com"]
    person = Person()
    async with client_of(fake, elicitation_callback=person) as client:
        _, made = await call(client, "manage_channel", action="invite", channel="ops", people=people)
        await call(client, "manage_channel", action="invite", channel="ops", people=["cleo"])
        await call(client, "manage_channel", action="invite", channel="general", people=["cleo"])
    assert person.asked == [
        f"Invite @cleo, {people[1]}, bo@example.com to #ops? They can then read all of it.",
        "Invite cleo to #ops? They can then read all of it.",
    ]
    assert ops.members == [user(fake, name) for name in ("ada", "bo", "ringmain", "cleo")]
    assert made["summary"] == "In #ops: @cleo, @ada, @bo."
    assert made["warnings"] == []
    async with client_of(fake) as client:
        said, _ = await refusal(client, "manage_channel", action="invite", channel="ops", people=["nobody"])
        assert "There is nobody called `nobody`" in said
        said, _ = await refusal(client, "manage_channel", action="invite", channel="old", people=["bo"])
        assert said == "#old is archived: nothing can be written there."


async def test_topic_and_purpose_are_set_after_asking_where_more_people_would_see_them(
    fake: FakeSlack,
) -> None:
    person = Person(says=False)
    async with client_of(fake, elicitation_callback=person) as client:
        await call(client, "manage_channel", action="topic", channel="general", text="Cold & warm")
        await call(client, "manage_channel", action="purpose", channel="ops", text="Running")
        await call(client, "read_channel", channel="ops")
        await refusal(client, "manage_channel", action="topic", channel="general", text="The cache is cold")
        said, _ = await refusal(client, "manage_channel", action="topic", channel="general", text="x" * 251)
    assert (named(fake, "general").topic, named(fake, "ops").purpose) == ("Cold & warm", "Running")
    assert person.asked[0].startswith("Change the topic of #general? More people will see it")
    assert said == "A topic has at most 250 characters; this has 251."


async def test_a_person_confirms_that_a_channel_is_archived(fake: FakeSlack) -> None:
    wanted = {"action": "archive", "channel": "ops"}
    async with client_of(fake, elicitation_callback=Person(says=False)) as client:
        await call(client, "manage_channel", **wanted, dry_run=True)
        _, error = await refusal(client, "manage_channel", **wanted)
        assert (error["code"], named(fake, "ops").archived) == ("declined", False)
    person = Person()
    async with client_of(fake, elicitation_callback=person) as client:
        for _ in range(2):
            await call(client, "manage_channel", **wanted)
            assert named(fake, "ops").archived
    assert person.asked == ["Archive #ops? Nobody can write there until it is unarchived."] * 2


async def test_a_channel_is_opened_again(fake: FakeSlack) -> None:
    for _ in range(2):
        await manage(fake, "unarchive", channel="old")
        assert not named(fake, "old").archived


async def test_direct_messages_are_opened_with_one_or_several(fake: FakeSlack) -> None:
    one = await manage(fake, "open_dm", people=["@cleo"])
    assert one["channel"] == fake.team.dm("ringmain", "cleo").id
    several = await manage(fake, "open_dm", people=["ada", "bo"])
    assert several["channel"] == fake.team.dm("ringmain", "ada", "bo").id
    assert (await manage(fake, "open_dm", people=["bo"], dry_run=True))["requests"] == [
        {"conversations.open": {"users": [user(fake, "bo")]}}
    ]


async def test_nothing_is_managed_outside_the_fence(fake: FakeSlack) -> None:
    async with client_of(fake, policy=fenced("#general", "dm:cleo")) as client:
        await call(client, "manage_channel", action="open_dm", people=["cleo"])
        for arguments in (
            {"action": "open_dm", "people": ["bo"]},
            {"action": "open_dm", "people": ["bo", "cleo"]},
            {"action": "create", "channel": "launch"},
            {"action": "join", "channel": named(fake, "random").id},
            {"action": "archive", "channel": "ops"},
            {"action": "topic", "channel": "#ops", "text": "x"},
        ):
            _, error = await refusal(client, "manage_channel", **arguments)
            assert error["code"] == "outside_fence"
    assert writes(fake) == ["conversations.open"]


@pytest.mark.parametrize("fault", ["cut", "done-cut", "ratelimited"])
async def test_what_sets_a_state_is_sent_again(fake: FakeSlack, fault: str) -> None:
    fake.fault("conversations.setTopic", fault, seconds=1)
    await manage(fake, "topic", channel="general", text="Warm", idempotency_key="k")
    assert named(fake, "general").topic == "Warm"


async def test_texts_do_not_reach_the_audit(fake: FakeSlack) -> None:
    async with bench_of(fake) as at:
        await call(at.client, "manage_channel", action="topic", channel="general", text="a private word")
    assert "a private word" not in str(at.audit.records)


async def test_nobody_is_let_into_a_private_channel_without_a_person(fake: FakeSlack) -> None:
    async with client_of(fake, elicitation_callback=Person(says=False)) as client:
        wanted = {"action": "invite", "channel": "ops", "people": ["cleo"]}
        _, error = await refusal(client, "manage_channel", **wanted)
    assert error["code"] == "declined"
    assert writes(fake) == []


async def test_after_reading_something_private_a_person_is_asked_before_a_public_channel_is_named(
    fake: FakeSlack,
) -> None:
    person = Person(says=False)
    async with client_of(fake, elicitation_callback=person) as client:
        await call(client, "read_channel", channel="ops")
        await refusal(client, "manage_channel", action="create", channel="the-cache-is-cold")
        await call(client, "manage_channel", action="create", channel="cache", private=True)
    assert [one.partition("?")[0] for one in person.asked] == ["Create #the-cache-is-cold"]
    assert fake.team.named_channel("the-cache-is-cold") is None
