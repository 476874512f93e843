"""The flow that connects an account: authorization code with PKCE, bound to one owner and one browser."""

import base64
import hashlib
import hmac
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from ringmain_core.identity.accounts.account import Account
from ringmain_core.identity.accounts.endpoints import Endpoints, Refused, Unreachable
from ringmain_core.identity.accounts.provider import ProviderClient
from ringmain_core.identity.accounts.tickets import Ticket, Tickets
from ringmain_core.identity.accounts.vault import Vault
from ringmain_core.text import clean

_MOST_WORDS = 300
_log = logging.getLogger(__name__)


class NotConnected(Exception):
    """The provider or its user said no, or an answer cannot be trusted; the text tells a person so."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person is asked before anything happens.

    Attributes:
        cookie: For this browser; only it can go on.
        form: Proves that the answer came from this page.
    """

    ticket: Ticket
    cookie: str
    form: str


OnChange = Callable[[str, str], None]
"""Told of an owner and what has become of his account: `accounts/connect`, `accounts/disconnect`."""


class Flow:
    """The steps, whoever serves them: consent, approval (off to the provider), and the way back."""

    def __init__(
        self,
        client: ProviderClient,
        endpoints: Endpoints,
        vault: Vault,
        tickets: Tickets,
        on_change: OnChange,
    ) -> None:
        self._client = client
        self._on_change = on_change
        self._endpoints = endpoints
        self._vault = vault
        self._tickets = tickets

    def link(self, owner: str, scopes: tuple[str, ...]) -> str:
        """The ticket for a link that lets somebody connect an account to this owner."""
        return self._tickets.seal("link", self._tickets.new(owner, scopes))

    def consent(self, link: str) -> Consent:
        """What to show to whoever opened a link.

        Raises:
            NotValid: Where it is none of ours, or its time is over.
        """
        ticket, _ = self._tickets.open("link", link)
        cookie = secrets.token_urlsafe(32)
        return Consent(ticket, cookie, self._tickets.seal("form", ticket, cookie))

    async def approve(self, form: str, cookie: str, redirect_uri: str) -> str:
        """Use a link up and return where the browser has to go now.

        Raises:
            NotValid: Where the form was not made for this browser, or the link was used before.
        """
        ticket, _ = self._tickets.open("form", form, cookie)
        await self._tickets.use("link", ticket)
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        provider = self._client.provider
        asked = {
            **provider.authorize_parameters,
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": redirect_uri,
            "state": self._tickets.seal(
                "state", ticket, cookie, verifier=verifier, redirect_uri=redirect_uri
            ),
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        if ticket.scopes:
            asked[provider.scope_parameter] = provider.scope_separator.join(ticket.scopes)
        joint = "&" if "?" in provider.authorization_endpoint else "?"
        return f"{provider.authorization_endpoint}{joint}{urlencode(asked)}"

    async def finish(self, answer: Mapping[str, str], cookie: str) -> tuple[Ticket, Account]:
        """Take the provider's answer and keep the account.

        Args:
            answer: The query of the redirect, each parameter once.
            cookie: Of the browser that brings it.

        Raises:
            NotValid: Where it is not the answer to what this browser has begun, or came before.
            NotConnected: Where the provider says no, or somebody else speaks for it.
        """
        ticket, kept = self._tickets.open("state", answer.get("state", ""), cookie)
        self._check_issuer(answer.get("iss"))
        await self._tickets.use("state", ticket)
        title = self._client.provider.title
        if "error" in answer:
            said = " ".join(answer[key] for key in ("error", "error_description") if answer.get(key))
            raise NotConnected(f"{title} says: {clean(said)[:_MOST_WORDS]}")
        if not answer.get("code"):
            raise NotConnected(f"{title} has sent no code.")
        try:
            tokens, identity = await self._endpoints.exchange(
                answer["code"], kept["verifier"], kept["redirect_uri"], frozenset(ticket.scopes)
            )
        except Unreachable:
            raise NotConnected(
                f"{title} cannot be reached by this server. Try again with a new link."
            ) from None
        except Refused as error:
            _log.warning("%s refuses a code: %s %s", title, error.error, error.description)
            raise NotConnected(f"{title} refuses: {error.error}. {error.description}") from None
        now = datetime.now(UTC).isoformat(timespec="seconds")
        account = Account(identity, tokens, self._client.client_id, now)
        await self._vault.put(ticket.owner, account)
        self._on_change(ticket.owner, "accounts/connect")
        _log.info("an account at %s was connected for %s", title, ticket.owner)
        return ticket, account

    def _check_issuer(self, issuer: str | None) -> None:
        """A mix-up of providers ends here (RFC 9207), before a code is sent to the wrong one."""
        provider = self._client.provider
        if issuer is None and not provider.sends_issuer:
            return
        if not hmac.compare_digest((issuer or "").encode(), provider.issuer.encode()):
            raise NotConnected(f"This answer does not come from {provider.title}. Nothing was connected.")
