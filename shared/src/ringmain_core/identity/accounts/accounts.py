"""What connectors ask for: a token that works for the caller at hand, or a link where there is none."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from urllib.parse import urlencode

from ringmain_core.call import Call
from ringmain_core.errors import AccountNeeded, UpstreamUnavailable
from ringmain_core.identity.accounts.account import Account, Token
from ringmain_core.identity.accounts.endpoints import Endpoints, Refused, Unreachable
from ringmain_core.identity.accounts.flow import Flow, OnChange
from ringmain_core.identity.accounts.provider import ProviderClient
from ringmain_core.identity.accounts.refreshing import Refreshing
from ringmain_core.identity.accounts.stores import AccountStore, StoreUnavailable
from ringmain_core.identity.accounts.tickets import LIVES, Tickets
from ringmain_core.identity.accounts.vault import Vault
from ringmain_core.sealing import KeyRing

Reach = Callable[[], Awaitable[str]]
"""Says under which URL browsers reach the pages now, without a slash at the end."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """An account that is forgotten.

    Attributes:
        revoked: Whether the provider has taken its tokens back.
        why_not: Where it has not.
    """

    account: Account
    revoked: bool
    why_not: str = ""


class Accounts:
    """The accounts of one provider, each for its owner only. Nothing is remembered between two calls.

    Args:
        client: The provider, and how it knows us.
        store: Where the accounts are.
        ring: What they are sealed with.
        reach: Where the pages are.
        endpoints: The provider's; another one in tests.
        on_change: Told of the owner whose account was connected (`accounts/connect`) or forgotten
            (`accounts/disconnect`).
    """

    def __init__(
        self,
        client: ProviderClient,
        store: AccountStore,
        ring: KeyRing,
        reach: Reach,
        endpoints: Endpoints | None = None,
        on_change: OnChange = lambda _, __: None,
    ) -> None:
        self.client = client
        self._on_change = on_change
        self.provider = client.provider
        self._reach = reach
        self._store = store
        self._endpoints = endpoints or Endpoints(client)
        self._vault = Vault(store, ring, client.provider.name)
        self._refreshing = Refreshing(client, self._endpoints, self._vault, store)
        self.flow = Flow(client, self._endpoints, self._vault, Tickets(client, ring, store), on_change)

    async def token(self, call: Call, provider_scopes: Collection[str] = ()) -> Token:
        """A token of the caller's own account, refreshed where that is due.

        Args:
            call: Says who calls.
            provider_scopes: What the token has to allow, as the provider spells it.

        Raises:
            AccountNeeded: Where a person has to connect the account, again, or for more; with the link.
            UpstreamUnavailable, UpstreamRefused: Where there is no token at the moment.
        """
        owner, title = call.principal.owner, self.provider.title
        try:
            account = await self._refreshing.current(owner)
            lacking = self.lacks(account, provider_scopes)
            if lacking is None:
                assert account is not None  # noqa: S101 (or it would lack)
                tokens = account.tokens
                return Token(tokens.access, tokens.expires_at, tokens.scopes, account.identity)
            before = frozenset[str]() if account is None else account.tokens.scopes
            url = await self.link(owner, before.union(provider_scopes))
        except StoreUnavailable:
            raise UpstreamUnavailable(
                "Where accounts are kept cannot be reached. Try again later.", retry_after_ms=5_000
            ) from None

        async def is_there() -> bool:
            return self.lacks(await self.find(owner), provider_scopes) is None

        raise AccountNeeded(
            f"{lacking} Open {url} in a browser and connect it, then do this again. The link works once, for "
            f"{LIVES / 60:.0f} minutes, and whatever account is connected there will be used for "
            f"{title} on your behalf: give it to nobody else.",
            url=url,
            provider=self.provider.name,
            is_there=is_there,
        )

    def lacks(self, account: Account | None, scopes: Collection[str] = ()) -> str | None:
        """Why an account cannot be used, in words for a person; `None` where it can."""
        title = self.provider.title
        if account is None:
            return f"You have not connected a {title} account yet."
        known = f"Your {title} account {account.identity.label}"
        if account.client_id != self.client.client_id:
            return f"{known} was connected through another app and has to be connected again."
        if account.dead:
            return f"{known} has to be connected again: {title} has ended its access."
        if not account.tokens.still_work:
            return f"{known} has to be connected again: its access is over."
        if missing := sorted(set(scopes) - account.tokens.scopes):
            return f"{known} has to be connected again, to allow more: {', '.join(missing)}."
        return None

    async def link(self, owner: str, scopes: Collection[str] = ()) -> str:
        """A link under which a person can connect an account for this owner, once.

        Args:
            owner: `Principal.owner`.
            scopes: Asked for beside those that the provider is always asked for.
        """
        wanted = (*self.provider.scopes, *sorted(set(scopes) - set(self.provider.scopes)))
        ticket = urlencode({"ticket": self.flow.link(owner, wanted)})
        return f"{await self._reach()}{self.path('connect')}?{ticket}"

    def path(self, step: str) -> str:
        """Where a page is: `connect` or `callback`."""
        return f"/accounts/{self.provider.name}/{step}"

    async def redirect_uri(self) -> str:
        """Where the provider sends browsers back to; it has to know this address."""
        return f"{await self._reach()}{self.path('callback')}"

    async def find(self, owner: str) -> Account | None:
        """An owner's account as it is, dead or alive.

        Raises:
            StoreUnavailable: Where that cannot be known.
        """
        found = await self._vault.load(owner)
        return None if found is None else found.account

    async def disconnect(self, owner: str) -> Disconnected | None:
        """Forget an owner's account and have the provider take its tokens back; `None` where there is none.

        It is forgotten in any case; where the provider cannot be told, the result says so.

        Raises:
            StoreUnavailable, UpstreamUnavailable: Where it cannot be forgotten now.
        """
        async with self._refreshing.alone(owner):
            account = await self.find(owner)
            await self._vault.delete(owner)
        if account is None:
            return None
        self._on_change(owner, "accounts/disconnect")
        try:
            if await self._endpoints.revoke(account.tokens):
                return Disconnected(account, revoked=True)
        except Unreachable as error:
            return Disconnected(account, revoked=False, why_not=f"it cannot be reached ({error})")
        except Refused as error:
            return Disconnected(account, revoked=False, why_not=f"it refuses ({error.error})")
        return Disconnected(account, revoked=False, why_not="it offers no way to do so")

    async def close(self) -> None:
        """Let refreshes end, and give back connections."""
        await self._refreshing.close()
        await self._endpoints.close()
        await self._store.close()
