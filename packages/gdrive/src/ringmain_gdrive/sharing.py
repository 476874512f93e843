"""With whom a file may be shared, and asking a person before it is."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from ringmain_core.call import Call
from ringmain_core.confirmations import confirm_destructive
from ringmain_core.errors import InvalidArguments, UpstreamRefused
from ringmain_core.flow import Audience
from ringmain_gdrive.api import GDrive, Place
from ringmain_gdrive.below import told_below
from ringmain_gdrive.exposure import Permission, own_domain
from ringmain_gdrive.references import moment

Role = Literal["reader", "commenter", "writer"]

_ADDRESS = re.compile(r"[^@\s,;<>\"]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+")
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_FOR_ANYBODY = frozenset({"gmail.com", "googlemail.com"})
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


async def require_allowed(gdrive: GDrive, recipient: Recipient) -> None:
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
    allowed = settings.share_domains or frozenset({await own_domain(gdrive)} - _FOR_ANYBODY)
    if recipient.domain not in allowed:
        raise UpstreamRefused(
            f"Files are shared with {', '.join(sorted(allowed)) or 'nobody'} here, and not with "
            f"{recipient.domain}. The operator can allow more by RINGMAIN_GDRIVE_SHARE_DOMAINS."
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


async def ask_to_share(
    gdrive: GDrive, call: Call, place: Place, recipient: Recipient, role: str, own: str, until: str = ""
) -> None:
    """Let a person decide, who is told how far it goes.

    Raises:
        Ask, Declined, ConfirmationNeeded: As `confirm` does.
    """
    what = await told(gdrive, place, recipient, role, own, until)
    await confirm_destructive(call, "share", f"{what} Do you want that?")
    audience = audience_with(place, recipient, own)
    readers = place.file.readers if audience == "group" else ""
    await call.may_share(audience, f"Share “{place.file.name}” with {recipient.who}", readers)


async def told(
    gdrive: GDrive, place: Place, recipient: Recipient, role: str, own: str, until: str = ""
) -> str:
    """What sharing would come to, in words for a person."""
    below = await told_below(gdrive, place)
    said = f"Share “{place.file.name}” ({place.path})"
    said += f" with all that is below, {below}," if below else ""
    said += f" with {recipient.who} as {role}{f' until {until[:16]}' if until else ''}."
    if is_outside(recipient, own):
        said += f" That is outside of {own}."
    return said


def is_outside(recipient: Recipient, own: str) -> bool:
    """Whether it goes beyond the organisation."""
    return recipient.kind == "anyone" or recipient.domain != own


def audience_with(place: Place, recipient: Recipient, own: str) -> Audience:
    """Who can read a file once it is shared with somebody more."""
    before = place.file.audience
    if before == "public" or recipient.kind == "anyone":
        return "public"
    if recipient.kind == "domain":
        return "organisation" if recipient.domain == own else "public"
    return "organisation" if before == "organisation" else "group"
