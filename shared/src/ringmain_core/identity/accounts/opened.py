"""Accounts as the settings want them: with their store, their key ring, and pages that browsers can reach."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ringmain_core.connector import AnyConnector
from ringmain_core.errors import ConfigurationError
from ringmain_core.identity.accounts.accounts import Accounts
from ringmain_core.identity.accounts.flow import OnChange
from ringmain_core.identity.accounts.provider import ProviderClient, is_safe
from ringmain_core.identity.accounts.stores import store_of
from ringmain_core.sealing import KeyRing
from ringmain_core.settings import ConnectorSettings, CoreSettings

if TYPE_CHECKING:
    from starlette.routing import Route

    from ringmain_core.identity.accounts.loopback import Loopback

_log = logging.getLogger(__name__)


def _nobody(_: str, __: str) -> None: ...


@asynccontextmanager
async def served_accounts(
    connector: AnyConnector,
    core: CoreSettings,
    settings: ConnectorSettings,
    ring: KeyRing,
    port: int,
    on_change: OnChange = _nobody,
) -> "AsyncGenerator[tuple[Accounts | None, list[Route]]]":
    """The accounts of a connector that is served over HTTP, and the routes to add to its app.

    Args:
        connector: Says whether there is a provider.
        core: Says where the accounts are kept, and how browsers reach the server.
        settings: The connector's.
        ring: Seals what is kept.
        port: That the server listens on.
        on_change: Told of accounts that were connected or forgotten.

    Raises:
        ConfigurationError: Where browsers could not reach the pages, or not in secret.
    """
    client: ProviderClient | None = connector.provider(settings)
    if client is None:
        yield None, []
        return
    from ringmain_core.identity.accounts.pages import Pages

    host = f"[{core.host}]" if ":" in core.host else core.host
    url = core.public_url or f"http://{host}:{port}"
    if not is_safe(url):
        raise ConfigurationError(
            f"People connect accounts in a browser, which has to find this server by https; {url} is not "
            "that: set RINGMAIN_PUBLIC_URL to its address, like https://mcp.example.com."
        )
    if core.accounts == "sqlite" and core.redis_url is not None:
        _log.warning("replicas do not share accounts that are kept in a file: see RINGMAIN_ACCOUNTS")

    async def reach() -> str:
        return url

    accounts = Accounts(client, store_of(core), ring, reach, on_change=on_change)
    try:
        yield accounts, Pages(accounts).routes()
    finally:
        await accounts.close()


@asynccontextmanager
async def local_accounts(
    connector: AnyConnector,
    core: CoreSettings,
    settings: ConnectorSettings,
    ring: KeyRing,
    on_change: OnChange = _nobody,
    connected: Callable[[], None] = lambda: None,
) -> AsyncGenerator[Accounts | None]:
    """The accounts of a connector without HTTP: the pages are on loopback, while there is a link to them."""
    client: ProviderClient | None = connector.provider(settings)
    if client is None:
        yield None
        return
    listener: Loopback | None = None

    def done() -> None:
        if listener is not None:
            listener.end()
        connected()

    async def reach() -> str:
        nonlocal listener
        if listener is None:
            from ringmain_core.identity.accounts.loopback import Loopback
            from ringmain_core.identity.accounts.pages import Pages

            listener = Loopback(Pages(accounts, done).routes(), core.accounts_port)
        return await listener.url()

    accounts = Accounts(client, store_of(core), ring, reach, on_change=on_change)
    try:
        yield accounts
    finally:
        if listener is not None:
            await listener.close()
        await accounts.close()
