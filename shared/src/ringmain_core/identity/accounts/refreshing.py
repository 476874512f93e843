"""Keeps tokens fresh: never two refreshes of one account at once, and no new refresh token is ever lost."""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from ringmain_core.errors import UpstreamRefused, UpstreamUnavailable
from ringmain_core.identity.accounts.account import Account
from ringmain_core.identity.accounts.endpoints import Endpoints, Refused, Unreachable
from ringmain_core.identity.accounts.provider import ProviderClient
from ringmain_core.identity.accounts.stores import AccountStore, StoreUnavailable
from ringmain_core.identity.accounts.vault import Kept, Vault

_CLAIMED_FOR = 60.0  # seconds; longer than a refresh and all tries to keep its result can take
_WAIT_FOR_OTHERS = 15.0
_LOOK_AGAIN = 0.05
_TRIES_TO_KEEP, _BETWEEN_TRIES = 4, 0.25
_log = logging.getLogger(__name__)


class Refreshing:
    """Accounts with tokens that work, for all callers in this process and beside all other processes.

    A refresh token often works once, and using it twice makes the provider end the whole grant. So there is
    one task for each owner, however many calls wait for it; it holds a claim in the store, which other
    processes see; and it goes on when the calls that wait for it are cancelled.
    """

    def __init__(
        self, client: ProviderClient, endpoints: Endpoints, vault: Vault, store: AccountStore
    ) -> None:
        self._client = client
        self._endpoints = endpoints
        self._vault = vault
        self._store = store
        self._running: dict[str, asyncio.Task[Account | None]] = {}
        self._unsaved: dict[str, tuple[Kept, Account]] = {}

    async def current(self, owner: str) -> Account | None:
        """The owner's account, with a new token where the old one is about to end.

        Returns:
            `None` where there is none; one that is `dead`, or has a token that does not work any more and
            nothing to refresh it with, where it has to be connected again.

        Raises:
            StoreUnavailable: Where accounts cannot be read.
            UpstreamUnavailable, UpstreamRefused: Where the provider gives no new token; the account stays.
        """
        account = await self._load(owner)
        if account is None or not self._wants_refresh(account):
            return account
        task = self._running.get(owner)
        if task is None:
            task = asyncio.create_task(self._refresh(owner))
            self._running[owner] = task
            task.add_done_callback(lambda done: self._forget(owner, done))
        return await asyncio.shield(task)

    @asynccontextmanager
    async def alone(self, owner: str) -> AsyncGenerator[None]:
        """Keep all others from refreshing an owner's account, in every process that shares the store.

        Raises:
            StoreUnavailable: Where that cannot be made sure.
            UpstreamUnavailable: Where somebody else takes too long.
        """
        name, holder = f"refresh {self._client.provider.name} {owner}", secrets.token_hex(8)
        patience = time.monotonic() + _WAIT_FOR_OTHERS
        while not await self._store.claim(name, holder, _CLAIMED_FOR):
            if time.monotonic() > patience:
                raise UpstreamUnavailable(
                    f"The token for {self._client.provider.title} is being refreshed elsewhere. Try again.",
                    retry_after_ms=5_000,
                )
            await asyncio.sleep(_LOOK_AGAIN)
        try:
            yield
        finally:
            with suppress(StoreUnavailable):  # it ends by itself
                await self._store.release(name, holder)

    async def close(self) -> None:
        """Let what is running end, and try a last time to keep what could not be kept."""
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        for owner in list(self._unsaved):
            with suppress(StoreUnavailable):
                await self._load(owner)
        if self._unsaved:
            _log.error("%d refreshed accounts could not be kept: connect them again", len(self._unsaved))

    def _wants_refresh(self, account: Account) -> bool:
        return (
            not account.dead
            and not account.tokens.are_fresh
            and account.tokens.refresh is not None
            and account.client_id == self._client.client_id
        )

    def _forget(self, owner: str, done: "asyncio.Task[Account | None]") -> None:
        del self._running[owner]
        if not done.cancelled():
            done.exception()  # all who waited may be gone; it is in the log where it matters

    async def _load(self, owner: str) -> Account | None:
        """The account; where the newest tokens could not be kept yet, that is tried again first."""
        unsaved = self._unsaved.get(owner)
        if unsaved is not None:
            kept, account = unsaved
            try:
                await self._vault.replace(owner, kept, account)
            except StoreUnavailable:
                return account
            # Kept now, or overtaken: connected anew, or disconnected.
            self._unsaved.pop(owner, None)
        found = await self._vault.load(owner)
        return None if found is None else found.account

    async def _refresh(self, owner: str) -> Account | None:
        async with self.alone(owner):
            return await self._refresh_alone(owner)

    async def _refresh_alone(self, owner: str) -> Account | None:
        await self._load(owner)
        if owner in self._unsaved:  # the stored refresh token is used up already
            raise StoreUnavailable("a refreshed account could not be kept yet")
        kept = await self._vault.load(owner)  # as whoever was alone before has left it
        if kept is None or not self._wants_refresh(kept.account):
            return None if kept is None else kept.account
        account, title = kept.account, self._client.provider.title
        try:
            tokens = await self._endpoints.refresh(account.tokens)
        except Unreachable as error:
            if account.tokens.still_work:
                return account
            raise UpstreamUnavailable(
                f"{title} gives no new token at the moment ({error}). The account stays connected: try again "
                "later.",
                retry_after_ms=5_000,
            ) from None
        except Refused as error:
            if error.error in self._client.provider.dead_grant_errors:
                _log.warning("%s says that a refresh token is of no use any more (%s)", title, error.error)
                return await self._refused(owner, kept, error.error)
            raise UpstreamRefused(
                f"{title} refuses to refresh the token ({error.error}). The account stays connected; an "
                "operator should check the client id and secret of this server.",
            ) from None
        return await self._keep(owner, kept, replace(account, tokens=tokens, refused_at=None))

    async def _refused(self, owner: str, kept: Kept, error: str) -> Account | None:
        """Believe it the second time, where the provider is known to say so of tokens that still work.

        Raises:
            UpstreamUnavailable: The first time; the account stays.
        """
        account, provider = kept.account, self._client.provider
        first = account.refused_at or time.time()
        if time.time() - first >= provider.grace:
            return await self._keep(owner, kept, replace(account, dead=True))
        if account.refused_at is None:
            account = await self._keep(owner, kept, replace(account, refused_at=first)) or account
        if account.tokens.still_work:
            return account
        raise UpstreamUnavailable(
            f"{provider.title} gives no new token at the moment ({error}). The account stays connected: try "
            "again later.",
            retry_after_ms=60_000,
        )

    async def _keep(self, owner: str, kept: Kept, account: Account) -> Account | None:
        """Put a changed account in the place of the one it was made of, unless that one has gone."""
        for attempt in range(_TRIES_TO_KEEP):
            try:
                if await self._vault.replace(owner, kept, account) is not None:
                    return account
                found = await self._vault.load(owner)
            except StoreUnavailable as error:
                _log.warning("a refreshed account is not kept yet, try %d: %s", attempt + 1, error)
                await asyncio.sleep(_BETWEEN_TRIES)
            else:
                return None if found is None else found.account  # connected anew, or disconnected, meanwhile
        self._unsaved[owner] = (kept, account)
        return account
