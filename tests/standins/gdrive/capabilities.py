"""What a person may do with a file: `capabilities`, from their role and the state of the file."""

from standins.gdrive.file import File
from standins.gdrive.models import RANK
from standins.gdrive.viewer import View

_READER, _COMMENTER, _WRITER = RANK["reader"], RANK["commenter"], RANK["writer"]
_CONTENT, _ORGANIZER, _OWNER = RANK["fileOrganizer"], RANK["organizer"], RANK["owner"]


def capabilities(view: View, file: File) -> dict[str, bool]:
    """All of them, by Google's names."""
    rank = view.rank(file)
    folder, in_drive, locked = file.is_folder, bool(file.drive), bool(file.restriction)
    writes = rank >= _WRITER
    edits = writes and not locked
    trashed = view.store.tree.is_trashed(file)
    loose = not file.fixed
    disposes = loose and (rank >= _CONTENT if in_drive else rank == _OWNER)
    leaves = can_download(file, rank)
    made = {
        "canAcceptOwnership": False,
        "canAddChildren": folder and writes,
        "canAddFolderFromAnotherDrive": folder and in_drive and rank >= _ORGANIZER,
        "canAddMyDriveParent": False,
        "canChangeCopyRequiresWriterPermission": edits and not folder,
        "canChangeSecurityUpdateEnabled": False,
        "canComment": rank >= _COMMENTER and not folder and not locked,
        "canCopy": not folder and leaves,
        "canDelete": loose and (rank >= _ORGANIZER if in_drive else rank == _OWNER),
        "canDisableInheritedPermissions": folder and loose and rank >= _ORGANIZER,
        "canDownload": not folder and leaves,
        "canEdit": edits,
        "canEnableInheritedPermissions": folder and loose and rank >= _ORGANIZER,
        "canListChildren": folder,
        "canModifyContent": edits and not folder,
        "canModifyContentRestriction": writes and not folder,
        "canModifyEditorContentRestriction": writes and not folder,
        "canModifyLabels": False,
        "canModifyOwnerContentRestriction": rank == _OWNER and not folder,
        "canMoveChildrenWithinDrive": folder and writes,
        "canMoveItemOutOfDrive": loose and rank >= _ORGANIZER,
        "canMoveItemWithinDrive": loose and (rank >= _CONTENT if in_drive and folder else writes),
        "canReadLabels": False,
        "canReadRevisions": not folder and rank >= _WRITER,
        "canRemoveChildren": folder and writes and not in_drive,
        "canRemoveContentRestriction": locked and writes,
        "canRemoveMyDriveParent": False,
        "canRename": loose and edits,
        "canShare": can_share(file, rank),
        "canTrash": disposes and not trashed,
        "canUntrash": disposes and file.trashed,
    }
    if in_drive:
        made |= {
            "canDeleteChildren": folder and rank >= _ORGANIZER,
            "canMoveChildrenOutOfDrive": folder and rank >= _ORGANIZER,
            "canReadDrive": view.email in view.store.members(view.store.drives[file.drive]),
            "canTrashChildren": folder and rank >= _CONTENT,
        }
    return made


def can_download(file: File, rank: int) -> bool:
    return file.downloadable and (file.readers_download or rank >= _WRITER)


def can_share(file: File, rank: int) -> bool:
    """Writers may share unless the owner forbids it; in a shared drive folders want an organizer."""
    if file.fixed:
        return bool(file.drive) and rank >= _ORGANIZER
    if file.drive:
        return rank >= (_CONTENT if file.is_folder else _WRITER)
    return rank == _OWNER or (rank >= _WRITER and file.writers_share)
