"""Shared drives, as the API shows them."""

from typing import Any

from standins.gdrive.models import RANK, SharedDrive
from standins.gdrive.viewer import View
from standins.gdrive.web import stamp

_THEMES = "https://ssl.gstatic.com/team_drive_themes"
_RESTRICTIONS = (
    "adminManagedRestrictions",
    "copyRequiresWriterPermission",
    "domainUsersOnly",
    "driveMembersOnly",
    "sharingFoldersRequiresOrganizerPermission",
)
_FROM: dict[str, str] = {
    "canAddChildren": "writer",
    "canChangeCopyRequiresWriterPermissionRestriction": "organizer",
    "canChangeDomainUsersOnlyRestriction": "organizer",
    "canChangeDriveBackground": "organizer",
    "canChangeDriveMembersOnlyRestriction": "organizer",
    "canChangeSharingFoldersRequiresOrganizerPermissionRestriction": "organizer",
    "canComment": "commenter",
    "canCopy": "reader",
    "canDeleteChildren": "organizer",
    "canDeleteDrive": "organizer",
    "canDownload": "reader",
    "canEdit": "writer",
    "canListChildren": "reader",
    "canManageMembers": "organizer",
    "canReadRevisions": "writer",
    "canRename": "writer",
    "canRenameDrive": "organizer",
    "canResetDriveRestrictions": "organizer",
    "canShare": "writer",
    "canTrashChildren": "fileOrganizer",
}


def drive(view: View, of: SharedDrive) -> dict[str, Any]:
    rank = view.rank(view.store.files[of.id])
    return {
        "kind": "drive#drive",
        "id": of.id,
        "name": of.name,
        "colorRgb": of.color,
        "themeId": of.theme,
        "backgroundImageLink": f"{_THEMES}/{of.theme}.jpg",
        "createdTime": stamp(of.created),
        "hidden": view.user.id in of.hidden,
        "capabilities": {name: rank >= RANK[role] for name, role in _FROM.items()},
        "restrictions": {name: of.restrictions.get(name, False) for name in _RESTRICTIONS},
    }
