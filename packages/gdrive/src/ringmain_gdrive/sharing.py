"""With whom a file may be shared, and asking a person before it is."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from ringmain_core.call import Call
from ringmain_core.confirmations import confirm_destructive
from ringmain_core.errors import InvalidArguments, UpstreamRefused
from ringmain_core.flow import Audience
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.below import told_below
from ringmain_gdrive.exposure import Permission
from ringmain_gdrive.file import told_whole
from ringmain_gdrive.own import Own
from ringmain_gdrive.places import Place
from ringmain_gdrive.readers import possible_readers
from ringmain_gdrive.references import moment

Role = Literal["reader", "commenter", "writer"]

_ADDRESS = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+")
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_MOST_MESSAGE = 1_000
_LONGEST = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is meant: somebody by address, a whole domain, or everybody who has the link.

    Attributes:
        address: Of a person or group, or the domain; empty for everybody.
    """

    kind: Literal["address", "domain", "anyone"]
    address: str = ""

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]

    @property
    def who(self) -> str:
        """In words."""
        if self.kind == "anyone":
            return "everybody who has the link"
        return f"everybody at {self.address}" if self.kind == "domain" else self.address

    def holds(self, permission: Permission) -> bool:
        """Whether a permission is theirs."""
        if self.kind == "anyone":
            return permission.kind == "anyone"
        fits = {"domain"} if self.kind == "domain" else {"user", "group"}
        return permission.kind in fits and permission.address.lower() == self.address

    def body(self, role: str) -> dict[str, Any]:
        """A permission as Drive takes it; an address is a person's until Drive says otherwise."""
        if self.kind == "address":
            return {"type": "user", "emailAddress": self.address, "role": role}
        named = {"domain": self.address} if self.kind == "domain" else {}
        return {"type": self.kind, "role": role, "allowFileDiscovery": False, **named}


@dataclass(frozen=True, slots=True)
class Offer:
    """Access that somebody is to get.

    Attributes:
        expires: As Drive takes it; empty for never.
        notify: Whether a mail is sent, with `message` in it.
    """

    place: Place
    to: Recipient
    role: Role
    expires: str = ""
    notify: bool = False
    message: str | None = None


def holder_of(permission: Permission) -> Recipient:
    """Who holds a permission, as somebody to share with."""
    if permission.kind == "anyone":
        return Recipient("anyone")
    return Recipient("domain" if permission.kind == "domain" else "address", permission.address.lower())


def recipient_of(text: str) -> Recipient:
    """Who is meant by a text.

    Raises:
        InvalidArguments: Where it names nobody.
    """
    text = text.strip().lower()
    if text == "anyone":
        return Recipient("anyone")
    if _ADDRESS.fullmatch(text):
        return Recipient("address", text)
    if _DOMAIN.fullmatch(text):
        return Recipient("domain", text)
    raise InvalidArguments("`to` is an e-mail address, a domain such as example.com, or `anyone`.")


async def require_allowed(gdrive: GDrive, call: Call, recipient: Recipient) -> None:
    """See that the operator lets files be shared with them.

    Raises:
        UpstreamRefused: Where not; it says what the operator can set.
    """
    settings = gdrive.settings
    if recipient.kind == "anyone":
        if not settings.public_links:
            raise UpstreamRefused(
                "Links for everybody are off here. Share with people, or let the operator set "
                "RINGMAIN_GDRIVE_PUBLIC_LINKS."
            )
        return
    allowed = settings.share_domains or {(await gdrive.own(call)).organisation} - {""}
    if recipient.domain not in allowed:
        raise UpstreamRefused(
            f"Files are shared with {', '.join(sorted(allowed)) or 'nobody'} here, and not with "
            f"{recipient.domain or 'somebody without an address'}. The operator can allow more by "
            "RINGMAIN_GDRIVE_SHARE_DOMAINS."
        )


def expiry_of(recipient: Recipient, text: str) -> str:
    """When access is to end, as Drive takes it.

    Raises:
        InvalidArguments: Where Google would not take it: only people's and groups' ends, within a year.
    """
    if recipient.kind != "address":
        raise InvalidArguments("Only the access of people and groups can expire.")
    when = datetime.fromisoformat(moment(text)).replace(tzinfo=UTC)
    if not timedelta() < when - datetime.now(UTC) <= _LONGEST:
        raise InvalidArguments("`expires` lies in the future, at most a year from now.")
    return f"{when:%Y-%m-%dT%H:%M:%S}.000Z"


def require_short(message: str) -> None:
    """See that a message can be shown to a person as a whole, before it is mailed.

    Raises:
        InvalidArguments: Where it cannot.
    """
    if len(message) > _MOST_MESSAGE:
        raise InvalidArguments(f"`message` has at most {_MOST_MESSAGE:,} characters.")


async def ask_to_share(gdrive: GDrive, call: Call, offer: Offer) -> None:
    """Let a person decide, who is told how far it goes.

    Raises:
        Ask, Declined, ConfirmationNeeded: As `confirm` does.
    """
    place, recipient = offer.place, offer.to
    await confirm_destructive(call, "share", f"{await told(gdrive, call, offer)} Do you want that?")
    before = await possible_readers(gdrive, call, place)
    audience = await _audience_with(gdrive, call, before.audience, recipient)
    label = before.label if audience == "group" else ""
    await call.may_share(audience, f"Share {place.title} with {recipient.who}", label)


async def told(gdrive: GDrive, call: Call, offer: Offer) -> str:
    """What sharing would come to, in words for a person: what counts comes before what others have named."""
    until = f" until {offer.expires[:16]}" if offer.expires else ""
    said = f"Give {offer.to.who} access as {offer.role}{until}: {offer.place.where}"
    below = await told_below(gdrive, offer.place)
    said += f" and all that is below, {below}." if below else "."
    own = await gdrive.own(call)
    if is_outside(offer.to, own):
        said += f" That is outside of {own.name}."
    if offer.notify:
        said += f" They get a mail: “{told_whole(offer.message)}”." if offer.message else " They get a mail."
    return said


def is_outside(recipient: Recipient, own: Own) -> bool:
    """Whether it goes beyond the organisation."""
    return recipient.kind == "anyone" or not own.includes(recipient.address)


async def _audience_with(gdrive: GDrive, call: Call, before: Audience, recipient: Recipient) -> Audience:
    """Who can read a file once it is shared with somebody more."""
    if before == "public" or is_outside(recipient, await gdrive.own(call)):
        return "public"
    return "organisation" if before == "organisation" or recipient.kind == "domain" else "group"
