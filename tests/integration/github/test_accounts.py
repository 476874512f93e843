"""Each caller acts on GitHub with the account that they have connected, and nobody with another's."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from integration.github.working import connected
from ringmain_core.call import current_call
from ringmain_core.cursors import Cursors
from ringmain_core.errors import AccountNeeded, UpstreamRefused
from ringmain_core.identity.accounts.account import Account, Tokens
from ringmain_core.identity.accounts.accounts import Accounts
from ringmain_core.identity.accounts.provider import Identity
from ringmain_core.identity.accounts.vault import Vault
from ringmain_core.principal import Principal
from ringmain_core.services import Services
from ringmain_github.api import GitHub
from ringmain_github.provider import provider
from ringmain_github.settings import GitHubSettings
from standins.github.state import FakeGitHub
from unit.core.accounts.desk import ANN, BOB, RING, MemoryStore, call_of

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def at_work(fake: FakeGitHub) -> AsyncGenerator[GitHub]:
    """GitHub where ann has connected mona's account."""
    settings = GitHubSettings(url=fake.url, oauth_client_id="Iv1.1", oauth_client_secret=SecretStr("s"))
    client = provider(settings)
    assert client is not None
    store = MemoryStore()
    token = SecretStr(fake.token("of mona", login="mona", kind="oauth"))
    tokens = Tokens(token, None, frozenset({"repo"}), None, None)
    account = Account(Identity("1", "mona"), tokens, client.client_id, "2026-01-01T00:00:00Z")
    await Vault(store, RING, "github").put(ANN.owner, account)

    async def reach() -> str:
        return "https://mcp.example.com"

    services = Services(Cursors(b"0" * 32), accounts=Accounts(client, store, RING, reach))
    async with connected(settings, services) as github:
        yield github


async def login(github: GitHub, principal: Principal) -> str:
    token = current_call.set(call_of(principal))
    try:
        return (await github.get("/user")).json()["login"]
    finally:
        current_call.reset(token)


async def test_a_caller_acts_with_the_own_account(fake: FakeGitHub) -> None:
    async with at_work(fake) as github:
        assert await login(github, ANN) == "mona"
    assert [one.token for one in fake.requests] == ["of mona"]


async def test_who_has_connected_none_is_asked_to_and_nothing_is_sent(fake: FakeGitHub) -> None:
    async with at_work(fake) as github:
        await login(github, ANN)  # what is known of it is hers alone
        with pytest.raises(AccountNeeded) as caught:
            await login(github, BOB)
    assert caught.value.url.startswith("https://mcp.example.com/accounts/github/connect?ticket=")
    assert len(fake.requests) == 1


async def test_what_the_process_does_by_itself_has_no_account(fake: FakeGitHub) -> None:
    async with at_work(fake) as github:
        with pytest.raises(UpstreamRefused, match="only where the operator has set a token or an app, too"):
            await github.get("/user")
    assert fake.requests == []
