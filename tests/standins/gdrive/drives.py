"""`drives.*`: shared drives themselves. Their members are permissions of the top folder."""

from typing import Any

from standins.gdrive import query
from standins.gdrive.drive_shapes import drive
from standins.gdrive.errors import Refusal, no_permission
from standins.gdrive.file import File
from standins.gdrive.index import words
from standins.gdrive.matching import begin, terms
from standins.gdrive.models import RANK, SharedDrive
from standins.gdrive.native import FOLDER
from standins.gdrive.sharing import permission_to
from standins.gdrive.web import Asked, Routes, moment, required

routes = Routes()


def _administers(asked: Asked, of: SharedDrive) -> bool:
    me = asked.view.user
    return asked.flag("useDomainAdminAccess") and me.admin and me.domain == of.domain


def _found(asked: Asked, role: str = "reader") -> SharedDrive:
    number = asked.text("driveId")
    found = asked.store.drives.get(number)
    if found is None:
        raise Refusal(404, "notFound", f"Shared drive not found: {number}", location="driveId")
    rank = asked.view.rank(asked.store.files[number])
    if _administers(asked, found):
        return found
    if not rank:
        raise Refusal(404, "notFound", f"Shared drive not found: {number}", location="driveId")
    if rank < RANK[role]:
        raise no_permission(number)
    return found


@routes.on("drive.drives.list")
def listed(asked: Asked) -> dict[str, Any]:
    if asked.flag("useDomainAdminAccess") and not asked.view.user.admin:
        message = "The user does not have sufficient privileges to list all shared drives."
        raise Refusal(403, "noListTeamDrivesAdministratorPrivilege", message)
    text = asked.text("q")
    some = list(terms(query.parsed(text, drives=True))) if text else []

    def accept(one: SharedDrive) -> bool:
        top = asked.store.files.get(one.id)
        if top is None or not (asked.view.rank(top) or _administers(asked, one)):
            return False
        return all(_fits(asked, term, one) for term in some)

    rows = sorted(asked.store.drives.values(), key=lambda one: one.name.casefold())
    page, following = asked.page(text, lambda: rows, accept)
    return asked.mask.made(
        {
            "kind": "drive#driveList",
            "nextPageToken": following,
            "drives": [drive(asked.view, one) for one in page],
        }
    )


def _fits(asked: Asked, term: query.Term, one: SharedDrive) -> bool:
    value = str(term.value)
    if term.name == "hidden":
        fits = (asked.view.user.id in one.hidden) is term.value
    elif term.name == "createdTime":
        return one.created > moment(value, "q") if ">" in term.operator else one.created < moment(value, "q")
    elif term.operator == "contains":
        fits = begin(words(value), words(one.name))
    else:
        fits = one.name.casefold() == value.casefold()
    return fits is not (term.operator == "!=")


@routes.on("drive.drives.get")
def get(asked: Asked) -> dict[str, Any]:
    return asked.mask.shown(drive(asked.view, _found(asked)))


@routes.on("drive.drives.create")
def create(asked: Asked) -> dict[str, Any]:
    me, store, request = asked.view.user, asked.store, f"{asked.me} {asked.text('requestId')}"
    if me.robot:
        message = "The user cannot create new shared drives."
        raise Refusal(403, "userCannotCreateTeamDrives", message)
    if any(one.request == request for one in store.drives.values()):
        message = "A shared drive already exists with the provided request ID."
        raise Refusal(409, "teamDriveAlreadyExists", message)
    name = asked.body.get("name")
    if not name:
        raise required("name")
    now = store.time()
    made = SharedDrive(store.new_id("0A", 19), name, now, me.domain, request=request)
    store.drives[made.id] = made
    top = File(made.id, name, FOLDER, "", "", now, now, me.email, drive=made.id, fixed=True)
    organizer = permission_to(store.people, me.email, "organizer")
    top.permissions[organizer.id] = organizer
    store.add(top)
    store.note_drive(made)
    return asked.mask.shown(drive(asked.view, made))


@routes.on("drive.drives.update")
def update(asked: Asked) -> dict[str, Any]:
    found, body = _found(asked, "organizer"), asked.body
    found.name = asked.store.files[found.id].name = body.get("name", found.name)
    found.restrictions |= body.get("restrictions", {})
    found.theme, found.color = body.get("themeId", found.theme), body.get("colorRgb", found.color)
    asked.store.note_drive(found)
    return asked.mask.shown(drive(asked.view, found))


@routes.on("drive.drives.delete")
def delete(asked: Asked) -> None:
    found, store = _found(asked, "organizer"), asked.store
    inside = [store.files[one] for one in store.tree.children(found.id)]
    if any(not store.tree.is_trashed(one) for one in inside) and not asked.flag("allowItemDeletion"):
        message = "A shared drive that has items in it cannot be deleted."
        raise Refusal(403, "teamDriveNotEmpty", message)
    store.remove(store.files[found.id])
    del store.drives[found.id]


@routes.on("drive.drives.hide", "drive.drives.unhide")
def hide(asked: Asked) -> dict[str, Any]:
    found = _found(asked)
    change = found.hidden.add if asked.name.endswith(".hide") else found.hidden.discard
    change(asked.view.user.id)
    asked.store.note_drive(found)
    return asked.mask.shown(drive(asked.view, found))
