"""The fake Slack behaves as Slack's documentation says, seen through slack-sdk."""

import time
from collections.abc import Mapping
from typing import Any, cast

import aiohttp
import anyio
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from standins.emulate_slack import emulated
from standins.slack.channel import Channel
from standins.slack.state import FakeSlack

pytestmark = pytest.mark.anyio


def asking(fake: FakeSlack, token: str | None = None) -> Any:
    """A client of slack-sdk (its types are loose), without its own retries."""
    return AsyncWebClient(token=token, base_url=fake.api, retry_handlers=[])


def client(fake: FakeSlack, label: str = "bot") -> Any:
    return asking(fake, next(one.value for one in fake.tokens.values() if one.label == label))


def named(fake: FakeSlack, name: str) -> Channel:
    found = fake.team.named_channel(name)
    assert found is not None
    return found


async def refused(call: Any) -> Mapping[str, Any]:
    """The answer of a call that Slack refuses."""
    with pytest.raises(SlackApiError) as caught:
        await call
    response = cast("Any", caught.value).response
    return response.data


async def test_auth_test_says_whose_token_it_is(fake: FakeSlack) -> None:
    at = await client(fake).auth_test()
    assert (at["user"], at["team"], at["team_id"]) == ("ringmain", "Acme", fake.team.id)
    assert "chat:write" in at.headers["x-oauth-scopes"].split(",")


@pytest.mark.parametrize(("how", "error"), [("revoke", "token_revoked"), ("expire", "token_expired")])
async def test_tokens_end(fake: FakeSlack, how: str, error: str) -> None:
    getattr(fake, how)(fake.token("bot"))
    assert (await refused(client(fake).auth_test()))["error"] == error
    unknown = asking(fake, "xoxb-unknown")
    assert (await refused(unknown.auth_test()))["error"] == "invalid_auth"


async def test_a_missing_scope_is_named(fake: FakeSlack) -> None:
    token = fake.token("weak", user="ringmain", scopes=["chat:write", "channels:read"])
    weak = asking(fake, token)
    said = await refused(weak.conversations_list(types="public_channel,private_channel"))
    assert (said["error"], said["needed"], said["provided"]) == (
        "missing_scope",
        "groups:read",
        "chat:write,channels:read",
    )


async def test_lists_are_walked_with_cursors(fake: FakeSlack) -> None:
    names: list[str] = []
    async for page in await client(fake).conversations_list(types="public_channel,private_channel", limit=2):
        names += [one["name"] for one in page["channels"]]
    assert names == ["general", "random", "ops", "old"]
    said = await refused(client(fake).conversations_list(cursor="bad"))
    assert said["error"] == "invalid_cursor"


async def test_private_channels_are_hidden_from_others(fake: FakeSlack) -> None:
    secret, random = named(fake, "secret"), named(fake, "random")
    bot = client(fake)
    assert (await refused(bot.conversations_info(channel=secret.id)))["error"] == "channel_not_found"
    assert (await refused(bot.conversations_history(channel=random.id)))["error"] == "not_in_channel"
    assert (await refused(bot.chat_postMessage(channel=random.id, text="x")))["error"] == "not_in_channel"
    assert (await client(fake, "ada").conversations_history(channel=secret.id))["messages"][0]["text"] == (
        "Nobody may know"
    )


async def test_history_honours_its_bounds(fake: FakeSlack) -> None:
    general, bot = named(fake, "general"), client(fake)
    newest, middle, oldest = (await bot.conversations_history(channel=general.id))["messages"]
    assert (middle["reply_count"], middle["reactions"][0]["count"]) == (2, 2)
    assert newest["files"][0]["name"] == "notes.txt"

    async def texts(**bounds: Any) -> list[str]:
        page = await bot.conversations_history(channel=general.id, **bounds)
        return [one["ts"] for one in page["messages"]]

    assert await texts(oldest=middle["ts"]) == [newest["ts"]]
    assert await texts(oldest=middle["ts"], inclusive=True) == [newest["ts"], middle["ts"]]
    assert await texts(latest=middle["ts"]) == [oldest["ts"]]
    page = await bot.conversations_history(channel=general.id, limit=2)
    assert page["has_more"]
    rest = await bot.conversations_history(
        channel=general.id, limit=2, cursor=page["response_metadata"]["next_cursor"]
    )
    assert [one["ts"] for one in rest["messages"]] == [oldest["ts"]]


async def test_threads_are_walked(fake: FakeSlack) -> None:
    general = named(fake, "general")
    texts: list[str] = []
    async for page in await client(fake).conversations_replies(
        channel=general.id, ts=general.pins[0], limit=2
    ):
        texts += [one["text"] for one in page["messages"]]
    assert texts[1:] == ["Yes, at five", "Fine with me"]


async def test_a_post_is_there_afterwards(fake: FakeSlack) -> None:
    general, bot = named(fake, "general"), client(fake)
    first = await bot.chat_postMessage(channel=general.id, markdown_text="**Done**", unfurl_links=False)
    second = await bot.chat_postMessage(channel="#general", text="reply", thread_ts=first["ts"])
    assert float(second["ts"]) > float(first["ts"])
    kept = general.messages[first["ts"]]
    assert (kept.markdown, kept.unfurl) == ("**Done**", (False, None))
    edited = await bot.chat_update(channel=general.id, ts=first["ts"], text="Done, *really*")
    assert edited["message"]["edited"]["user"] == fake.team.known_user("ringmain").id
    link = await bot.chat_getPermalink(channel=general.id, message_ts=second["ts"])
    assert link["permalink"].endswith(f"?thread_ts={first['ts']}&cid={general.id}")
    await bot.chat_delete(channel=general.id, ts=second["ts"])
    assert second["ts"] not in general.messages
    theirs = general.pins[0]
    assert (await refused(bot.chat_update(channel=general.id, ts=theirs, text="x")))["error"] == (
        "cant_update_message"
    )


async def test_scheduled_messages_are_posted_when_they_are_due(fake: FakeSlack) -> None:
    general, bot = named(fake, "general"), client(fake)
    at = int(time.time()) + 60
    made = await bot.chat_scheduleMessage(channel=general.id, post_at=at, text="Later")
    other = await bot.chat_scheduleMessage(channel=general.id, post_at=at, text="Never")
    await bot.chat_deleteScheduledMessage(
        channel=general.id, scheduled_message_id=other["scheduled_message_id"]
    )
    listed = await bot.chat_scheduledMessages_list()
    assert [one["id"] for one in listed["scheduled_messages"]] == [made["scheduled_message_id"]]
    assert [one.text for one in fake.deliver(at)] == ["Later"]
    assert (await refused(bot.chat_scheduleMessage(channel=general.id, post_at=1, text="x")))["error"] == (
        "time_in_past"
    )


async def test_files_go_up_in_three_steps_and_come_down_with_the_token(fake: FakeSlack) -> None:
    general, bot = named(fake, "general"), client(fake)
    made = await bot.files_upload_v2(
        channel=general.id, content="a,b\n1,2\n", filename="rows.csv", initial_comment="Rows"
    )
    url = made["file"]["url_private_download"]
    headers = {"authorization": f"Bearer {bot.token}"}
    async with aiohttp.ClientSession() as session:
        async with session.get(url, headers=headers) as answer:
            assert await answer.read() == b"a,b\n1,2\n"
        async with session.get(url) as answer:
            assert answer.content_type == "text/html"
    assert general.everything()[-1].text == "Rows"
    found = await bot.files_info(file=made["file"]["id"])
    assert found["file"]["channels"] == [general.id]


async def test_canvases_are_edited_by_section(fake: FakeSlack) -> None:
    bot = client(fake)
    made = await bot.canvases_create(
        title="Notes", document_content={"type": "markdown", "markdown": "# One\n\nText"}
    )
    name = made["canvas_id"]
    found = await bot.canvases_sections_lookup(canvas_id=name, criteria={"section_types": ["any_header"]})
    change = {"operation": "insert_after", "section_id": found["sections"][0]["id"]}
    new = {"type": "markdown", "markdown": "Between"}
    await bot.canvases_edit(canvas_id=name, changes=[change | {"document_content": new}])
    got = await bot.api_call("canvases.getContent", params={"canvas_id": name})
    assert got["content"] == "# One\n\nBetween\n\nText"
    general = named(fake, "general")
    await bot.canvases_access_set(canvas_id=name, access_level="read", channel_ids=[general.id])
    assert fake.team.files[name].access[general.id] == "read"


async def test_search_is_for_people(fake: FakeSlack) -> None:
    assert (await refused(client(fake).search_messages(query="deploy")))["error"] == "not_allowed_token_type"
    found = await client(fake, "ada").search_messages(query="deploy in:general from:ada")
    assert [one["text"][:5] for one in found["messages"]["matches"]] == ["Shall"]
    none = await client(fake, "bo").search_messages(query="nobody")
    assert none["messages"]["total"] == 0


async def test_the_assistants_search_wants_an_action_token_of_bots(fake: FakeSlack) -> None:
    bot, query = client(fake), {"query": "deploy"}
    said = await refused(bot.api_call("assistant.search.context", params=query))
    assert said["error"] == "invalid_action_token"
    found = await bot.api_call(
        "assistant.search.context", params=query | {"action_token": fake.action_token()}
    )
    assert found["results"]["messages"][0]["channel_id"] == named(fake, "general").id


async def test_reactions_pins_bookmarks_and_groups(fake: FakeSlack) -> None:
    general, bot = named(fake, "general"), client(fake)
    ts = general.pins[0]
    await bot.reactions_add(channel=general.id, name="eyes", timestamp=ts)
    again = await refused(bot.reactions_add(channel=general.id, name="eyes", timestamp=ts))
    assert again["error"] == "already_reacted"
    await bot.reactions_remove(channel=general.id, name="eyes", timestamp=ts)
    assert (await bot.pins_list(channel=general.id))["items"][0]["message"]["ts"] == ts
    assert (await bot.bookmarks_list(channel_id=general.id))["bookmarks"][0]["title"] == "Wiki"
    assert (await bot.usergroups_list(include_users=True))["usergroups"][0]["handle"] == "oncall"
    assert (await bot.team_info())["team"]["name"] == "Acme"


async def test_channels_are_managed(fake: FakeSlack) -> None:
    bot, bo = client(fake), fake.team.known_user("bo").id
    made = (await bot.conversations_create(name="launch"))["channel"]["id"]
    await bot.conversations_invite(channel=made, users=[bo])
    await bot.conversations_setTopic(channel=made, topic="Up")
    await bot.conversations_setPurpose(channel=made, purpose="To go up")
    assert (await bot.conversations_members(channel=made))["members"][1] == bo
    assert (await refused(bot.conversations_create(name="launch")))["error"] == "name_taken"
    await bot.conversations_archive(channel=made)
    assert (await refused(bot.chat_postMessage(channel=made, text="x")))["error"] == "is_archived"
    joined = await bot.conversations_join(channel=named(fake, "random").id)
    assert joined["channel"]["is_member"]
    opened = await bot.conversations_open(users=[bo])
    assert (await bot.conversations_open(users=[bo]))["already_open"]
    await bot.conversations_mark(channel=opened["channel"]["id"], ts="1700000000.000001")


async def test_a_crowd_is_made_as_somebody_looks(fake: FakeSlack) -> None:
    fake.crowd(users=200_000, channels=20_000, joined=5)
    bot = client(fake)
    page = await bot.users_list(limit=1000)
    assert len(page["members"]) == 1000
    assert (await bot.users_info(user="U900199999"))["user"]["name"] == "member199999"
    found = await bot.users_lookupByEmail(email="member7@example.com")
    assert found["user"]["id"] == "U900000007"
    mine = await bot.users_conversations(limit=200)
    assert [one["name"] for one in mine["channels"]][-1] == "hall-4"
    assert (await bot.conversations_info(channel="C900019999"))["channel"]["name"] == "hall-19999"


async def test_limits_strike_in_the_middle_of_a_walk(fake: FakeSlack) -> None:
    fake.fault("conversations.list", "ratelimited", seconds=7, cursor=True)
    walk = await client(fake).conversations_list(limit=1)
    with pytest.raises(SlackApiError) as caught:
        async for _ in walk:
            pass
    response = cast("Any", caught.value).response
    assert (response.status_code, response.headers["retry-after"]) == (429, "7")


async def test_work_may_be_done_though_the_connection_is_cut(fake: FakeSlack) -> None:
    general = named(fake, "general")
    for kind, posts in (("cut", 0), ("done-cut", 1), ("html", 0), ("done-500", 1)):
        before = len(general.everything())
        fake.fault("chat.postMessage", kind)
        with pytest.raises((aiohttp.ClientError, SlackApiError)):
            await client(fake).chat_postMessage(channel=general.id, text="Once")
        assert len(general.everything()) - before == posts, kind
    assert [one.status for one in fake.asked("chat.postMessage")] == [0, 0, 200, 500]


async def test_what_slack_does_not_publish_is_noted(fake: FakeSlack) -> None:
    await client(fake).api_call("auth.test", params={"colour": "red"})
    assert (await refused(client(fake).api_call("no.such")))["error"] == "unknown_method"
    assert (await refused(client(fake).api_call("users.info")))["error"] == "invalid_arguments"
    assert fake.violations == [
        "auth.test: no argument `colour`",
        "no.such: no such method",
        "users.info: [ERROR] missing required field: user",
    ]
    fake.violations.clear()


@pytest.mark.filterwarnings("ignore:BasicAuth is deprecated")  # slack-sdk 3.48 with aiohttp 3.14
async def test_tokens_rotate(fake: FakeSlack) -> None:
    fake.client("id", "word")
    code = fake.code("ada", ["users:read"])
    one = asking(fake)
    first = await one.oauth_v2_access(client_id="id", client_secret="word", code=code)
    given = first["authed_user"]
    assert (await one.auth_test(token=given["access_token"]))["user"] == "ada"
    how = {"client_id": "id", "client_secret": "word", "grant_type": "refresh_token"}
    second = await one.oauth_v2_access(**how, refresh_token=given["refresh_token"])
    assert (await one.auth_test(token=second["access_token"]))["user"] == "ada"
    assert (await refused(one.auth_test(token=given["access_token"])))["error"] == "token_expired"
    used = await refused(one.oauth_v2_access(**how, refresh_token=given["refresh_token"]))
    assert used["error"] == "invalid_refresh_token"


async def test_events_come_through_the_socket_and_are_acknowledged(fake: FakeSlack) -> None:
    at = await client(fake).apps_connections_open(app_token=fake.token("app", "xapp"))
    async with aiohttp.ClientSession() as session, session.ws_connect(at["url"]) as link:
        assert (await link.receive_json(timeout=5))["type"] == "hello"
        named(fake, "secret").post("Not for the bot", "ada")
        named(fake, "general").post("News", "ada")
        envelope: Any = await link.receive_json(timeout=5)
        event = envelope["payload"]["event"]
        assert (event["type"], event["text"], event["channel_type"]) == ("message", "News", "channel")
        assert fake.unacknowledged == [envelope["envelope_id"]]
        await link.send_json({"envelope_id": envelope["envelope_id"]})
        with anyio.fail_after(5):
            while fake.unacknowledged:  # noqa: ASYNC110
                await anyio.sleep(0.01)
        fake.disconnect()
        assert (await link.receive_json(timeout=5))["type"] == "disconnect"
        assert (await link.receive(timeout=5)).type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}
    assert fake.acknowledged == [envelope["envelope_id"]]


async def test_the_emulator_answers_behind_its_shim() -> None:
    slack = {"users": [{"name": "ringmain"}], "channels": [{"name": "launch"}]}
    with emulated(slack, {"xoxb-one": {"login": "ringmain", "scopes": ["chat:write"]}}) as url:
        one: Any = AsyncWebClient(token="xoxb-one", base_url=url, retry_handlers=[])
        channels = (await one.conversations_list(limit=9))["channels"]
        assert "launch" in [channel["name"] for channel in channels]
        assert (await one.chat_postMessage(channel=channels[0]["id"], text="Hi"))["message"]["text"] == "Hi"
        said = await refused(one.auth_test(token="xoxb-other"))
        assert said["error"] == "invalid_auth"
