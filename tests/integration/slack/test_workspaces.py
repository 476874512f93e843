"""Tokens: of several workspaces, refused ones, kinds that are never used; and what `doctor` says of them."""

import pytest
from pydantic import SecretStr

from integration.slack.talking import call, client_of, refusal, settings_for, token_of
from ringmain_core.connector import Check
from ringmain_core.cursors import Cursors
from ringmain_core.errors import ConfigurationError
from ringmain_core.services import Services
from ringmain_slack.api import connect
from ringmain_slack.doctor import diagnose, ready
from ringmain_slack.settings import SlackSettings
from standins.slack.state import FakeSlack

pytestmark = pytest.mark.anyio

SERVICES = Services(Cursors(b"0" * 32))


@pytest.fixture
def two(fake: FakeSlack) -> SlackSettings:
    """Settings with the workspaces acme and labs, each with a channel #general."""
    labs = fake.workspace("Labs")
    labs.user("ringmain", "Ringmain", bot=True)
    labs.user("zoe", "Zoe Hart")
    labs.channel("general", members=["zoe", "ringmain"]).post("From the lab", "zoe")
    token = fake.token("labs", "xoxb", user="ringmain", team=labs.id)
    tokens = {"acme": SecretStr(token_of(fake, "bot")), "labs": SecretStr(token)}
    return SlackSettings(url=fake.url, tokens=tokens)


async def test_a_channel_names_its_workspace(fake: FakeSlack, two: SlackSettings) -> None:
    async with client_of(fake, settings=two) as client:
        said, _ = await refusal(client, "read_channel", channel="#general")
        assert said.startswith("Say which `workspace`: `acme`, `labs`")
        _, answer = await call(client, "read_channel", channel="labs/#general")
        assert answer["messages"][0][2:4] == ["Zoe Hart", "From the lab"]
        _, answer = await call(client, "list_channels", workspace="acme")
        assert "#general" in {row[1] for row in answer["rows"]}
        said, _ = await refusal(client, "read_channel", channel="other/#general")
        assert said == "There is no workspace `other`; there is `acme`, `labs`."


async def test_a_link_names_its_workspace(fake: FakeSlack, two: SlackSettings) -> None:
    labs = next(team for team in fake.teams.values() if team.name == "Labs")
    general = labs.named_channel("general")
    assert general is not None
    async with client_of(fake, settings=two) as client:
        link = f"{labs.url}archives/{general.id}"
        _, answer = await call(client, "read_channel", channel=link)
    assert answer["messages"][0][3] == "From the lab"


async def checks(settings: SlackSettings) -> list[Check]:
    async with connect(settings, SERVICES) as slack:
        return [check async for check in diagnose(slack)]


async def test_doctor_says_which_scope_is_missing_for_which_tool(fake: FakeSlack) -> None:
    fake.token("weak", user="ringmain", scopes=["channels:read", "channels:history", "chat:write"])
    found = {check.what: check for check in await checks(settings_for(fake, "weak"))}
    assert found["scopes"].state == "warning"
    assert "react: reactions:write" in found["scopes"].detail
    assert "send_message" not in found["scopes"].detail
    found = {check.what: check for check in await checks(settings_for(fake, "bot"))}
    assert (found["scopes"].state, found["scopes"].detail) == ("ok", "acme: enough for every tool")
    found = {check.what: check for check in await checks(settings_for(fake, "ada"))}
    assert found["scopes"].state == "ok"


async def test_doctor_and_ready_say_that_a_token_is_refused(fake: FakeSlack) -> None:
    settings = settings_for(fake, "bot")
    fake.revoke(token_of(fake, "bot"))
    (failed, _) = await checks(settings)
    assert failed.state == "failed"
    assert "Slack does not accept the token (token_revoked)" in failed.detail
    async with connect(settings, SERVICES) as slack:
        with pytest.raises(Exception, match="does not accept the token"):
            await ready(slack)


async def test_a_token_that_ends_while_it_is_used_is_told(fake: FakeSlack) -> None:
    async with client_of(fake) as client:
        await call(client, "read_channel", channel="general")
        fake.revoke(token_of(fake, "bot"))
        said, error = await refusal(client, "read_channel", channel="general")
    assert "run `ringmain-slack doctor`" in said
    assert error["cause"] == "auth"


@pytest.mark.parametrize("token", ["xoxc-1-2", "xoxd-1", "xapp-1-2", "secret"])
async def test_tokens_of_browsers_are_never_used(fake: FakeSlack, token: str) -> None:
    async with client_of(fake, settings=SlackSettings(url=fake.url, token=SecretStr(token))) as client:
        said, _ = await refusal(client, "whoami")
    assert "tokens of browser sessions never are" in said
    assert fake.requests == []


async def test_settings_that_contradict_themselves_are_refused(fake: FakeSlack) -> None:
    for settings, words in (
        (SlackSettings(url=fake.url), "no credentials are set"),
        (settings_for(fake, tokens={"acme": "xoxb-1"}), "not both"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            async with connect(settings, SERVICES):
                pass


async def test_nothing_is_asked_before_it_is_needed(fake: FakeSlack) -> None:
    fake.crowd(users=200_000, channels=20_000)
    async with client_of(fake) as client:
        await client.list_tools()
        assert fake.requests == []
        await call(client, "read_channel", channel="#general")
    assert len(fake.requests) < 12
    assert fake.asked("users.list") == []
