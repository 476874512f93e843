"""Callers connect accounts of their own: Google's OAuth with PKCE, least scopes, nobody with another's."""

import base64
import hashlib
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest
from pydantic import SecretStr

from integration.gdrive.working import ADA
from ringmain_core.call import current_call
from ringmain_core.cursors import Cursors
from ringmain_core.errors import AccountNeeded, ConfigurationError, UpstreamRefused, UpstreamUnavailable
from ringmain_core.identity.accounts.account import Account, Tokens
from ringmain_core.identity.accounts.accounts import Accounts
from ringmain_core.identity.accounts.endpoints import Endpoints, Refused
from ringmain_core.identity.accounts.provider import Identity, ProviderClient
from ringmain_core.identity.accounts.vault import Vault
from ringmain_core.principal import Principal
from ringmain_core.services import Services
from ringmain_gdrive.api import GDrive, connect
from ringmain_gdrive.provider import provider
from ringmain_gdrive.settings import GDriveSettings
from standins.gdrive.state import FakeDrive
from unit.core.accounts.desk import ANN, BOB, RING, MemoryStore, call_of

pytestmark = pytest.mark.anyio

PREFIX = "https://www.googleapis.com/auth/"
BACK = "http://127.0.0.1:1/accounts/google/callback"


def app_of(fake: FakeDrive, **more: Any) -> tuple[GDriveSettings, ProviderClient]:
    fake.client("ringmain", "secret")
    settings = GDriveSettings(
        url=fake.url,
        authorize_url=f"{fake.url}/o/oauth2/v2/auth",
        token_url=f"{fake.url}/token",
        oauth_client_id="ringmain",
        oauth_client_secret=SecretStr("secret"),
        **more,
    )
    client = provider(settings)
    assert client is not None
    return settings, client


async def code_of(client: ProviderClient, verifier: str) -> str:
    """What Google sends the browser back with, once somebody has said yes."""
    digest = hashlib.sha256(verifier.encode()).digest()
    asked = {
        "client_id": client.client_id,
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": " ".join(client.provider.scopes),
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
        "login_hint": ADA,
        **client.provider.authorize_parameters,
    }
    async with httpx2.AsyncClient() as browser:
        answer = await browser.get(f"{client.provider.authorization_endpoint}?{urlencode(asked)}")
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


async def test_a_code_becomes_a_token_that_is_renewed_and_taken_back(fake: FakeDrive) -> None:
    _, client = app_of(fake)
    endpoints = Endpoints(client)
    verifier = "v" * 43
    tokens, identity = await endpoints.exchange(await code_of(client, verifier), verifier, BACK, frozenset())
    assert identity.label == ADA
    assert tokens.scopes == {f"{PREFIX}drive.readonly", f"{PREFIX}drive.file"}
    assert tokens.refresh is not None
    renewed = await endpoints.refresh(tokens)
    assert renewed.access != tokens.access
    assert await endpoints.revoke(renewed)
    with pytest.raises(Refused) as caught:
        await endpoints.refresh(renewed)
    assert caught.value.error in client.provider.dead_grant_errors
    with pytest.raises(Refused):  # a code is good only for who has the verifier
        await endpoints.exchange(await code_of(client, verifier), "w" * 43, BACK, frozenset())
    await endpoints.close()


@asynccontextmanager
async def at_work(
    fake: FakeDrive, *scopes: str, expired: bool = False, **more: Any
) -> AsyncGenerator[tuple[GDrive, Accounts]]:
    """Drive where ann has connected ada's account with these scopes."""
    settings, client = app_of(fake, **more)
    store = MemoryStore()
    refresh = fake.refresh_token(ADA, scopes, app="ringmain") if expired else None
    ends = time.time() - 1 if expired else None
    tokens = Tokens(
        SecretStr(fake.token(ADA, scopes=list(scopes))),
        None if refresh is None else SecretStr(refresh),
        frozenset(f"{PREFIX}{scope}" for scope in scopes),
        ends,
        ends,
    )
    account = Account(Identity("1", ADA), tokens, client.client_id, "2026-01-01T00:00:00Z")
    await Vault(store, RING, "google").put(ANN.owner, account)

    async def reach() -> str:
        return "https://mcp.example.com"

    accounts = Accounts(client, store, RING, reach)
    async with connect(settings, Services(Cursors(b"0" * 32), accounts=accounts)) as gdrive:
        yield gdrive, accounts
    await accounts.close()


async def name_of(gdrive: GDrive, principal: Principal) -> str:
    call = call_of(principal)
    call.connector = "gdrive"
    token = current_call.set(call)
    try:
        return (await gdrive.place(call, "/Plans/Launch plan")).file.name
    finally:
        current_call.reset(token)


async def test_a_caller_acts_with_the_own_account(fake: FakeDrive) -> None:
    async with at_work(fake, "drive.readonly") as (gdrive, _):
        assert await name_of(gdrive, ANN) == "Launch plan"
        asked = len(fake.requests)
        with pytest.raises(AccountNeeded) as caught:
            await name_of(gdrive, BOB)
        assert len(fake.requests) == asked
    assert caught.value.url.startswith("https://mcp.example.com/accounts/google/connect?ticket=")


async def test_an_account_is_asked_for_more_where_it_lacks_a_scope(fake: FakeDrive) -> None:
    async with at_work(fake, "drive.file") as (gdrive, _):
        with pytest.raises(AccountNeeded, match=r"to allow more: .*drive\.readonly"):
            await name_of(gdrive, ANN)
    async with at_work(fake, "drive.file", access="metadata") as (gdrive, _):
        with pytest.raises(AccountNeeded, match=r"drive\.metadata\.readonly"):
            await name_of(gdrive, ANN)


async def test_one_invalid_grant_ends_no_account(fake: FakeDrive) -> None:
    async with at_work(fake, "drive.readonly", expired=True) as (gdrive, accounts):
        fake.fault("oauth.token", "503")
        with pytest.raises(UpstreamUnavailable):
            await name_of(gdrive, ANN)
        grant = next(iter(fake.grants.values()))
        grant.revoked = True
        with pytest.raises(UpstreamUnavailable, match="invalid_grant"):
            await name_of(gdrive, ANN)
        grant.revoked = False
        assert await name_of(gdrive, ANN) == "Launch plan"
        account = await accounts.find(ANN.owner)
    assert account is not None
    assert not account.dead


async def test_what_the_process_does_by_itself_has_no_account(fake: FakeDrive) -> None:
    async with at_work(fake, "drive.readonly") as (gdrive, _):
        with pytest.raises(UpstreamRefused, match="only where the operator has set a service account"):
            await gdrive.feed.begin()


def test_half_a_registration_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="go together"):
        provider(GDriveSettings(oauth_client_id="x"))
    assert provider(GDriveSettings()) is None


async def test_an_account_that_holds_more_does_no_more_than_the_operator_allows(fake: FakeDrive) -> None:
    call = call_of(ANN)
    call.connector = "gdrive"
    async with at_work(fake, "drive", access="read") as (gdrive, _):
        assert await name_of(gdrive, ANN) == "Launch plan"
        assert (await gdrive.credentials.token(call)).scopes == {"drive.readonly"}
        token = current_call.set(call)
        with pytest.raises(UpstreamRefused, match="RINGMAIN_GDRIVE_ACCESS"):
            await gdrive.send("files.create", body={"name": "x"}, fields="id")
        current_call.reset(token)
    assert fake.asked("drive.files.create") == []
