"""Callers connect accounts of their own: Slack's way of OAuth, tokens that rotate, nobody with another's."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from integration.slack.talking import token_of
from ringmain_core.call import current_call
from ringmain_core.cursors import Cursors
from ringmain_core.errors import (
    AccountNeeded,
    ConfigurationError,
    NotFound,
    UpstreamRefused,
    UpstreamUnavailable,
)
from ringmain_core.identity.accounts.account import Account, Tokens
from ringmain_core.identity.accounts.accounts import Accounts
from ringmain_core.identity.accounts.endpoints import Endpoints, Refused
from ringmain_core.identity.accounts.provider import Identity, ProviderClient
from ringmain_core.identity.accounts.vault import Vault
from ringmain_core.principal import Principal
from ringmain_core.services import Services
from ringmain_slack.api import Slack, connect
from ringmain_slack.doctor import diagnose, ready
from ringmain_slack.provider import provider
from ringmain_slack.settings import SlackSettings
from ringmain_slack.tools.identity import whoami
from standins.slack.state import FakeSlack
from unit.core.accounts.desk import ANN, BOB, RING, MemoryStore, call_of

pytestmark = pytest.mark.anyio


def app_of(fake: FakeSlack) -> tuple[SlackSettings, ProviderClient]:
    fake.client("1.2", "secret")
    settings = SlackSettings(url=fake.url, oauth_client_id="1.2", oauth_client_secret=SecretStr("secret"))
    client = provider(settings)
    assert client is not None
    return settings, client


async def test_a_code_becomes_a_users_token_that_is_renewed_and_taken_back(fake: FakeSlack) -> None:
    _, client = app_of(fake)
    endpoints = Endpoints(client)
    code = fake.code("ada", ["search:read", "chat:write"])
    tokens, identity = await endpoints.exchange(code, "v" * 43, "https://mcp.example.com/cb", frozenset())
    ada = fake.team.known_user("ada")
    assert identity == Identity(f"{fake.team.id}/{ada.id}", f"{ada.id} at Acme")
    assert tokens.scopes == {"search:read", "chat:write"}
    assert tokens.access.get_secret_value().startswith("xoxe.xoxp-")
    assert tokens.expires_at is not None
    renewed = await endpoints.refresh(tokens)
    assert renewed.access != tokens.access
    with pytest.raises(Refused) as caught:
        await endpoints.refresh(tokens)
    assert caught.value.error in client.provider.dead_grant_errors
    assert await endpoints.revoke(renewed)
    with pytest.raises(Refused, match="token_revoked"):
        await endpoints.revoke(renewed)
    await endpoints.close()


@asynccontextmanager
async def at_work(fake: FakeSlack, **operators: SecretStr) -> AsyncGenerator[Slack]:
    """Slack where ann has connected ada's account; the operator may have tokens, too."""
    settings, client = app_of(fake)
    settings = settings.model_copy(update={"tokens": operators})
    store = MemoryStore()
    tokens = Tokens(SecretStr(token_of(fake, "ada")), None, frozenset(), None, None)
    account = Account(Identity("T1/U1", "ada"), tokens, client.client_id, "2026-01-01T00:00:00Z")
    await Vault(store, RING, "slack").put(ANN.owner, account)

    async def reach() -> str:
        return "https://mcp.example.com"

    accounts = Accounts(client, store, RING, reach)
    async with connect(settings, Services(Cursors(b"0" * 32), accounts=accounts)) as slack:
        yield slack


async def handle(slack: Slack, principal: Principal) -> str:
    call = call_of(principal)
    token = current_call.set(call)
    try:
        return (await slack.workspace(call)).about.handle
    finally:
        current_call.reset(token)


async def test_a_caller_acts_with_the_own_account(fake: FakeSlack) -> None:
    async with at_work(fake) as slack:
        assert await handle(slack, ANN) == "ada"


async def test_who_has_connected_none_is_asked_to_and_nothing_is_sent(fake: FakeSlack) -> None:
    async with at_work(fake) as slack:
        await handle(slack, ANN)  # what is known of it is hers alone
        asked = len(fake.requests)
        with pytest.raises(AccountNeeded) as caught:
            await handle(slack, BOB)
    assert caught.value.url.startswith("https://mcp.example.com/accounts/slack/connect?ticket=")
    assert len(fake.requests) == asked


async def test_the_operators_workspaces_are_not_those_of_an_account(fake: FakeSlack) -> None:
    labs = fake.workspace("Labs")
    labs.user("ringmain", "Ringmain", bot=True)
    token = fake.token("labs", "xoxb", user="ringmain", team=labs.id)
    async with at_work(fake, acme=SecretStr(token_of(fake, "bot")), labs=SecretStr(token)) as slack:
        call = call_of(ANN)
        token = current_call.set(call)
        try:
            assert (await slack.workspace(call, "acme")).about.handle == "ada"
            with pytest.raises(NotFound, match="There is no workspace `labs` here; there is `acme`"):
                await slack.place(call, "labs/#general")
            facts = (await whoami.function(slack, call)).facts
        finally:
            current_call.reset(token)
        assert (await slack.workspace(None, "labs")).about.domain == "labs"
    assert (facts["user"].partition(" ")[0], facts["workspaces"]) == ("@ada", [])


async def test_what_the_process_does_by_itself_has_no_account(fake: FakeSlack) -> None:
    async with at_work(fake) as slack:
        with pytest.raises(UpstreamRefused, match="only where the operator has set a token, too"):
            await slack.workspace(None)


async def test_that_slack_answers_is_known_without_any_token(fake: FakeSlack) -> None:
    async with at_work(fake) as slack:
        await ready(slack)
        (check,) = [check async for check in diagnose(slack)]
        assert (check.state, "accounts of their own" in check.detail) == ("ok", True)
        fake.fault("api.test", "html", times=None)
        with pytest.raises(UpstreamUnavailable):
            await ready(slack)


def test_half_a_registration_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="go together"):
        provider(SlackSettings(oauth_client_id="1.2"))
    assert provider(SlackSettings()) is None
