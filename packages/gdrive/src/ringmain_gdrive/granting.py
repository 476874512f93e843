"""A permission as it is wished for, and the one request that brings it about."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ringmain_core.errors import NotFound, UpstreamRefused
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.exposure import Permission, rank
from ringmain_gdrive.sharing import Offer

_OTHER_TYPE = frozenset({"invalid", "invalidSharingRequest"})


@dataclass(frozen=True, slots=True)
class Wish(Offer):
    """What is wanted of a file's permissions.

    Attributes:
        remove: Whether access is taken away instead.
    """

    remove: bool = False

    def is_met(self, permission: Permission | None) -> bool:
        """Whether a permission, if there is one, is what is wanted."""
        if permission is None:
            return self.remove
        if self.remove:
            return False
        if not permission.own_role:  # all that they have comes from above
            return not self.expires and rank(permission.role) >= rank(self.role)
        return permission.own_role == self.role and permission.expires[:16] == self.expires[:16]

    def widens(self, permission: Permission | None) -> bool:
        """Whether more can be done, or for longer, than before."""
        if self.remove:
            return False
        if permission is None or rank(self.role) > rank(permission.role):
            return True
        ends = permission.expires
        return bool(ends) and (not self.expires or self.expires[:16] > ends[:16])


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent, for a rehearsal, and what sends it."""

    told: dict[str, Any]
    send: Callable[[], Awaitable[Any]]


def request_of(gdrive: GDrive, wish: Wish, held: Permission | None) -> Request:
    """The one request that brings it about."""
    place = wish.place
    common: dict[str, Any] = {"fileId": place.id, "supportsAllDrives": True, "headers": place.headers}
    if wish.remove and held is not None:
        return Request({"permissions.delete": held.id}, lambda: _taken(gdrive, held, common))
    ends = {"expirationTime": wish.expires} if wish.expires else {}
    if held is not None and held.own_role:
        body = {"role": wish.role, **ends}
        forever = True if held.expires and not wish.expires else None
        return Request(
            {"permissions.update": held.id, **body},
            lambda: gdrive.send(
                "permissions.update",
                permissionId=held.id,
                removeExpiration=forever,
                body=body,
                idempotent=True,
                fields="id",
                **common,
            ),
        )
    body = wish.to.body(wish.role) | ends
    if wish.to.kind == "address":
        common |= {"sendNotificationEmail": wish.notify, "emailMessage": wish.message}
    mail = {"sendNotificationEmail": True, "emailMessage": wish.message} if wish.notify else {}
    return Request({"permissions.create": body, **mail}, lambda: _given(gdrive, wish, body, common))


async def _given(
    gdrive: GDrive, wish: Wish, body: Mapping[str, Any], common: Mapping[str, Any]
) -> Mapping[str, Any]:
    async def send(kind: str) -> Mapping[str, Any]:
        return await gdrive.send(
            "permissions.create",
            body={**body, "type": kind},
            idempotent=not wish.notify,  # to give the same again changes nothing, but would send a mail again
            fields="id",
            **common,
        )

    try:
        return await send(body["type"])
    except UpstreamRefused as refused:
        if wish.to.kind != "address" or refused.detail.get("reason") not in _OTHER_TYPE:
            raise
        try:
            return await send("group")  # an address does not tell whose it is
        except UpstreamRefused:
            raise refused from None


async def _taken(gdrive: GDrive, held: Permission, common: Mapping[str, Any]) -> None:
    try:
        await gdrive.send("permissions.delete", permissionId=held.id, idempotent=True, **common)
    except NotFound:
        return  # the try before has taken it
