"""The same calls at another Slack: npm's `emulate`, made by others."""

import pytest

from integration.slack.talking import call, client_of, refusal
from ringmain_slack.settings import SlackSettings
from standins.emulate_slack import emulated
from standins.slack.state import FakeSlack

pytestmark = pytest.mark.anyio

SCOPES = [
    "channels:read",
    "channels:history",
    "chat:write",
    "users:read",
    "reactions:write",
    "channels:manage",
]


async def test_what_works_at_the_fake_works_at_the_emulator(fake: FakeSlack) -> None:
    slack = {
        "users": [{"name": "ringmain", "real_name": "Ringmain"}],
        "channels": [{"name": "launch"}],
    }
    with emulated(slack, {"xoxb-one": {"login": "ringmain", "scopes": SCOPES}}) as url:
        settings = SlackSettings.model_validate({"url": url.removesuffix("/api/"), "token": "xoxb-one"})
        async with client_of(fake, settings=settings) as client:
            said, _ = await call(client, "whoami")
            assert "@ringmain" in said
            _, answer = await call(client, "list_channels", mine=False, kinds=["public"])
            (channel,) = [row[0] for row in answer["rows"] if row[1] == "#launch"]
            _, posted = await call(client, "send_message", channel=channel, text="We **ship** at five")
            _, replied = await call(
                client, "send_message", channel=channel, text="Fine", thread_ts=posted["ts"]
            )
            await call(client, "react", channel=channel, ts=posted["ts"], emoji="eyes")
            _, read = await call(client, "read_channel", channel=channel)
            assert "We ship at five" in read["messages"][-1][3]
            _, thread = await call(client, "read_thread", channel=channel, ts=posted["ts"])
            assert [line[0] for line in thread["messages"]] == [posted["ts"], replied["ts"]]
            await call(client, "edit_message", channel=channel, ts=posted["ts"], text="We ship at six")
            _, read = await call(client, "read_channel", channel=channel)
            assert "at six" in read["messages"][-1][3]
        wrong = SlackSettings.model_validate({"url": url.removesuffix("/api/"), "token": "xoxb-other"})
        async with client_of(fake, settings=wrong) as client:
            said, _ = await refusal(client, "whoami")
            assert "does not accept the token (invalid_auth)" in said
