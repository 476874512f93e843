"""What browsers carry between the steps of a flow: sealed, for one owner and browser, good for once."""

import base64
import json
import secrets
import time
from dataclasses import asdict, dataclass
from typing import Any

from ringmain_core.identity.accounts.provider import ProviderClient
from ringmain_core.identity.accounts.stores import AccountStore
from ringmain_core.sealing import KeyRing, NotSealedHere

LIVES = 600.0  # seconds
_LONGER = 60.0  # that a used one is remembered
_MOST_CHARACTERS = 8_000


class NotValid(Exception):
    """Not made here, not for this browser, too old, or used before; the text tells a person what to do."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """Lets whoever holds it connect an account to an owner.

    Attributes:
        id: Random; names the flow, and is used up with it.
        owner: Whose account it becomes.
        scopes: What will be asked for.
        until: Seconds since 1970.
    """

    id: str
    owner: str
    scopes: tuple[str, ...]
    until: float


class Tickets:
    """Makes and reads tickets, in the form of each step: `<id>.<sealed>`, for one provider and client.

    A step is `link` (from the agent to any browser), `form` (from the consent page back) or `state` (to the
    provider and back); the last two are bound to the cookie of the browser that the page was shown in.
    """

    def __init__(self, client: ProviderClient, ring: KeyRing, store: AccountStore) -> None:
        self._bound_to = (client.provider.name, client.client_id)
        self._ring = ring
        self._store = store

    def new(self, owner: str, scopes: tuple[str, ...]) -> Ticket:
        return Ticket(secrets.token_hex(8), owner, scopes, time.time() + LIVES)

    def seal(self, step: str, ticket: Ticket, cookie: str = "", **more: str) -> str:
        """Write a ticket for a step, with what that step needs to know."""
        plain = json.dumps({**asdict(ticket), "more": more}, separators=(",", ":")).encode()
        sealed = self._ring.seal(f"accounts {step}", self._owner(ticket.id, cookie), plain)
        return f"{ticket.id}.{base64.urlsafe_b64encode(sealed).rstrip(b'=').decode()}"

    def open(self, step: str, text: str, cookie: str = "") -> tuple[Ticket, dict[str, str]]:
        """Read a ticket, and what was written beside it.

        Raises:
            NotValid: Where it is not one for this step and browser, or its time is over.
        """
        id_, _, encoded = text[:_MOST_CHARACTERS].partition(".")
        try:
            sealed = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
            plain = self._ring.open(f"accounts {step}", self._owner(id_, cookie), sealed)
        except (NotSealedHere, ValueError):
            raise NotValid(
                "This link is not complete, or was begun in another browser. Ask for a new one."
            ) from None
        values: dict[str, Any] = json.loads(plain)
        ticket = Ticket(values["id"], values["owner"], tuple(values["scopes"]), values["until"])
        if time.time() >= ticket.until:
            raise NotValid(f"This link is older than {LIVES / 60:.0f} minutes. Ask for a new one.")
        return ticket, values["more"]

    async def use(self, step: str, ticket: Ticket) -> None:
        """Use a ticket up for a step.

        Raises:
            NotValid: Where that was done before.
            StoreUnavailable: Where it cannot be known.
        """
        name = f"{step} {self._bound_to[0]} {ticket.id}"
        if not await self._store.claim(name, "used", ticket.until - time.time() + _LONGER):
            raise NotValid("This link has been used before. Ask for a new one.")

    def _owner(self, id_: str, cookie: str) -> str:
        return json.dumps([*self._bound_to, id_, cookie])
