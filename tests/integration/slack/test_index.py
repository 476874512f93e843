"""A bot's search reads what is new and what is older, says how far it came, and forgets what is gone."""

from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.client import Client

from integration.slack.talking import bench_of, call, client_of, named, settings_for, token_of
from ringmain_slack import directory, indexing, joined
from ringmain_slack.settings import SlackSettings
from ringmain_slack.tools import search
from standins.slack.state import FakeSlack

pytestmark = pytest.mark.anyio

NAMED = """
[roles.reader]
allow = ["slack:read"]
fence = { "slack.channel" = ["#*"] }

[[agents]]
id = "local"
roles = ["reader"]
"""


def texts(answer: dict[str, Any]) -> set[str]:
    return {row[4] for row in answer["rows"]}


async def test_a_second_search_asks_once_for_each_conversation(fake: FakeSlack) -> None:
    async with client_of(fake) as client:
        await call(client, "search", query="five")
        asked = len(fake.requests)
        await call(client, "search", query="good morning")
        assert [one.method for one in fake.requests[asked:]] == ["conversations.history"] * 4


async def test_new_messages_edits_deletions_and_replies_are_seen(fake: FakeSlack) -> None:
    general = named(fake, "general")
    root = next(one for one in general.timeline() if "deploy" in one.text)
    async with client_of(fake) as client:
        await call(client, "search", query="five")
        general.reply(root, "Better at six", "ada")
        general.remove(general.replies(root.ts)[0].ts)
        greeting = general.timeline()[0]
        greeting.text, greeting.edited = "Good evening", {"user": greeting.user, "ts": fake.next_ts()}
        general.remove(general.timeline()[-1].ts)
        general.post("Something new", "bo")
        _, answer = await call(client, "search", query="", in_channels=["general"])
    assert texts(answer) == {
        "Good evening",
        "Shall we deploy today? @Bo Reyes",
        "Fine with me",
        "Better at six",
        "Something new",
    }


async def test_a_gap_is_closed_and_the_past_is_read_on(
    fake: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "AGAIN", 5)
    monkeypatch.setattr(indexing, "PAGE", 20)
    general = named(fake, "general")
    for number in range(70):
        general.post(f"early {number}", "ada", ago=60_000 - number)
    async with client_of(fake) as client:
        said, answer = await call(client, "search", query="early", in_channels=["general"], limit=100)
        assert len(answer["rows"]) == 70
        assert "Looked through 75 messages of 1 conversation, back to their beginning." in said
        for number in range(70):
            general.post(f"late {number}", "ada", ago=50_000 - number)
        said, answer = await call(client, "search", query="late", in_channels=["general"], limit=100)
        assert len(answer["rows"]) == 70
        assert "Looked through 145 messages" in said


async def test_a_limit_ends_the_reading_and_not_the_search(
    fake: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "PAGE", 20)
    monkeypatch.setattr(indexing, "_AT_ONCE", 1)
    general = named(fake, "general")
    for number in range(70):
        general.post(f"count {number}", "ada", ago=60_000 - number)
    fake.fault("conversations.history", "ratelimited", seconds=20, skip=2)
    async with client_of(fake) as client:
        said, answer = await call(client, "search", query="count")
    assert len(answer["rows"]) == 20
    assert "Looked through 21 messages of 2 conversations, back to 20" in said
    assert "in the shortest (#general; Slack's limit, come back in " in said
    assert "not yet: #old (Slack's limit, come back in 20 s), @ada (Slack's limit, come back in " in said
    assert "Searching again looks further." in said


async def test_reading_takes_no_longer_than_it_may(fake: FakeSlack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "FILLS", 0.3)
    fake.fault("conversations.history", "slow", seconds=30, skip=1)
    async with client_of(fake) as client:
        with anyio.fail_after(5):
            said, _ = await call(client, "search", query="deploy")
    assert "(no time)" in said
    assert "Searching again looks further." in said


async def test_a_missing_right_is_said(fake: FakeSlack) -> None:
    fake.token(
        "weak", user="ringmain", scopes=["channels:read", "channels:history", "groups:read", "users:read"]
    )
    async with client_of(fake, "weak") as client:
        said, answer = await call(client, "search", query="deploy")
    assert len(answer["rows"]) == 1
    assert "not yet: #ops (missing_scope)" in said


async def test_how_far_back_is_only_as_far_as_wanted(
    fake: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "PAGE", 20)
    general = named(fake, "general")
    for number in range(100):
        general.post(f"count {number}", "ada", ago=60_000 - number)
    since = general.timeline()[-30].ts
    async with client_of(fake) as client:
        said, _ = await call(client, "search", query="count", in_channels=["general"], since=since)
    assert "Looked through 40 messages of 1 conversation, back to 20" in said
    assert "shortest" not in said


async def test_a_full_index_says_so(fake: FakeSlack) -> None:
    general = named(fake, "general")
    for number in range(1_600):
        general.post(f"count {number}", "ada", ago=60_000 - number)
    settings = settings_for(fake, index_messages=1_000)
    async with client_of(fake, settings=settings) as client:
        said, _ = await call(client, "search", query="count", in_channels=["general"])
    assert "Looked through 1,000 messages of 1 conversation" in said
    assert "The index is full: older messages are not kept." in said


async def test_what_was_public_when_it_was_read_and_is_private_now_is_not_found(
    fake: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joined, "HOLDS", 0.0)
    monkeypatch.setattr(directory, "_CONVERSATION_HOLDS", 0.0)
    general = named(fake, "general")
    async with client_of(fake, policy=NAMED) as client:
        _, answer = await call(client, "search", query="five")
        assert texts(answer) == {"Yes, at five"}
        general.kind = "private"
        said, answer = await call(client, "search", query="five")
        assert answer["rows"] == []
        assert "general" not in said


async def test_two_tokens_do_not_find_each_others_messages(fake: FakeSlack, tmp_path: Path) -> None:
    fake.user("helper", "Helper", bot=True)
    fake.token("helper", user="helper")
    fake.dm("ada", "helper").post("Only for helper", "ada")
    path = str(tmp_path / "index.db")
    async with client_of(fake, settings=settings_for(fake, "helper", index=path)) as client:
        _, answer = await call(client, "search", query="only")
        assert texts(answer) == {"Only for helper"}
    async with client_of(fake, settings=settings_for(fake, index=path)) as client:
        _, answer = await call(client, "search", query="only")
        assert texts(answer) == set()
        _, answer = await call(client, "search", query="cache")
        assert texts(answer) == {"The cache is cold"}


async def test_two_workspaces_are_told_apart(fake: FakeSlack) -> None:
    other = fake.workspace("Other")
    other.user("zoe")
    other.user("ringmain", bot=True)
    other.channel("general", members=["zoe", "ringmain"]).post("Elsewhere at five", "zoe")
    tokens = {"acme": token_of(fake, "bot"), "other": fake.token("second", team=other.id)}
    settings = SlackSettings.model_validate({"url": fake.url, "tokens": tokens})
    async with client_of(fake, settings=settings) as client:
        _, answer = await call(client, "search", query="five", workspace="other")
        assert texts(answer) == {"Elsewhere at five"}
        _, answer = await call(client, "search", query="five", in_channels=["acme/general"])
        assert texts(answer) == {"Yes, at five"}


async def test_the_file_is_found_again(fake: FakeSlack, tmp_path: Path) -> None:
    settings = settings_for(fake, index=str(tmp_path / "index.db"))
    async with client_of(fake, settings=settings) as client:
        await call(client, "search", query="five")
    asked = len(fake.asked("conversations.replies"))
    fake.fault("conversations.history", "ratelimited", seconds=60, times=None)
    async with client_of(fake, settings=settings) as client:
        said, answer = await call(client, "search", query="five")
    assert texts(answer) == {"Yes, at five"}
    assert "Slack's limit, come back in" in said
    assert len(fake.asked("conversations.replies")) == asked


async def test_what_is_heard_keeps_the_index_fresh(fake: FakeSlack) -> None:
    general = named(fake, "general")
    settings = settings_for(fake, app_token=token_of(fake, "app"), conversations="public")
    async with bench_of(fake, settings=settings) as at:
        client = at.client
        await call(client, "search", query="five")
        await settled(fake, 1)
        said = general.post("First thing heard", "ada")
        _, answer = await call(client, "search", query="heard")
        assert texts(answer) == {"First thing heard"}
        await call(client, "search", query="heard")
        asked = len(fake.requests)
        late = general.post("Second thing heard", "bo")
        fake.events.deleted(fake, general, general.remove(said.ts))
        before = {"text": late.text}
        late.text = "Second thing was heard"
        fake.events.changed(fake, general, late, before)
        await acknowledged(fake)
        _, answer = await call(client, "search", query="heard")
        assert texts(answer) == {"Second thing was heard"}
        assert [one.method for one in fake.requests[asked:]] == []


HEARD = "of them read within the last minute, only listened to since."


async def test_what_another_process_heard_instead_is_read_after_a_while(
    fake: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    general = named(fake, "general")
    settings = settings_for(fake, app_token=token_of(fake, "app"), conversations="public")
    async with bench_of(fake, settings=settings) as first, bench_of(fake, settings=settings) as second:
        for number, at in enumerate((first, second), start=1):
            await call(at.client, "search", query="five")
            await settled(fake, number)
        for word in ("one", "two"):
            general.post(f"warm {word}", "ada")
        await acknowledged(fake)
        for at in (first, second):
            await call(at.client, "search", query="warm")
        for number in range(4):
            general.post(f"incident {number}", "ada")
        await acknowledged(fake)
        everything = {f"incident {number}" for number in range(4)}
        said, answer = await call(second.client, "search", query="incident")
        assert texts(answer) == everything  # it knows that it is not alone
        assert HEARD not in said
        said, answer = await call(first.client, "search", query="incident")
        assert texts(answer) < everything
        assert said.endswith(f"back to their beginning; 2 {HEARD}")
        monkeypatch.setattr(indexing, "HOLDS", 0.0)
        said, answer = await call(first.client, "search", query="incident")
        assert texts(answer) == everything
        assert HEARD not in said


async def test_what_was_read_the_longest_ago_is_read_first(
    fake: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "_AT_ONCE", 1)
    for number in range(6):
        fake.channel(f"team-{number}", members=["ada", "ringmain"]).post("needle", "ada")

    async def asked(client: Client, most: int) -> set[str]:
        """The conversations that a search reads, as many as Slack lets it."""
        fake.fault("conversations.history", "error", None, error="fatal_error", skip=most)
        before = len(fake.asked("conversations.history"))
        await call(client, "search", query="needle")
        fake.faults.clear()
        return {one.arguments["channel"] for one in fake.asked("conversations.history")[before:][:most]}

    me = fake.team.known_user("ringmain").id
    everywhere = {one.id for one in fake.team.channels.values() if me in one.members}
    async with client_of(fake) as client:
        first, second, third = [await asked(client, most) for most in (6, 6, 4)]
    assert len(everywhere) == 10
    assert everywhere - first < second
    assert third == first - second


async def test_of_many_conversations_none_is_read_again_within_a_minute(
    fake: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "MANY", 2)
    async with client_of(fake, settings=settings_for(fake, conversations="public,private")) as client:
        await call(client, "search", query="five")
        asked = len(fake.requests)
        said, _ = await call(client, "search", query="morning")
    assert len(fake.requests) == asked
    assert said.endswith("; 3 of them read within the last minute, not again.")


async def test_what_no_search_will_ever_read_is_not_promised(fake: FakeSlack) -> None:
    async with client_of(fake) as client:
        said, _ = await call(client, "search", query="lunch", in_channels=["#random"])
    assert said.endswith("not yet: #random (not_in_channel).")


async def test_what_an_alert_says_in_its_attachments_is_found(fake: FakeSlack) -> None:
    block = {"type": "section", "text": {"type": "mrkdwn", "text": "zebra database down"}}
    extra = {"attachments": [{"fallback": "[no preview available]", "blocks": [block]}]}
    named(fake, "general").post("Alert", "ringmain", extra=extra)
    async with client_of(fake) as client:
        _, answer = await call(client, "search", query="zebra")
    assert texts(answer) == {"Alert > zebra database down"}


async def settled(fake: FakeSlack, connections: int) -> None:

    with anyio.fail_after(5):
        while len(fake.events.connections) < connections:  # noqa: ASYNC110 (the stand-in is in a thread)
            await anyio.sleep(0.005)


async def acknowledged(fake: FakeSlack) -> None:

    with anyio.fail_after(5):
        while fake.unacknowledged:  # noqa: ASYNC110 (the stand-in is in a thread)
            await anyio.sleep(0.005)
        await anyio.sleep(0.05)
