"""Only what is ours is edited and deleted, with its text shown before."""

from typing import Any

import pytest

from integration.slack.talking import bench_of, call, client_of, named, refusal
from integration.slack.writing import WAIVED, Person, fenced, writes
from standins.slack.models import Message
from standins.slack.state import FakeSlack

pytestmark = pytest.mark.anyio


@pytest.fixture
def own(fake: FakeSlack) -> Message:
    return named(fake, "general").post("Befroe", "ringmain")


def link_of(fake: FakeSlack, message: Message) -> str:
    return f"https://acme.slack.com/archives/{named(fake, 'general').id}/p{message.ts.replace('.', '')}"


async def test_an_own_message_is_edited_by_ts_or_link(fake: FakeSlack, own: Message) -> None:
    async with client_of(fake) as client:
        _, made = await call(client, "edit_message", channel="#general", ts=own.ts, text="**Before**")
        assert (own.text, made["url"]) == ("Before", link_of(fake, own))
        assert own.blocks[0]["elements"][0]["elements"] == [
            {"type": "text", "text": "Before", "style": {"bold": True}}
        ]
        await call(client, "edit_message", ts=link_of(fake, own), text="After <!channel>")
    assert own.text == "After &lt;!channel&gt;"
    assert own.edited is not None
    assert writes(fake) == ["chat.update", "chat.update"]


async def test_an_own_reply_is_edited(fake: FakeSlack) -> None:
    general = named(fake, "general")
    root = next(one for one in general.timeline() if "deploy" in one.text)
    reply = general.reply(root, "Befroe", "ringmain")
    async with client_of(fake) as client:
        _, made = await call(client, "edit_message", channel="general", ts=reply.ts, text="Before")
    assert reply.text == "Before"
    assert made["url"] == f"{link_of(fake, reply)}?thread_ts={root.ts}&cid={general.id}"


async def test_a_rehearsal_shows_the_text_before_and_after(fake: FakeSlack, own: Message) -> None:
    async with client_of(fake) as client:
        _, shown = await call(client, "edit_message", channel="general", ts=own.ts, text="@ada", dry_run=True)
        _, gone = await call(client, "delete_message", channel="general", ts=own.ts, dry_run=True)
    assert shown["preview"] == "Before:\nBefroe\n\nAfter:\n@ada"
    assert list(shown["requests"][0]) == ["chat.update"]
    channel = named(fake, "general").id
    assert gone["requests"] == [{"chat.delete": {"channel": channel, "ts": own.ts}}]
    assert gone["preview"] == "Befroe"
    assert writes(fake) == []


@pytest.mark.parametrize("tool", ["edit_message", "delete_message"])
async def test_what_others_wrote_stays(fake: FakeSlack, tool: str) -> None:
    theirs = named(fake, "general").timeline()[0]
    more = {"text": "x"} if tool == "edit_message" else {}
    async with client_of(fake, policy=WAIVED) as client:
        said, _ = await refusal(client, tool, channel="general", ts=theirs.ts, **more)
        assert said == f"The message {theirs.ts} is somebody else's: only your own can be changed."
        said, _ = await refusal(client, tool, channel="general", ts="1700000000.000100", **more)
        assert said == "#general has no message 1700000000.000100."
        said, _ = await refusal(client, tool, ts=theirs.ts, **more)
        assert "Name a conversation as `#general`" in said
    assert writes(fake) == []


async def test_nothing_is_edited_outside_the_fence(fake: FakeSlack, own: Message) -> None:
    async with client_of(fake, policy=fenced("#random")) as client:
        _, error = await refusal(client, "edit_message", ts=link_of(fake, own), text="x")
        assert error["code"] == "outside_fence"
        _, error = await refusal(client, "delete_message", ts=link_of(fake, own))
        assert error["code"] == "outside_fence"
    assert writes(fake) == []


async def test_an_edit_has_to_fit_one_message_in_an_open_channel(fake: FakeSlack, own: Message) -> None:
    async with client_of(fake) as client:
        said, _ = await refusal(client, "edit_message", channel="general", ts=own.ts, text="word " * 5_000)
        assert "An edited message has to fit one message" in said
        old = named(fake, "old").post("x", "ringmain")
        said, _ = await refusal(client, "edit_message", channel="old", ts=old.ts, text="y")
        assert said == "#old is archived: nothing can be written there."
    assert writes(fake) == []


@pytest.mark.parametrize("fault", ["cut", "done-cut", "done-500"])
async def test_an_edit_whose_answer_was_lost_is_sent_again(fake: FakeSlack, own: Message, fault: str) -> None:
    fake.fault("chat.update", fault)
    async with client_of(fake) as client:
        await call(client, "edit_message", channel="general", ts=own.ts, text="Before", idempotency_key="k")
    assert own.text == "Before"


async def test_after_reading_something_private_a_person_is_asked(fake: FakeSlack, own: Message) -> None:
    person = Person()
    async with client_of(fake, elicitation_callback=person) as client:
        await call(client, "read_channel", channel="ops")
        await call(client, "edit_message", channel="general", ts=own.ts, text="x")
    assert person.asked[0].startswith("Edit a message in #general? More people will see it")


async def test_a_person_confirms_what_is_deleted(fake: FakeSlack, own: Message) -> None:
    general, person = named(fake, "general"), Person()
    general.reply(own, "Why?", "ada")
    async with client_of(fake, elicitation_callback=person) as client:
        await call(client, "delete_message", channel="general", ts=own.ts)
    assert person.asked == [
        "Delete this message in #general for everybody? Its 1 replies stay. “Befroe”",
    ]
    assert general.messages[own.ts].extra["subtype"] == "tombstone"


async def test_nothing_is_deleted_where_nobody_says_yes(fake: FakeSlack, own: Message) -> None:
    async with client_of(fake, elicitation_callback=Person(says=False)) as client:
        _, error = await refusal(client, "delete_message", channel="general", ts=own.ts)
    assert error["code"] == "declined"
    assert writes(fake) == []


@pytest.mark.parametrize("replied", [False, True])
async def test_a_deletion_whose_answer_was_lost_is_looked_for(
    fake: FakeSlack, own: Message, replied: bool
) -> None:
    if replied:
        named(fake, "general").reply(own, "Why?", "ada")
    fake.fault("chat.delete", "done-cut")
    async with client_of(fake, policy=WAIVED) as client:
        _, made = await call(client, "delete_message", channel="general", ts=own.ts)
    assert made["summary"] == f"Deleted {own.ts} in #general."
    assert writes(fake) == ["chat.delete"]


async def test_a_deletion_that_did_not_happen_is_done_by_its_key(fake: FakeSlack, own: Message) -> None:
    wanted = {"channel": "general", "ts": own.ts, "idempotency_key": "k"}
    fake.fault("chat.delete", "cut")
    async with client_of(fake, policy=WAIVED) as client:
        _, error = await refusal(client, "delete_message", **wanted)
        assert error["code"] == "outcome_unknown"
        first = await call(client, "delete_message", **wanted)
        assert await call(client, "delete_message", **wanted) == first
    assert own.ts not in named(fake, "general").messages
    assert len(writes(fake)) == 2


async def test_a_scheduled_message_is_taken_back_by_its_id(fake: FakeSlack) -> None:
    person = Person()
    async with client_of(fake, elicitation_callback=person) as client:
        _, made = await call(client, "send_message", channel="general", text="Later", at=later(fake, hours=1))
        fake.fault("chat.deleteScheduledMessage", "done-cut")
        await call(client, "delete_message", channel="general", ts=made["id"])
        said, _ = await refusal(client, "delete_message", channel="general", ts=made["id"])
    assert person.asked[0] == "Take back the message that waits for #general? “Later”"
    assert said.startswith(f"No message {made['id']} waits for #general")
    assert fake.team.scheduled == {}


async def test_texts_do_not_reach_the_audit(fake: FakeSlack, own: Message) -> None:
    async with bench_of(fake) as at:
        await call(at.client, "edit_message", channel="general", ts=own.ts, text="a private word")
    assert "a private word" not in str(at.audit.records)


def later(fake: FakeSlack, **hours: Any) -> str:
    from datetime import UTC, datetime, timedelta

    return (datetime.fromtimestamp(fake.time(), UTC) + timedelta(**hours)).isoformat()


async def test_nothing_is_deleted_where_channel_and_link_disagree(fake: FakeSlack, own: Message) -> None:
    async with client_of(fake, policy=WAIVED) as client:
        said, _ = await refusal(client, "delete_message", channel="#ops", ts=link_of(fake, own))
    assert said == "That message is not in #ops: it is in #general."
    assert writes(fake) == []


async def test_what_stays_text_is_said_when_it_is_edited(fake: FakeSlack, own: Message) -> None:
    async with client_of(fake) as client:
        _, made = await call(client, "edit_message", channel="#general", ts=own.ts, text="@nobody")
    (warning,) = made["warnings"]
    assert warning.startswith("these stay text: @nobody (")
