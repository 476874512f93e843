"""Channels and threads are read whole, by name, and within their fences."""

import pytest

from integration.slack.talking import call, client_of, named, refusal, settings_for
from integration.slack.writing import argument
from standins.slack.state import FakeSlack

pytestmark = pytest.mark.anyio


async def test_a_channel_reads_like_a_conversation(fake: FakeSlack) -> None:
    async with client_of(fake) as client:
        said, answer = await call(client, "read_channel", channel="#general")
    lines = answer["messages"]
    assert [line[2:4] for line in lines] == [
        ["Bo Reyes", "Good morning"],
        ["Ada Moss", "Shall we deploy today? @Bo Reyes"],
        ["Ada Moss", "Notes are attached"],
    ]
    assert lines[1][4] == 2
    assert lines[1][6] == [":thumbsup: 2"]
    assert "notes.txt" in lines[2][7][0]
    assert "Ada Moss: Shall we deploy today? @Bo Reyes (2 replies, latest" in said
    assert "People: " in said
    assert fake.team.known_user("ada").id in said


async def test_pages_lead_back_to_the_first_message(fake: FakeSlack) -> None:
    general = named(fake, "general")
    for number in range(25):
        general.post(f"Count {number}", "ada")
    seen: list[str] = []
    cursor: str | None = None
    async with client_of(fake) as client:
        while True:
            more = {"cursor": cursor} if cursor else {}
            _, answer = await call(client, "read_channel", channel="general", limit=10, **more)
            seen = [line[3] for line in answer["messages"]] + seen
            cursor = answer.get("next_cursor")
            if cursor is None:
                break
    assert seen[-25:] == [f"Count {number}" for number in range(25)]
    assert len(seen) == 28


async def test_a_thread_is_read_by_link(fake: FakeSlack) -> None:
    general = named(fake, "general")
    asked = next(one for one in general.timeline() if "deploy" in one.text)
    link = f"https://acme.slack.com/archives/{general.id}/p{asked.ts.replace('.', '')}"
    async with client_of(fake) as client:
        _, answer = await call(client, "read_thread", ts=link)
    assert [line[3] for line in answer["messages"]][1:] == ["Yes, at five", "Fine with me"]


async def test_a_huge_message_is_read_to_its_end(fake: FakeSlack) -> None:
    general = named(fake, "general")
    text = "".join(f"{number} ✓ " for number in range(9_000))
    long = general.post(text, "ada")
    general.reply(long, "Quite", "bo")
    read = ""
    cursor: str | None = None
    async with client_of(fake) as client:
        said, answer = await call(client, "read_channel", channel="general")
        assert "`read_thread` with its ts reads all" in said
        while True:
            more = {"cursor": cursor} if cursor else {}
            _, answer = await call(client, "read_thread", channel="general", ts=long.ts, **more)
            for line in answer["messages"]:
                read += line[3].removesuffix(" …")
            cursor = answer.get("next_cursor")
            if cursor is None:
                break
    assert read.replace(" ", "") == f"{text.strip()}Quite".replace(" ", "")


@pytest.mark.parametrize("channel", ["secret", "nowhere", "C0NOWHERE01"])
async def test_what_is_not_there_and_what_is_fenced_off_look_alike(fake: FakeSlack, channel: str) -> None:
    async with client_of(fake) as client:
        said, error = await refusal(client, "read_channel", channel=channel)
    assert "is not there, or not among those that you may use" in said
    assert error["code"] == "outside_fence"


async def test_without_a_fence_only_public_channels_are_there(fake: FakeSlack) -> None:
    from integration.slack.talking import settings_for

    plain = settings_for(fake, "ada", conversations="public")
    async with client_of(fake, settings=plain) as client:
        await call(client, "read_channel", channel="#general")
        for channel in ("ops", named(fake, "ops").id, "@bo"):
            await refusal(client, "read_channel", channel=channel)


async def test_direct_messages_are_read_by_the_other_ones_name(fake: FakeSlack) -> None:
    async with client_of(fake, "ada") as client:
        _, answer = await call(client, "read_channel", channel="@bo")
    assert answer["messages"][0][3] == "Between us, @Ada Moss"


async def test_a_limit_in_the_middle_of_a_search_for_a_name_is_said(fake: FakeSlack) -> None:
    fake.crowd(users=10, channels=5_000)
    fake.fault("conversations.list", "ratelimited", seconds=40, skip=2)
    async with client_of(fake) as client:
        said, error = await refusal(client, "read_channel", channel="hall-4999")
        assert "is not among the first 2,0" in said
        assert "Come back in 40 s" in said
        assert error["retryable"]
    assert fake.asked("users.list") == []


async def test_whoami_says_what_is_lacking(fake: FakeSlack) -> None:
    fake.token("weak", user="ringmain", scopes=["channels:read", "chat:write"])
    async with client_of(fake, "weak") as client:
        said, _ = await call(client, "whoami")
    assert "read_file: files:read, canvases:read" in said
    assert "@ringmain" in said


async def test_a_thread_is_read_one_message_a_page(fake: FakeSlack) -> None:
    root = next(one for one in named(fake, "general").timeline() if "deploy" in one.text)
    seen: list[str] = []
    more: dict[str, str] = {}
    async with client_of(fake) as client:
        while True:
            _, answer = await call(client, "read_thread", channel="general", ts=root.ts, limit=1, **more)
            seen += [line[3] for line in answer["messages"]]
            if "next_cursor" not in answer:
                break
            more = {"cursor": answer["next_cursor"]}
    assert seen == ["Shall we deploy today? @Bo Reyes", "Yes, at five", "Fine with me"]


async def test_a_thread_is_read_by_any_of_its_messages(fake: FakeSlack) -> None:
    general = named(fake, "general")
    root = next(one for one in general.timeline() if "deploy" in one.text)
    reply = general.replies(root.ts)[1]
    async with client_of(fake) as client:
        whole = (await call(client, "read_thread", channel="general", ts=root.ts))[1]["messages"]
        asked = len(fake.requests)
        assert (await call(client, "read_thread", channel="general", ts=reply.ts))[1]["messages"] == whole
        assert [one.method for one in fake.requests[asked:]] == ["conversations.replies"] * 2
        _, answer = await call(client, "read_thread", channel="general", ts=reply.ts, limit=2)
        _, rest = await call(
            client, "read_thread", channel="general", ts=reply.ts, limit=2, cursor=answer["next_cursor"]
        )
    assert answer["messages"] + rest["messages"] == whole


async def test_a_link_into_another_channel_than_the_one_that_is_named_is_refused(fake: FakeSlack) -> None:
    ops = named(fake, "ops")
    link = f"https://acme.slack.com/archives/{ops.id}/p{ops.timeline()[0].ts.replace('.', '')}"
    async with client_of(fake) as client:
        said, _ = await refusal(client, "read_thread", channel="#general", ts=link)
        await call(client, "read_thread", channel="#ops", ts=link)
    assert said == "That message is not in #general: it is in #ops."


async def test_the_latest_messages_since_then_come_first(fake: FakeSlack) -> None:
    async with client_of(fake) as client:
        await call(client, "read_channel", channel="general", since="2026-01-01")
    assert argument(fake, "conversations.history", "latest") == ["9999999999.000000"]


async def test_a_call_waits_for_limits_no_longer_than_it_may_in_all(fake: FakeSlack) -> None:
    fake.fault("conversations.history", "ratelimited", times=None, seconds=1)
    async with client_of(fake, settings=settings_for(fake, limit_patience=1.5)) as client:
        await refusal(client, "read_channel", channel=named(fake, "general").id)
    assert len(fake.asked("conversations.history")) == 2
