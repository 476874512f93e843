"""Who can reach a file: permissions in words, and those that reach beyond the organisation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ringmain_core.text import clean
from ringmain_gdrive.api import GDrive, Place

COLUMNS = ["id", "who", "role", "inherited", "expires", "note"]
_FIELDS = (
    "nextPageToken,permissions(id,type,role,emailAddress,domain,displayName,expirationTime,deleted,"
    "allowFileDiscovery,pendingOwner,permissionDetails(inherited,inheritedFrom,role))"
)
_RANKS = ("reader", "commenter", "writer", "fileOrganizer", "organizer", "owner")


@dataclass(frozen=True, slots=True)
class Permission:
    """One permission of a file.

    Attributes:
        told: As Drive describes it.
    """

    told: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.told["id"])

    @property
    def kind(self) -> str:
        """`user`, `group`, `domain` or `anyone`."""
        return str(self.told["type"])

    @property
    def role(self) -> str:
        return str(self.told["role"])

    @property
    def address(self) -> str:
        """The e-mail address or domain; empty for everybody."""
        return clean(str(self.told.get("emailAddress") or self.told.get("domain") or ""))

    @property
    def who(self) -> str:
        """In words."""
        if self.kind == "anyone":
            found = self.told.get("allowFileDiscovery")
            return "everybody on the web" if found else "everybody who has the link"
        if self.kind == "domain":
            return f"everybody at {self.address}"
        return f"{self.kind} {self.address or self.id}"

    @property
    def is_inherited(self) -> bool:
        """Whether it comes from a folder above, and can only be taken away there."""
        details: Sequence[Mapping[str, Any]] = self.told.get("permissionDetails") or ()
        return any(one.get("inherited") for one in details)

    def reaches_beyond(self, domain: str) -> bool:
        """Whether it lets in somebody from outside of a domain."""
        if self.kind == "anyone":
            return True
        return bool(self.address) and self.address.rpartition("@")[2].lower() != domain

    def row(self) -> list[Any]:
        """As a row of `COLUMNS`."""
        notes = [
            note
            for note, holds in (
                ("account deleted", self.told.get("deleted")),
                ("is asked to become owner", self.told.get("pendingOwner")),
            )
            if holds
        ]
        expires = str(self.told.get("expirationTime") or "")[:16]
        return [self.id, self.who, self.role, self.is_inherited, expires, ", ".join(notes)]


async def permissions_of(gdrive: GDrive, place: Place) -> list[Permission]:
    """All permissions of a file, the widest role first."""
    found: list[Permission] = []
    token: str | None = None
    while True:
        page = await gdrive.get(
            "permissions.list",
            fileId=place.id,
            fields=_FIELDS,
            pageSize=100,
            pageToken=token,
            supportsAllDrives=True,
        )
        found += [Permission(told) for told in page.get("permissions") or ()]
        token = page.get("nextPageToken")
        if not token:
            return sorted(found, key=lambda one: -_RANKS.index(one.role) if one.role in _RANKS else 0)


def report(permissions: Sequence[Permission], domain: str) -> str:
    """Who is let in from outside of a domain, in words."""
    outside = [f"{one.who} ({one.role})" for one in permissions if one.reaches_beyond(domain)]
    if not outside:
        return f"Nobody outside of {domain} is let in."
    return f"Let in from outside of {domain}: {', '.join(outside)}."


async def own_domain(gdrive: GDrive) -> str:
    """The domain of whoever works here."""
    about = await gdrive.get("about.get", fields="user(emailAddress)")
    return str(about["user"]["emailAddress"]).rpartition("@")[2].lower()
