"""Whose token a request carries: the caller's own account, or a service account acting for the caller."""

import time
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import anyio

from ringmain_core.call import Call
from ringmain_core.errors import ConfigurationError, UpstreamRefused
from ringmain_core.services import Services
from ringmain_core.upstream.guard import Guard
from ringmain_gdrive.client import Client
from ringmain_gdrive.permissions import COVERED_BY, LEAST, SCOPES
from ringmain_gdrive.settings import GDriveSettings

if TYPE_CHECKING:
    from ringmain_core.identity.accounts.accounts import Accounts

_PREFIX = "https://www.googleapis.com/auth/"
_EARLY = 120.0  # seconds before its end that a token is not used any more
_MOST_SUBJECTS = 10_000


@dataclass(frozen=True, slots=True)
class Ticket:
    """A token, and what it is good for.

    Attributes:
        scopes: Without Google's prefix, as far as the operator's tier goes.
        subject: Whose Drive it opens, as far as is known here.
    """

    value: str = field(repr=False)
    scopes: frozenset[str]
    subject: str


class Credentials(Protocol):
    """Gives the token for a request.

    Attributes:
        kind: For people: what it is.
    """

    kind: str

    async def token(self, call: Call | None, wanted: Collection[str] = ()) -> Ticket:
        """The token to use.

        Args:
            call: For whom; `None` for what the process does by itself.
            wanted: Scopes of which the request needs one; an account that has none of them is asked for more.

        Raises:
            AccountNeeded: Where the caller has to connect an account first, or for more.
            UpstreamRefused: Where there is none for this caller.
        """
        ...

    def refused(self, ticket: Ticket) -> None:
        """Hear that Google does not accept a token any more."""
        ...


class OwnAccounts:
    """Each caller's own account."""

    kind = "own account"

    def __init__(self, accounts: "Accounts", settings: GDriveSettings) -> None:
        self._accounts = accounts
        self._allowed = SCOPES[settings.access]

    async def token(self, call: Call | None, wanted: Collection[str] = ()) -> Ticket:
        if call is None:
            raise UpstreamRefused(
                "Changes can be followed only where the operator has set a service account that acts for "
                "somebody."
            )
        # An account may hold more than the operator asks for now.
        if wanted and not set(self._allowed).intersection(wanted):
            raise not_allowed(wanted)
        found = await self._accounts.token(call)
        held = frozenset(scope.removeprefix(_PREFIX) for scope in found.scopes)
        if wanted and not held.intersection(wanted):
            least = next(scope for scope in LEAST if scope in wanted and scope in self._allowed)
            await self._accounts.token(call, [f"{_PREFIX}{least}"])
        scopes = frozenset(scope for scope in self._allowed if held.intersection(COVERED_BY[scope]))
        return Ticket(found.value.get_secret_value(), scopes, found.identity.label)

    def refused(self, ticket: Ticket) -> None:
        """The core refreshes accounts by itself."""


class ServiceAccount:
    """A service account that acts for somebody: the operator's choice, or whom the caller's token names."""

    kind = "service account"

    def __init__(self, settings: GDriveSettings, client: Client, guard: Guard) -> None:
        self._settings = settings
        self._client = client
        self._guard = guard
        self._tokens: OrderedDict[str, tuple[Ticket, float]] = OrderedDict()
        self._making: dict[str, anyio.Lock] = {}

    async def token(self, call: Call | None, wanted: Collection[str] = ()) -> Ticket:
        scopes = SCOPES[self._settings.access]
        if wanted and not set(scopes).intersection(wanted):
            raise not_allowed(wanted)
        subject = self._subject(call)
        lock = self._making.setdefault(subject, anyio.Lock())
        async with lock:
            kept, ends = self._tokens.get(subject, (None, 0.0))
            if kept is None or time.time() > ends - _EARLY:
                kept, ends = await self._make(subject, scopes)
                self._tokens[subject] = (kept, ends)
                if len(self._tokens) > _MOST_SUBJECTS:
                    oldest, _ = self._tokens.popitem(last=False)
                    self._making.pop(oldest, None)
        return kept

    def refused(self, ticket: Ticket) -> None:
        """Make another one the next time."""
        self._tokens.pop(ticket.subject, None)

    def _subject(self, call: Call | None) -> str:
        """Whom to act for; empty for the service account itself."""
        settings = self._settings
        if settings.subject_claim is None or call is None:
            return settings.subject or ""
        found = call.principal.claims.get(settings.subject_claim)
        verified = call.principal.claims.get("email_verified", True)
        if not isinstance(found, str) or "@" not in found or verified is not True:
            raise UpstreamRefused(
                f"Your token has no `{settings.subject_claim}` that says who you are on Google: nothing can "
                "be done on your behalf."
            )
        address = found.lower()
        if address.rpartition("@")[2] not in settings.subject_domains:
            raise UpstreamRefused("Your address is not in a domain that this server may act for.")
        return address

    async def _make(self, subject: str, scopes: tuple[str, ...]) -> tuple[Ticket, float]:
        key = self._settings.service_account_key
        assert key is not None  # noqa: S101 (there would be no service account)
        try:
            value, ends = await self._guard.call_in_thread(
                lambda: self._client.robot_token(key.get_secret_value(), scopes, subject or None),
                access="read",
                name="token",
            )
        except (ValueError, KeyError):
            said = "The service account's key cannot be read: the operator should check it."
            raise UpstreamRefused(said) from None
        return Ticket(value, frozenset(scopes), subject), ends


def not_allowed(wanted: Collection[str]) -> UpstreamRefused:
    """The refusal of what the operator's tier leaves out."""
    least = next((scope for scope in LEAST if scope in wanted), "more")
    return UpstreamRefused(
        f"This needs the scope {least}, which this server does not ask for: the operator can allow it by "
        "RINGMAIN_GDRIVE_ACCESS.",
        reason="insufficientPermissions",
    )


def credentials_of(settings: GDriveSettings, services: Services, client: Client, guard: Guard) -> Credentials:
    """As the settings want it.

    Raises:
        ConfigurationError: Where they say nothing, or contradict themselves.
    """
    if settings.service_account_key is not None:
        if services.accounts is not None:
            raise ConfigurationError(
                "Set RINGMAIN_GDRIVE_SERVICE_ACCOUNT_KEY or RINGMAIN_GDRIVE_OAUTH_CLIENT_ID, not both."
            )
        if settings.subject_claim is not None and not settings.subject_domains:
            raise ConfigurationError(
                "RINGMAIN_GDRIVE_SUBJECT_CLAIM needs RINGMAIN_GDRIVE_SUBJECT_DOMAINS: whom may it act for?"
            )
        return ServiceAccount(settings, client, guard)
    if services.accounts is None:
        raise ConfigurationError(
            "no credentials are set: give RINGMAIN_GDRIVE_OAUTH_CLIENT_ID and _SECRET, with which people "
            "connect their accounts, or RINGMAIN_GDRIVE_SERVICE_ACCOUNT_KEY."
        )
    return OwnAccounts(services.accounts, settings)
