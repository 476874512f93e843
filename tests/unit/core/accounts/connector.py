"""A connector whose only tool says who its caller is at the provider."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx2
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from ringmain_core.arguments import Upstream
from ringmain_core.call import Call
from ringmain_core.connector import Check, Connector
from ringmain_core.errors import UpstreamRefused
from ringmain_core.identity.accounts.accounts import Accounts
from ringmain_core.identity.accounts.asking import with_account
from ringmain_core.identity.accounts.provider import Provider, ProviderClient
from ringmain_core.services import Services
from ringmain_core.settings import ConnectorSettings
from ringmain_core.tooling import tool
from unit.core.accounts.desk import identify


class DeskSettings(ConnectorSettings):
    model_config = SettingsConfigDict(env_prefix="RINGMAIN_DESK_")

    issuer: Annotated[str, Field(description="Where the provider is.")] = "https://desk.example.com"
    client_id: Annotated[str | None, Field(description="Of the registered app.")] = None
    client_secret: Annotated[SecretStr | None, Field(description="Of the registered app.")] = None


def provider(settings: DeskSettings) -> ProviderClient | None:
    if settings.client_id is None:
        return None
    at = settings.issuer
    desk = Provider(
        name="desk",
        title="Desk",
        issuer=at,
        authorization_endpoint=f"{at}/auth",
        token_endpoint=f"{at}/token",
        userinfo_endpoint=f"{at}/me",
        revocation_endpoint=f"{at}/token/revocation",
        scopes=("openid", "email", "offline_access"),
        authorize_parameters={"prompt": "consent"},
        identify=identify,
        sends_issuer=True,
    )
    return ProviderClient(desk, settings.client_id, settings.client_secret)


class DeskClient(Upstream):
    """Asks the provider, with the caller's token."""

    def __init__(self, accounts: Accounts) -> None:
        self.accounts = accounts
        self._http = httpx2.AsyncClient()

    async def who(self, call: Call) -> str:
        token = await self.accounts.token(call)
        bearer = {"Authorization": f"Bearer {token.value.get_secret_value()}"}
        answer = await self._http.get(self.accounts.provider.userinfo_endpoint or "", headers=bearer)
        if answer.status_code != 200:
            raise UpstreamRefused("The token does not work.")
        return answer.json()["email"]

    async def close(self) -> None:
        await self._http.aclose()


@tool(access="read", title="Who am I")
async def whoami(desk: DeskClient, call: Call) -> Any:
    """Say whose account is used."""
    return await with_account(lambda: desk.who(call), call)


@tool(access="read", title="Who am I here")
async def label(desk: DeskClient, call: Call) -> Any:
    """Say whose account is used, without asking the provider."""

    async def run() -> str:
        return (await desk.accounts.token(call)).identity.label

    return await with_account(run, call)


@asynccontextmanager
async def _connect(_: DeskSettings, services: Services) -> AsyncGenerator[DeskClient]:
    assert services.accounts is not None
    client = DeskClient(services.accounts)
    yield client
    await client.close()


async def _ready(_: DeskClient) -> None:
    pass


async def _diagnose(_: DeskClient) -> AsyncIterator[Check]:
    yield Check("desk", "ok", "fine")


class DeskConnector(Connector[DeskSettings, DeskClient]):
    @property
    def version(self) -> str:
        return "1.0.0"


connector = DeskConnector(
    name="desk",
    title="Desk",
    instructions="Try it.",
    settings=DeskSettings,
    connect=_connect,
    ready=_ready,
    diagnose=_diagnose,
    tools=(whoami, label),
    provider=provider,
)
