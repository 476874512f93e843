"""`permissions.*`: who may do what; given, changed, taken away."""

from typing import Any

from standins.gdrive import sharing
from standins.gdrive.access import Held
from standins.gdrive.capabilities import can_share
from standins.gdrive.errors import Refusal, bad_request, no_permission, not_writable
from standins.gdrive.file import File
from standins.gdrive.models import RANK, Mail, Permission
from standins.gdrive.permission_shapes import permission
from standins.gdrive.viewer import CONTENT
from standins.gdrive.web import Asked, Routes, moment

routes = Routes()

_CHANGEABLE = {"role", "expirationTime", "allowFileDiscovery"}


def _file(asked: Asked) -> File:
    """The file, or the top of the shared drive, that it is about."""
    if asked.flag("useDomainAdminAccess"):
        found = asked.store.drives.get(asked.text("fileId"))
        if found is not None and asked.view.user.admin and asked.view.user.domain == found.domain:
            return asked.store.files[found.id]
    return asked.file()


def _held(asked: Asked, file: File) -> Held:
    """The permission that it is about; where it counts more than once, the one of the best role.

    Raises:
        Refusal: `notFound`.
    """
    number = asked.text("permissionId")
    found = next((one for one in asked.store.access.best(file) if one.permission.id == number), None)
    if found is None:
        raise Refusal(404, "notFound", f"Permission not found: {number}.", location="permissionId")
    return found


def _manage(asked: Asked, file: File) -> None:
    if asked.flag("useDomainAdminAccess") and file.fixed:
        return
    if not can_share(file, asked.view.rank(file)):
        raise no_permission(file.id)


@routes.on("drive.permissions.list")
def listed(asked: Asked) -> dict[str, Any]:
    file = _file(asked)
    if not asked.flag("useDomainAdminAccess"):
        asked.view.require(file, "writer")
    rows = asked.store.access.best(file)
    size = 100 if file.drive else max(len(rows), 1)
    page, following = asked.page(file.id, lambda: rows, size=size)
    return asked.mask.made(
        {
            "kind": "drive#permissionList",
            "nextPageToken": following,
            "permissions": [permission(asked.view, file, one) for one in page],
        }
    )


@routes.on("drive.permissions.get")
def get(asked: Asked) -> dict[str, Any]:
    file = _file(asked)
    held = _held(asked, file)
    if held.permission.to != asked.me and not asked.flag("useDomainAdminAccess"):
        asked.view.require(file, "writer")
    return asked.mask.shown(permission(asked.view, file, held))


@routes.on("drive.permissions.create")
def create(asked: Asked) -> dict[str, Any]:
    file = _file(asked)
    _manage(asked, file)
    given = sharing.asked_for(asked.body)
    sharing.allow_type(asked.store.people, given)
    given.expires = _expiry(asked)
    if given.role == "owner":
        return _transfer(asked, file, given.to)
    drive = asked.store.drives.get(file.drive)
    sharing.allow(asked.store.people, drive, file, given, asked.view.user)
    sharing.allow_expiry(file, given, asked.store.time())
    _allow_rank(asked, file, given.role)
    notify = _notifies(asked, given)
    asked.fake.spend_share(file.name)
    best = next((one for one in asked.store.access.best(file) if one.permission.id == given.id), None)
    if best is None or RANK[best.role] < RANK[given.role]:
        asked.store.give(file, given, asked.me)
        best = Held(given, given.role, file.id)
    if notify:
        asked.fake.mails.append(Mail(given.to, file.id, asked.text("emailMessage")))
    return asked.mask.shown(permission(asked.view, file, best))


def _expiry(asked: Asked) -> float:
    given = asked.body.get("expirationTime")
    return moment(given, "permission.expirationTime") if given else 0.0


def _allow_rank(asked: Asked, file: File, role: str) -> None:
    """Nobody gives more than they have."""
    if file.drive and not asked.flag("useDomainAdminAccess") and RANK[role] > asked.view.rank(file):
        raise no_permission(file.id)


def _notifies(asked: Asked, given: Permission) -> bool:
    """Whether a mail is sent.

    Raises:
        Refusal: `badRequest` where there is nobody to send it to, `invalidSharingRequest` where it must be.
    """
    named = given.type in {"user", "group"}
    wanted = asked.values.get("sendNotificationEmail")
    if wanted and not named:
        raise bad_request("sendNotificationEmail is for users and groups only.", "sendNotificationEmail")
    if wanted is False and given.type == "user" and asked.store.people.find(given.to) is None:
        raise Refusal(
            400,
            "invalidSharingRequest",
            f'Bad Request. User message: "You are trying to invite {given.to}. Since there is no Google '
            'account associated with this email address, you must check the "Notify people" box to invite '
            'this recipient."',
        )
    return named and wanted is not False


def _transfer(asked: Asked, file: File, to: str) -> dict[str, Any]:
    """Make somebody the owner of a file in My Drive."""
    people = asked.store.people
    given = Permission(sharing.permission_id("user", to), "user", "owner", to)
    sharing.allow(people, None, file, given, asked.view.user)
    if not asked.flag("transferOwnership"):
        message = "The transferOwnership parameter must be enabled when the permission role is 'owner'."
        raise Refusal(403, "forbidden", message, location="transferOwnership")
    if asked.values.get("sendNotificationEmail") is False:
        message = "Notification emails cannot be disabled for ownership transfers."
        raise Refusal(403, "forbidden", message, location="sendNotificationEmail")
    asked.view.require(file, "owner")
    receiver = people.find(to)
    if receiver is None or receiver.domain != asked.view.user.domain:
        message = "Ownership can only be transferred to a user of the same organization."
        raise Refusal(403, "ownershipChangeAcrossDomainNotPermitted", message)
    asked.fake.spend_share(file.name)
    with asked.store.losing(file):
        asked.store.hand_over(file, to)
        file.permissions.pop(given.id, None)
        before = Permission(asked.view.user.id, "user", "writer", asked.me)
        file.permissions[before.id] = before
        if asked.flag("moveToNewOwnersRoot"):
            asked.store.tree.place(file, receiver.root)
    asked.fake.mails.append(Mail(to, file.id, asked.text("emailMessage")))
    return asked.mask.shown(permission(asked.view, file, Held(given, "owner", file.id)))


@routes.on("drive.permissions.update")
def update(asked: Asked) -> dict[str, Any]:
    file = _file(asked)
    _manage(asked, file)
    held, body = _held(asked, file), asked.body
    if body.keys() - _CHANGEABLE:
        raise not_writable()
    role = body.get("role", held.role)
    sharing.known_role(role)
    if role == "owner" and held.role != "owner":
        return _transfer(asked, file, held.permission.to)
    _own(file, held, asked)
    wanted = Permission(
        held.permission.id,
        held.permission.type,
        role,
        held.permission.to,
        0.0 if asked.flag("removeExpiration") else _expiry(asked) or held.permission.expires,
        body.get("allowFileDiscovery", held.permission.discoverable),
    )
    sharing.allow(asked.store.people, asked.store.drives.get(file.drive), file, wanted, asked.view.user)
    sharing.allow_expiry(file, wanted, asked.store.time())
    _allow_rank(asked, file, role)
    with asked.store.losing(file):
        file.permissions[wanted.id] = wanted
    return asked.mask.shown(permission(asked.view, file, Held(wanted, role, file.id)))


def _own(file: File, held: Held, asked: Asked) -> None:
    """Only what was given on the file itself can be changed there."""
    if held.source != file.id:
        where, reason = "", "cannotModifyInheritedPermission"
        if file.drive:
            where, reason = " on a shared drive item", "cannotModifyInheritedTeamDrivePermission"
        raise Refusal(403, reason, f"Cannot update or delete an inherited permission{where}.")
    if held.permission.to == file.owner and file.owner:
        raise Refusal(403, "cannotRemoveOwner", "The owner of a file cannot be removed.")
    last = [one for one in file.permissions.values() if one.role == "organizer"]
    if (
        file.fixed
        and [one.id for one in last] == [held.permission.id]
        and asked.body.get("role") != "organizer"
    ):
        raise Refusal(403, "cannotDeletePermission", "A shared drive needs an organizer.")


@routes.on("drive.permissions.delete")
def delete(asked: Asked) -> None:
    file = _file(asked)
    held = _held(asked, file)
    if held.permission.to != asked.me or not asked.view.allows(file, CONTENT):
        _manage(asked, file)
    _own(file, held, asked)
    asked.store.take(file, held.permission.id)
