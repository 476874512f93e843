"""Where files lie: parents that are given, moves and their rules."""

from standins.gdrive.errors import Refusal, bad_request, no_permission, not_found
from standins.gdrive.file import File
from standins.gdrive.models import RANK, SharedDrive
from standins.gdrive.viewer import APP_DATA
from standins.gdrive.web import Asked


def folder(asked: Asked, given: str) -> File:
    """The folder into which something is put.

    Raises:
        Refusal: `notFound`, `parentNotAFolder`, `insufficientParentPermissions`.
    """
    view = asked.view
    number = view.alias(given)
    found = view.store.files.get(number)
    known = found is not None and (view.knows(found) or found.id == view.user.root or found.space == APP_DATA)
    if found is None or not known or not view.rank(found) or (found.drive and not asked.knows_drives):
        raise not_found(given)
    if not found.is_folder:
        raise Refusal(403, "parentNotAFolder", "The specified parent is not a folder.")
    if view.rank(found) < RANK["writer"]:
        message = "Insufficient permissions for the specified parent."
        raise Refusal(403, "insufficientParentPermissions", message)
    return found


def first_folder(asked: Asked, default: str) -> File:
    """The folder of a file that is made: the one that the body names.

    Raises:
        Refusal: As `folder`; `cannotAddParent` for several.
    """
    given = asked.body.get("parents") or [default]
    if len(given) > 1:
        raise _one_parent("")
    return folder(asked, given[0])


def move(asked: Asked, file: File) -> None:
    """Move a file as `addParents` and `removeParents` say.

    Raises:
        Refusal: `cannotAddParent` or `teamDrivesParentLimit` for one parent more or less, `badRequest` for
            a circle, and those of `folder`.
    """
    added = [one for one in asked.text("addParents").split(",") if one]
    removed = {asked.view.alias(one) for one in asked.text("removeParents").split(",") if one}
    if not added:
        if file.parent in removed:
            raise _one_parent(file.drive)
        return
    wanted = {one.id: one for one in (folder(asked, number) for number in added)}
    wanted.pop(file.parent, None)
    if not wanted:
        return
    if len(wanted) > 1 or (file.parent not in removed and asked.view.rank(_home(asked, file))):
        raise _one_parent(file.drive)
    (target,) = wanted.values()
    _allow_move(asked, file, target)
    asked.store.move(file, target)


def _home(asked: Asked, file: File) -> File:
    return asked.store.files.get(file.parent, file)


def _allow_move(asked: Asked, file: File, target: File) -> None:
    rank = asked.view.rank(file)
    if target is file or file in asked.store.tree.above(target):
        raise bad_request("The specified parent would create a cycle in the directory graph.")
    if target.drive != file.drive and file.drive:
        least = "organizer"
    else:
        least = "fileOrganizer" if file.drive and file.is_folder else "writer"
    if file.fixed or rank < RANK[least]:
        raise no_permission(file.id)
    if target.drive and not file.drive:
        _allow_move_in(asked, file, asked.store.drives[target.drive])


def _allow_move_in(asked: Asked, file: File, drive: SharedDrive) -> None:
    """What lies in My Drive may go into a shared drive unless it is a folder, or a stranger's."""
    if file.is_folder:
        message = "Moving folders into shared drives is not supported."
        raise Refusal(403, "teamDrivesFolderMoveInNotSupported", message)
    if file.owner not in asked.store.members(drive):
        message = (
            "Cannot move a file into a shared drive as a writer when the owner of the file is not a member "
            "of that shared drive."
        )
        raise Refusal(403, "fileOwnerNotMemberOfTeamDrive", message)


def _one_parent(drive: str) -> Refusal:
    if drive:
        return Refusal(403, "teamDrivesParentLimit", "A shared drive item must have exactly one parent.")
    return Refusal(403, "cannotAddParent", "Increasing the number of parents is not allowed")
