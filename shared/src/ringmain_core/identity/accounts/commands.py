"""`accounts list`, `accounts connect` and `accounts disconnect`."""

import argparse
import asyncio
from collections.abc import Callable

from ringmain_core.connector import AnyConnector
from ringmain_core.errors import ConfigurationError, UpstreamUnavailable
from ringmain_core.gates.audit import account_record
from ringmain_core.identity.accounts.accounts import Accounts
from ringmain_core.identity.accounts.opened import local_accounts
from ringmain_core.identity.accounts.stores import StoreUnavailable
from ringmain_core.identity.accounts.tickets import LIVES
from ringmain_core.on_disk import PolicyStore, key_ring, opened_audit
from ringmain_core.principal import LOCAL, Principal
from ringmain_core.settings import ConnectorSettings, CoreSettings

_FAILED = 1
_METHODS = ("jwt:", "api_key:", "local:")
Say = Callable[[str], None]


async def run_accounts(
    connector: AnyConnector,
    options: argparse.Namespace,
    core: CoreSettings,
    settings: ConnectorSettings,
    say: Say,
    complain: Say,
) -> int:
    """Run one of the commands and return its exit status."""
    owner = _owner(connector, core, options.owner)
    connected = asyncio.Event()
    with opened_audit(connector, core) as audit:

        def on_record(whose: str, what: str) -> None:
            audit.append(account_record(connector.name, whose, what))

        async with local_accounts(
            connector, core, settings, key_ring(core), on_record, connected.set
        ) as accounts:
            if accounts is None:
                raise ConfigurationError(
                    f"{connector.distribution} has no accounts to connect: set "
                    f"RINGMAIN_{connector.name.upper()}_OAUTH_CLIENT_ID first, if it supports them."
                )
            try:
                match options.action:
                    case "connect":
                        return await _connect(accounts, owner, connected, say, complain)
                    case "disconnect":
                        return await _disconnect(accounts, owner, say, complain)
                    case _:
                        return await _list(accounts, owner, say)
            except StoreUnavailable as error:
                raise ConfigurationError(f"accounts cannot be read or written: {error}") from None
            except UpstreamUnavailable as error:
                complain(error.message)
                return _FAILED


def _owner(connector: AnyConnector, core: CoreSettings, given: str) -> str:
    """The owner that an agent's id stands for; `jwt:…` is somebody who comes with a token."""
    if given.startswith(_METHODS):
        return given
    if given == LOCAL.id:
        return LOCAL.owner
    known = PolicyStore(connector, core.policy).current.agents
    if given not in known:
        raise ConfigurationError(
            f"there is no agent {given!r} (known: {', '.join(known)}). Callers with tokens are `jwt:<id>`, "
            "as the audit spells the id."
        )
    return Principal(given, "api_key").owner


async def _connect(accounts: Accounts, owner: str, connected: asyncio.Event, say: Say, complain: Say) -> int:
    say(f"{accounts.provider.title} has to know this address: {await accounts.redirect_uri()}")
    say(f"Open this in a browser on this computer, within {LIVES / 60:.0f} minutes:")
    say(await accounts.link(owner))
    try:
        async with asyncio.timeout(LIVES):
            await connected.wait()
    except TimeoutError:
        complain("Nobody has connected an account.")
        return _FAILED
    account = await accounts.find(owner)
    if account is not None:
        say(f"Connected: {account.identity.label} for {owner}.")
    return 0


async def _disconnect(accounts: Accounts, owner: str, say: Say, complain: Say) -> int:
    done = await accounts.disconnect(owner)
    title = accounts.provider.title
    if done is None:
        complain(f"{owner} has no {title} account here.")
        return _FAILED
    say(f"Disconnected: {done.account.identity.label} of {owner}.")
    if not done.revoked:
        complain(f"{title} has not taken the access back ({done.why_not}): end it in the settings there.")
    return 0


async def _list(accounts: Accounts, owner: str, say: Say) -> int:
    account = await accounts.find(owner)
    if account is None:
        say(f"{owner} has no {accounts.provider.title} account here. Connect one with `accounts connect`.")
        return 0
    scopes = " ".join(sorted(account.tokens.scopes)) or "not said"
    state = "works" if accounts.lacks(account) is None else "has to be connected again"
    say(f"{owner}  {accounts.provider.title}  {account.identity.label}  {state}")
    say(f"  since {account.connected_at}, scopes: {scopes}")
    return 0
