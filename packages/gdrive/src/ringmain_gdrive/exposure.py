"""Who can reach a file: permissions in words, and those that reach beyond the organisation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ringmain_core.call import Call
from ringmain_core.errors import UpstreamRefused
from ringmain_core.text import clean
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.own import Own
from ringmain_gdrive.places import Place

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
        return bool(self.inherited_from or self.inherited_role)

    @property
    def inherited_role(self) -> str:
        """What comes from above; empty where nothing does."""
        return self._detail(inherited=True, what="role")

    @property
    def inherited_from(self) -> str:
        """The id of the folder that it comes from."""
        return self._detail(inherited=True, what="inheritedFrom")

    @property
    def own_role(self) -> str:
        """What was given on the file itself; empty where all comes from above."""
        if not self.told.get("permissionDetails"):  # Drive does not tell details of everything
            return self.role
        return self._detail(inherited=False, what="role")

    @property
    def expires(self) -> str:
        """When it ends, RFC 3339; empty for never."""
        return str(self.told.get("expirationTime") or "")

    @property
    def is_deleted(self) -> bool:
        """Whether the account that it was given to is gone."""
        return bool(self.told.get("deleted"))

    def reaches_beyond(self, own: Own) -> bool:
        """Whether it lets in somebody from outside, as far as is known."""
        return self.kind == "anyone" or not own.includes(self.address)

    def _detail(self, *, inherited: bool, what: str) -> str:
        details: Sequence[Mapping[str, Any]] = self.told.get("permissionDetails") or ()
        found = (str(one.get(what) or "") for one in details if bool(one.get("inherited")) is inherited)
        return next(found, "")

    def row(self) -> list[Any]:
        """As a row of `COLUMNS`."""
        notes = [
            note
            for note, holds in (
                ("account deleted", self.is_deleted),
                ("is asked to become owner", self.told.get("pendingOwner")),
            )
            if holds
        ]
        return [self.id, self.who, self.role, self.is_inherited, self.expires[:16], ", ".join(notes)]


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody's access, with the role that counts."""

    permission: Permission
    role: str

    def __str__(self) -> str:
        return f"{self.permission.who} ({self.role})"


@dataclass(frozen=True, slots=True)
class Shift:
    """How access changes where a file goes somewhere else.

    Attributes:
        gains: Those who can do more then.
        losses: Those who can do less.
    """

    gains: Sequence[Held] = ()
    losses: Sequence[Held] = ()

    def __str__(self) -> str:
        gains = f"Gain access: {_named(self.gains)}." if self.gains else "Nobody gains access."
        losses = f"Lose access: {_named(self.losses)}." if self.losses else "Nobody loses access."
        return f"{gains} {losses}"


def _named(some: Sequence[Held]) -> str:
    return ", ".join(str(one) for one in some)


async def shift_of(gdrive: GDrive, call: Call, place: Place, target: Place, *, moves: bool) -> Shift:
    """What it would change to move a file into a folder, or to make a copy of it there.

    What was given on the file itself goes with it where it moves, as its owner does unless a shared drive
    takes it in.
    """
    before, there = await _permissions_told(gdrive, place), await permissions_of(gdrive, target)
    taken_in = bool(target.file.drive) and not place.file.drive
    stays = [one for one in before if one.own_role and not (one.role == "owner" and taken_in)]
    after: dict[str, Held] = {}
    for one in there:
        role = "writer" if one.role == "owner" and not place.file.drive else one.role
        after[one.id] = Held(one, role)
    for one in stays if moves else ():
        if one.id not in after or rank(one.own_role) > rank(after[one.id].role):
            after[one.id] = Held(one, one.own_role)
    had = {one.id: Held(one, one.role) for one in before}
    me = (await gdrive.own(call)).address
    mine = {one.id for one in there if one.address.lower() == me}
    gains = [
        held
        for key, held in after.items()
        if key not in mine and (key not in had or (moves and rank(held.role) > rank(had[key].role)))
    ]
    losses = [one for key, one in had.items() if key not in after or rank(one.role) > rank(after[key].role)]
    return Shift(gains, losses if moves else [])


def rank(role: str) -> int:
    """How much a role lets one do, to be compared."""
    return _RANKS.index(role) if role in _RANKS else 0


async def permissions_of(gdrive: GDrive, place: Place) -> list[Permission]:
    """All permissions of a file, the widest role first."""
    every = gdrive.every(
        "permissions.list",
        "permissions",
        fileId=place.id,
        fields=_FIELDS,
        pageSize=100,
        supportsAllDrives=True,
        headers=place.headers,
    )
    return sorted([Permission(told) async for told in every], key=lambda one: -rank(one.role))


def report(permissions: Sequence[Permission], own: Own) -> str:
    """Who is let in from outside, in words."""
    outside = [f"{one.who} ({one.role})" for one in permissions if one.reaches_beyond(own)]
    if not outside:
        return f"Nobody outside of {own.name} is let in."
    return f"Let in from outside of {own.name}: {', '.join(outside)}."


async def _permissions_told(gdrive: GDrive, place: Place) -> list[Permission]:
    """The permissions of a file as far as Drive tells them: to those who may edit it."""
    try:
        return await permissions_of(gdrive, place)
    except UpstreamRefused:
        return []
