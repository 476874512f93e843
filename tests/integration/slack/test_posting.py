"""Messages are posted once, where they should be, and say whom they reach before they do."""

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from integration.slack.talking import (
    EVERYTHING,
    bench_of,
    call,
    client_of,
    named,
    refusal,
    settings_for,
    token_of,
)
from integration.slack.writing import WAIVED, Person, argument, fenced, writes
from ringmain_slack import drafts
from ringmain_slack.markdown import Node, parse
from ringmain_slack.settings import SlackSettings
from standins.slack.blocks import nodes
from standins.slack.channel import Channel
from standins.slack.models import Message
from standins.slack.state import FakeSlack

pytestmark = pytest.mark.anyio

HOSTILE = "Hi <!channel> <!here|x> <@U0NOBODY1> @everyone <!subteam^S0000001> <https://evil.example|good>"
LONG = "\n\n".join(f"Paragraph {number} {'word ' * 60}" for number in range(80))
ENDLESS = LONG * 3
IN_A_FILE = "it is too long for messages, and becomes a Markdown file, which mentions nobody"
LOOKED_UP = "(not found, or needs notify; ids as <@U…>, <#C…> are looked up)"


def last(fake: FakeSlack, channel: str = "general") -> Message:
    return named(fake, channel).everything()[-1]


def link_of(channel: Channel, message: Message) -> str:
    return f"https://acme.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"


def asked_about(fake: FakeSlack) -> Message:
    return next(one for one in named(fake, "general").timeline() if "deploy" in one.text)


def kinds(message: Message) -> set[str]:
    return {str(node["type"]) for node in nodes(message.blocks) if "type" in node}


async def test_markdown_is_posted_as_blocks_and_nothing_unfurls(fake: FakeSlack) -> None:
    async with client_of(fake) as client:
        said, made = await call(
            client, "send_message", channel="#general", text="**Done**, see https://x.example"
        )
    message = last(fake)
    assert message.text == "Done, see https://x.example"
    assert message.blocks[0]["elements"][0]["elements"][0] == {
        "type": "text",
        "text": "Done",
        "style": {"bold": True},
    }
    assert message.unfurl == (False, False)
    link = link_of(named(fake, "general"), message)
    assert made == {
        "done": True,
        "summary": "Posted in #general.",
        "url": link,
        "channel": named(fake, "general").id,
        "ts": message.ts,
        "warnings": [],
    }
    assert link in said
    assert writes(fake) == ["chat.postMessage"]


async def test_a_rehearsal_shows_all_and_sends_nothing(fake: FakeSlack) -> None:
    text = "# Plan\n\nHi @ada, @nobody, @channel in #general and #secret\n\n|a|\n|-|\n|b|\n\n|c|\n|-|\n|d|"
    async with client_of(fake) as client:
        said, shown = await call(client, "send_message", channel="#general", text=text, dry_run=True)
    assert said.startswith("Dry run, nothing was done. 1 message in #general.")
    assert shown["warnings"] == [
        "@ada will be notified",
        f"these stay text: @nobody, @channel, #secret {LOOKED_UP}",
        "1 of 2 tables become aligned text: Slack shows one in a message",
    ]
    (request,) = shown["requests"]
    sent = request["chat.postMessage"]
    assert (sent["unfurl_links"], sent["unfurl_media"]) == (False, False)
    assert [block["type"] for block in sent["blocks"]] == ["header", "rich_text", "table", "rich_text"]
    assert "Hi @ada, @nobody, @channel in #general and #secret" in shown["preview"]
    assert writes(fake) == []


async def test_people_and_admitted_channels_are_mentioned(fake: FakeSlack) -> None:
    ada = fake.team.known_user("ada").id
    text = f"@ada <@{ada}> #general #ops <#{named(fake, 'secret').id}> #secret"
    async with client_of(fake, policy=fenced("#general")) as client:
        await call(client, "send_message", channel="#general", text=text)
    elements = last(fake).blocks[0]["elements"][0]["elements"]
    assert [one for one in elements if one["type"] != "text"] == [
        {"type": "user", "user_id": ada},
        {"type": "user", "user_id": ada},
        {"type": "channel", "channel_id": named(fake, "general").id},
    ]
    assert elements[-1]["text"].endswith("#secret")


async def test_what_a_hostile_text_brings_along_never_acts(fake: FakeSlack) -> None:
    async with client_of(fake) as client:
        await call(client, "send_message", channel="#general", text=HOSTILE)
    message = last(fake)
    assert kinds(message) == {"rich_text", "rich_text_section", "text", "link"}
    assert "<" not in message.text
    assert message.text.startswith("Hi &lt;!channel&gt; &lt;!here|x&gt; &lt;@U0NOBODY1&gt; @everyone")
    assert argument(fake, "chat.postMessage", "link_names") == [None]
    assert argument(fake, "chat.postMessage", "parse") == [None]


async def test_whole_channels_and_groups_are_notified_only_on_demand(fake: FakeSlack) -> None:
    wanted = {"channel": "#general", "text": "@here and @oncall"}
    async with client_of(fake) as client:
        await call(client, "send_message", **wanted)
        assert kinds(last(fake)) == {"rich_text", "rich_text_section", "text"}
        _, shown = await call(client, "send_message", **wanted, notify=True, dry_run=True)
        await call(client, "send_message", **wanted, notify=True)
    assert shown["warnings"] == ["@oncall will be notified", "everybody in #general will be notified"]
    assert kinds(last(fake)) >= {"broadcast", "usergroup"}


async def test_names_are_not_looked_for_without_end(fake: FakeSlack) -> None:
    fake.crowd(users=200_000, channels=20_000)
    async with client_of(fake) as client:
        await call(client, "send_message", channel=named(fake, "general").id, text="@property and #hashtag")
    assert len(fake.asked("users.list")) <= 3
    assert len(fake.asked("conversations.list")) <= 3
    assert last(fake).text == "@property and #hashtag"


async def test_a_reply_goes_to_its_thread_by_the_ts_or_link_of_any_of_its_messages(fake: FakeSlack) -> None:
    general, root = named(fake, "general"), asked_about(fake)
    reply = general.replies(root.ts)[0]
    async with client_of(fake) as client:
        for thread in (
            root.ts,
            reply.ts,
            link_of(general, root),
            f"{link_of(general, reply)}?thread_ts={root.ts}",
        ):
            _, made = await call(client, "send_message", channel="#general", text="Aha", thread_ts=thread)
            assert last(fake).thread_ts == root.ts
            assert made["url"] == f"{link_of(general, last(fake))}?thread_ts={root.ts}&cid={general.id}"
        await call(client, "send_message", channel="general", text="x", thread_ts=root.ts, broadcast=True)
    assert last(fake).broadcast


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        ({"channel": "#old"}, "#old is archived: nothing can be written there."),
        ({"channel": "#random"}, "You are not in #random: nothing can be written there. `manage_channel`"),
        ({"thread_ts": "1700000000.000100"}, "There is no such thread"),
        ({"broadcast": True}, "`broadcast` goes with `thread_ts`"),
        ({"text": " \n"}, "There is nothing in `text` that could be seen."),
        ({"text": "x" * 1_000_001}, "The text has more than 1,000,000 bytes."),
        ({"at": "2001-01-01"}, "`at` has to be in the next 120 days"),
        ({"at": "tomorrow"}, "`tomorrow` is no time"),
        ({"channel": "#secret"}, "is not there, or not among those that you may use"),
        ({"channel": "@nobody"}, "is not there, or not among those that you may use"),
    ],
)
async def test_what_cannot_be_posted_is_refused_before_anything_is_sent(
    fake: FakeSlack, arguments: dict[str, Any], advice: str
) -> None:
    async with client_of(fake) as client:
        said, _ = await refusal(client, "send_message", **{"channel": "#general", "text": "x", **arguments})
    assert advice in said
    assert writes(fake) == []


async def test_a_thread_of_another_channel_is_refused(fake: FakeSlack) -> None:
    link = link_of(named(fake, "general"), asked_about(fake))
    async with client_of(fake) as client:
        said, _ = await refusal(client, "send_message", channel="#ops", text="x", thread_ts=link)
        assert said == f"That thread is not in #ops: it is in {named(fake, 'general').id}."
        nowhere = f"{link}?thread_ts=1700000000.000100"
        said, _ = await refusal(client, "send_message", channel="general", text="x", thread_ts=nowhere)
        assert "There is no such thread" in said
    assert writes(fake) == []


@pytest.mark.parametrize("by", ["name", "id"])
async def test_nothing_is_posted_outside_the_fence(fake: FakeSlack, by: str) -> None:
    general = named(fake, "general")
    fence = fenced("#general" if by == "name" else general.id)
    async with client_of(fake, policy=fence) as client:
        await call(client, "send_message", channel="general", text="x")
        for channel in ("#ops", named(fake, "ops").id, "@ada", f"<@{fake.team.known_user('ada').id}>"):
            said, error = await refusal(client, "send_message", channel=channel, text="x")
            assert error["code"] == "outside_fence", said
    assert writes(fake) == ["chat.postMessage"]


async def test_direct_messages_are_opened_where_the_fence_admits_them(fake: FakeSlack) -> None:
    async with client_of(fake, policy=fenced("dm:cleo")) as client:
        _, shown = await call(client, "send_message", channel="@cleo", text="Hi", dry_run=True)
        assert shown["requests"][0] == {"conversations.open": {"users": fake.team.known_user("cleo").id}}
        assert writes(fake) == []
        _, made = await call(client, "send_message", channel="@cleo", text="Hi")
        await call(client, "send_message", channel="@cleo", text="Hi again")
        await refusal(client, "send_message", channel="@bo", text="Hi")
    assert writes(fake) == ["conversations.open", "chat.postMessage", "chat.postMessage"]
    assert fake.team.dm("ringmain", "cleo").id == made["channel"]
    assert fake.team.dm("ringmain", "cleo").texts() == ["Hi", "Hi again"]


async def test_direct_messages_are_opened_by_id_too(fake: FakeSlack) -> None:
    async with client_of(fake) as client:
        await call(client, "send_message", channel=f"<@{fake.team.known_user('cleo').id}>", text="Hi")
        await call(client, "send_message", channel=f"acme/@{fake.team.known_user('bo').id}", text="Hi")
    assert fake.team.dm("ringmain", "cleo").texts() == fake.team.dm("ringmain", "bo").texts() == ["Hi"]


async def test_a_bot_may_post_in_public_channels_that_it_has_not_joined_if_its_scopes_say_so(
    fake: FakeSlack,
) -> None:
    fake.token(
        "loud", user="ringmain", scopes=["chat:write", "chat:write.public", "channels:read", "users:read"]
    )
    async with client_of(fake, "loud") as client:
        await call(client, "send_message", channel=named(fake, "random").id, text="x")
    assert last(fake, "random").text == "x"


async def test_a_long_text_is_split_and_goes_on_in_the_thread(fake: FakeSlack) -> None:
    async with client_of(fake) as client:
        _, shown = await call(client, "send_message", channel="general", text=LONG, dry_run=True)
        _, made = await call(client, "send_message", channel="general", text=LONG)
    assert shown["summary"] == "3 messages in #general."
    assert "it takes 3 messages; what follows the first is in its thread" in shown["warnings"]
    general = named(fake, "general")
    root = general.messages[made["ts"]]
    assert [one.ts for one in general.replies(root.ts)] == made["replies"]
    said = [json.dumps(one.blocks) for one in (root, *general.replies(root.ts))]
    assert [number for number in range(80) if f"Paragraph {number} " not in "".join(said)] == []
    assert argument(fake, "chat.postMessage", "unfurl_links") == ["false"] * 3
    assert argument(fake, "chat.postMessage", "unfurl_media") == ["false"] * 3


async def test_a_text_too_long_for_messages_becomes_a_file(fake: FakeSlack) -> None:
    async with client_of(fake) as client:
        _, shown = await call(client, "send_message", channel="general", text=ENDLESS, dry_run=True)
        assert writes(fake) == []
        _, made = await call(client, "send_message", channel="general", text=ENDLESS)
    assert shown["summary"] == "A file in #general."
    assert fake.team.files[made["id"]].content.decode() == ENDLESS
    message = last(fake)
    assert message.files == [made["id"]]
    assert "Paragraph 0 " in json.dumps(message.blocks)


async def test_writes_go_to_the_workspace_that_is_named(fake: FakeSlack) -> None:
    labs = fake.workspace("Labs")
    labs.user("ringmain", "Ringmain", bot=True)
    labs.user("zoe", "Zoe Hart")
    general = labs.channel("general", members=["zoe", "ringmain"])
    token = fake.token("labs", "xoxb", user="ringmain", team=labs.id)
    tokens = {"acme": SecretStr(token_of(fake, "bot")), "labs": SecretStr(token)}
    both = SlackSettings.model_validate({"url": fake.url, "tokens": tokens, "conversations": EVERYTHING})
    async with client_of(fake, settings=both, policy=WAIVED) as client:
        _, made = await call(client, "send_message", channel="labs/general", text="x")
        assert general.texts() == ["x"]
        _, direct = await call(client, "manage_channel", action="open_dm", people=["labs/@zoe"])
        await call(client, "save_canvas", title="Notes", markdown="x", workspace="labs")
        fake.fault("chat.delete", "cut")
        await refusal(client, "delete_message", ts=made["url"], idempotency_key="k")
        await call(client, "delete_message", ts=made["url"], idempotency_key="k")
    assert general.texts() == []
    assert direct["channel"] == labs.dm("ringmain", "zoe").id
    assert [one.title for one in labs.files.values()] == ["Notes"]


async def test_the_same_key_posts_once(fake: FakeSlack) -> None:
    wanted = {"channel": "general", "text": "x", "idempotency_key": "k"}
    async with client_of(fake) as client:
        first = await call(client, "send_message", **wanted)
        assert await call(client, "send_message", **wanted) == first
        _, error = await refusal(client, "send_message", **{**wanted, "text": "y"})
        assert error["code"] == "idempotency_key_reused"
    assert writes(fake) == ["chat.postMessage"]


@pytest.mark.parametrize("fault", ["done-cut", "done-500", "done-slow"])
@pytest.mark.parametrize("thread", [False, True])
async def test_a_message_whose_answer_was_lost_is_found_and_not_sent_again(
    fake: FakeSlack, fault: str, thread: bool
) -> None:
    fake.fault("chat.postMessage", fault, seconds=3)
    more = {"thread_ts": asked_about(fake).ts} if thread else {}
    named(fake, "general").post("x", "ringmain")
    async with client_of(fake, settings=settings_for(fake, request_timeout=0.5)) as client:
        _, made = await call(client, "send_message", channel="general", text="x", **more)
    assert made["ts"] == last(fake).ts
    assert writes(fake) == ["chat.postMessage"]


async def test_what_cannot_be_found_is_not_known_and_settled_by_its_key(fake: FakeSlack) -> None:
    wanted = {"channel": "general", "text": "x", "idempotency_key": "k"}
    fake.fault("chat.postMessage", "cut")
    async with client_of(fake) as client:
        _, error = await refusal(client, "send_message", **wanted)
        assert error["code"] == "outcome_unknown"
        _, made = await call(client, "send_message", **wanted)
        assert made["ts"] == last(fake).ts
    assert [one.text for one in named(fake, "general").timeline()].count("x") == 1
    assert len(writes(fake)) == 2


async def test_what_was_sent_and_could_not_be_looked_for_is_found_by_its_key(fake: FakeSlack) -> None:
    wanted = {"channel": "general", "text": "x", "idempotency_key": "k"}
    fake.fault("chat.postMessage", "done-cut")
    fake.fault("conversations.history", "error", times=3)
    async with client_of(fake) as client:
        _, error = await refusal(client, "send_message", **wanted)
        assert error["code"] == "outcome_unknown"
        ours = last(fake)
        named(fake, "general").post("x", "ada")
        named(fake, "general").post("x", "ringmain")
        _, made = await call(client, "send_message", **wanted)
    assert made["ts"] == ours.ts
    assert writes(fake) == ["chat.postMessage"]


async def test_parts_that_are_there_are_not_sent_again(fake: FakeSlack) -> None:
    wanted = {"channel": "general", "text": LONG, "idempotency_key": "k"}
    fake.fault("chat.postMessage", "cut", skip=1)
    async with client_of(fake) as client:
        said, error = await refusal(client, "send_message", **wanted)
        first = last(fake)
        assert error["code"] == "outcome_unknown"
        assert f"Posted: 1 of 3 messages ({first.ts}). Not posted, or not known: the rest." in said
        _, made = await call(client, "send_message", **wanted)
    assert made["ts"] == first.ts
    assert [one.ts for one in named(fake, "general").replies(first.ts)] == made["replies"]
    assert len(writes(fake)) == 4


async def test_a_part_that_is_refused_says_what_is_there(fake: FakeSlack) -> None:
    fake.fault("chat.postMessage", "error", error="restricted_action", skip=1)
    wanted = {"channel": "general", "text": LONG, "idempotency_key": "k"}
    async with client_of(fake) as client:
        said, _ = await refusal(client, "send_message", **wanted)
        first = last(fake)
        assert "restricted_action. The workspace's admins do not allow it there. Posted: 1 of 3" in said
        assert said.endswith("The same `idempotency_key` sends only what is missing.")
        _, made = await call(client, "send_message", **wanted)
    assert made["ts"] == first.ts
    assert len(made["replies"]) == 2


@pytest.mark.parametrize("kind", ["ratelimited", "ratelimited-silent"])
async def test_a_limit_is_waited_for_or_told(fake: FakeSlack, kind: str) -> None:
    fake.fault("chat.postMessage", kind, seconds=1)
    async with client_of(fake) as client:
        if kind == "ratelimited":
            await call(client, "send_message", channel="general", text="x")
            assert last(fake).text == "x"
        else:
            said, error = await refusal(client, "send_message", channel="general", text="x")
            assert "Slack's limit for `chat.postMessage` is reached" in said
            assert error["retryable"]
            assert "x" not in named(fake, "general").texts()


async def test_a_missing_scope_is_named(fake: FakeSlack) -> None:
    fake.token("mute", user="ringmain", scopes=["channels:read", "groups:read", "users:read"])
    async with client_of(fake, "mute") as client:
        said, _ = await refusal(client, "send_message", channel=named(fake, "general").id, text="x")
    assert "The token lacks the scope chat:write" in said


async def test_after_reading_something_private_a_person_is_asked_before_more_people_are_told(
    fake: FakeSlack,
) -> None:
    named(fake, "general").external = True
    person = Person(says=False)
    async with client_of(fake, elicitation_callback=person) as client:
        await call(client, "read_channel", channel="ops")
        _, error = await refusal(client, "send_message", channel="general", text="The cache is cold")
        await call(client, "send_message", channel="ops", text="Aha")
    assert error["code"] == "declined"
    (question,) = person.asked
    assert question.startswith("Post in #general (Slack Connect: other organisations read it)? More people")
    assert writes(fake) == ["chat.postMessage"]


async def test_a_message_for_later_waits_and_is_scheduled_once(fake: FakeSlack) -> None:
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    wanted = {"channel": "general", "text": "**Later**", "at": at.isoformat()}
    fake.fault("chat.scheduleMessage", "done-cut")
    async with client_of(fake) as client:
        _, shown = await call(client, "send_message", **wanted, dry_run=True)
        rehearsed = shown["requests"][0]["chat.scheduleMessage"]
        assert rehearsed["post_at"] == int(at.timestamp())
        assert "metadata" not in rehearsed
        _, first = await call(client, "send_message", **wanted)
        _, second = await call(client, "send_message", **wanted)
        said, _ = await refusal(client, "send_message", **{**wanted, "text": LONG})
    assert "has to fit one message" in said
    assert list(fake.team.scheduled) == [first["id"], second["id"]]
    assert writes(fake) == ["chat.scheduleMessage", "chat.scheduleMessage"]
    assert argument(fake, "chat.scheduleMessage", "unfurl_links") == ["false"] * 2
    assert argument(fake, "chat.scheduleMessage", "metadata") == [None] * 2
    fake.deliver(at.timestamp() + 1)
    assert last(fake).text == "Later"


async def test_texts_do_not_reach_the_audit(fake: FakeSlack) -> None:
    async with bench_of(fake) as at:
        await call(at.client, "send_message", channel="general", text="a private word")
    assert "a private word" not in str(at.audit.records)


async def test_a_key_that_named_another_text_long_ago_sends_this_one(fake: FakeSlack) -> None:
    first = {"channel": "general", "text": LONG, "idempotency_key": "weekly"}
    async with client_of(fake) as client:
        await call(client, "send_message", **first)
    async with client_of(fake) as client:  # which keeps nothing of that key any more
        _, made = await call(client, "send_message", **{**first, "text": f"Other\n\n{LONG}"})
        root = asked_about(fake).ts
        await call(client, "send_message", **{**first, "thread_ts": root, "idempotency_key": "other"})
    general = named(fake, "general")
    assert general.messages[made["ts"]].text.startswith("Other")
    assert len(made["replies"]) == 2
    assert len(writes(fake)) == 9
    (oldest, *_) = [one.arguments["oldest"] for one in fake.asked("conversations.history")]
    assert 0 <= time.time() - 25 * 3_600 - float(oldest) < 60


async def test_without_a_key_the_rest_is_to_be_sent_alone(fake: FakeSlack) -> None:
    fake.fault("chat.postMessage", "error", error="restricted_action", skip=1)
    async with client_of(fake) as client:
        said, _ = await refusal(client, "send_message", channel="general", text=LONG)
    assert "idempotency_key" not in said
    assert said.endswith("Do not send all of it again: look in the channel, and send what is missing.")


async def test_what_stays_text_is_said_when_it_is_sent(fake: FakeSlack) -> None:
    text = "@nobody, @channel and #secret: https://x.example/?u=@other"
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    async with client_of(fake) as client:
        _, made = await call(client, "send_message", channel="general", text=text)
        _, waiting = await call(client, "send_message", channel="general", text=text, at=later)
        _, file = await call(client, "send_message", channel="general", text=f"{text}\n\n{ENDLESS}")
    expected = f"these stay text: @nobody, @channel, #secret {LOOKED_UP}"
    assert made["warnings"] == waiting["warnings"] == [expected]
    assert file["warnings"] == [expected, IN_A_FILE]


async def test_nobody_is_said_to_be_notified_by_what_is_in_a_file_alone(fake: FakeSlack) -> None:
    wanted = {"channel": "general", "text": f"Hi @bo\n\n{ENDLESS}\n\n@ada and @channel", "notify": True}
    async with client_of(fake) as client:
        _, shown = await call(client, "send_message", **wanted, dry_run=True)
        await call(client, "send_message", **wanted)
    assert shown["warnings"] == ["@bo will be notified", IN_A_FILE]
    assert kinds(last(fake)) == {"rich_text", "rich_text_section", "text", "user"}


async def test_a_file_cannot_be_shown_in_the_channel_from_its_thread(fake: FakeSlack) -> None:
    root = asked_about(fake).ts
    async with client_of(fake) as client:
        said, _ = await refusal(
            client, "send_message", channel="general", text=ENDLESS, thread_ts=root, broadcast=True
        )
    assert said == "A text this long becomes a file, which `broadcast` cannot show."
    assert writes(fake) == []


async def test_a_file_whose_beginning_shows_nothing_stands_alone(fake: FakeSlack) -> None:
    text = f"```\n{'x' * 60_000}\n```"
    async with client_of(fake) as client:
        _, made = await call(client, "send_message", channel="general", text=text)
    assert fake.team.files[made["id"]].content.decode() == text
    assert argument(fake, "files.completeUploadExternal", "blocks") == [None]


async def test_what_is_surely_a_file_is_not_read_as_a_message(
    fake: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[int, bool]] = []

    def watched(text: str) -> tuple[Node, ...]:
        read.append((len(text), threading.current_thread() is threading.main_thread()))
        return parse(text)

    monkeypatch.setattr(drafts, "parse", watched)
    async with client_of(fake) as client:
        await call(client, "send_message", channel="general", text="x\n" * 450_000)
        await call(client, "send_message", channel="general", text=LONG)
        said, _ = await refusal(
            client, "edit_message", channel="general", ts=last(fake).ts, text="![a" * 99_999
        )
    assert read == [(499, True), (len(LONG), False)]
    assert said.endswith("has to fit one message, of about 12,000 characters; this takes more.")
