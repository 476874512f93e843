"""Files, as the API shows them: of each only what the mask wants is worked out."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from standins.gdrive import native
from standins.gdrive.capabilities import can_share, capabilities
from standins.gdrive.fields import Mask
from standins.gdrive.file import File
from standins.gdrive.formats import EXPORTS, NAMES
from standins.gdrive.models import User
from standins.gdrive.permission_shapes import permission
from standins.gdrive.viewer import View
from standins.gdrive.web import stamp

_DOCS = "https://docs.google.com"
_EDITORS = {
    native.DOCUMENT: "document",
    native.SPREADSHEET: "spreadsheets",
    native.PRESENTATION: "presentation",
    native.DRAWING: "drawings",
}


def user(view: View, email: str) -> dict[str, Any]:
    """A person, as anybody sees them."""
    found = view.store.people.find(email) or User(email, email, "", "")
    me = {"kind": "drive#user", "displayName": found.name, "me": email == view.email}
    return {**me, "permissionId": found.id, "emailAddress": email}


def file(view: View, of: File, mask: Mask) -> dict[str, Any]:
    """A file; what does not apply to it is left out."""
    made: dict[str, Any] = {}
    for name in mask.names(_FIELDS):
        value = _FIELDS[name](view, of)
        if value is not None:
            made[name] = mask.of(name).shown(value)
    return made


def view_link(of: File) -> str:
    key = f"&resourcekey={of.resource_key}" if of.resource_key else ""
    if of.is_folder:
        return f"https://drive.google.com/drive/folders/{of.id}{key.replace('&', '?')}"
    if editor := _EDITORS.get(of.mime_type):
        return f"{_DOCS}/{editor}/d/{of.id}/edit?usp=drivesdk{key}"
    return f"https://drive.google.com/file/d/{of.id}/view?usp=drivesdk{key}"


def export_links(view: View, of: File, revision: str = "") -> dict[str, str] | None:
    """Where a file of Google's own is had as another, without the limit of `files.export`."""
    kinds = EXPORTS.get(of.mime_type)
    if kinds is None:
        return None
    base = f"{view.url}/content/export?"
    some = {"id": of.id} | ({"revision": revision} if revision else {})
    return {kind: base + urlencode({**some, "exportFormat": NAMES[kind]}) for kind in kinds}


def _parents(view: View, of: File) -> list[str] | None:
    parent = view.store.files.get(of.parent)
    return [parent.id] if parent is not None and view.rank(parent) else None


def _owners(view: View, of: File) -> list[dict[str, Any]] | None:
    return [user(view, of.owner)] if of.owner else None


def _permissions(view: View, of: File) -> list[dict[str, Any]] | None:
    if of.drive or not can_share(of, view.rank(of)):
        return None
    return [permission(view, of, one) for one in view.store.access.best(of)]


def _permission_ids(view: View, of: File) -> list[str] | None:
    if not can_share(of, view.rank(of)):
        return None
    return [one.permission.id for one in view.store.access.best(of)]


def _shared(view: View, of: File) -> bool | None:
    return None if of.drive else len(view.store.access.best(of)) > 1


def _augmented(_: View, of: File) -> bool | None:
    return bool(of.permissions) and not of.fixed if of.drive else None


def _extension(of: File) -> str | None:
    return of.name.rpartition(".")[2] if of.is_blob and "." in of.name else None


def _full_extension(of: File) -> str | None:
    return of.name.partition(".")[2] if of.is_blob and "." in of.name else None


def _shortcut(view: View, of: File) -> dict[str, str] | None:
    if not of.is_shortcut:
        return None
    target = view.store.files.get(of.target)
    made = {"targetId": of.target}
    if target is not None:
        made["targetMimeType"] = target.mime_type
        if target.resource_key:
            made["targetResourceKey"] = target.resource_key
    return made


def _restrictions(view: View, of: File) -> list[dict[str, Any]] | None:
    if not of.restriction:
        return None
    by = of.restriction.get("by", "")
    shown = {name: value for name, value in of.restriction.items() if name not in {"by", "at"}}
    return [
        {
            **shown,
            "restrictingUser": user(view, by),
            "restrictionTime": stamp(of.restriction["at"]),
            "type": "globalContentRestriction",
            "systemRestricted": False,
        }
    ]


def _download_restrictions(_: View, of: File) -> dict[str, Any]:
    readers, writers = not of.readers_download or not of.downloadable, not of.downloadable
    one = {"restrictedForReaders": readers, "restrictedForWriters": writers}
    return {"itemDownloadRestriction": one, "effectiveDownloadRestrictionWithContext": one}


def _by_me(view: View, times: Mapping[str, float]) -> str | None:
    return stamp(times[view.email]) if view.email in times else None


def _shared_with_me(view: View, of: File) -> tuple[float, str] | None:
    return of.shared_with.get(view.email)


def _content_link(view: View, of: File) -> str | None:
    return f"{view.url}/content/download?id={of.id}&export=download" if of.is_blob else None


def _limited(_: View, of: File) -> bool | None:
    return of.limited if of.is_folder else None


def _checksum(name: str) -> Callable[[View, File], str | None]:
    return lambda _, of: getattr(of.content, name) if of.is_blob else None


def _always(value: Any) -> Callable[[View, File], Any]:
    def shown(_view: View, _of: File) -> Any:
        return value

    return shown


_FIELDS: Mapping[str, Callable[[View, File], Any]] = {
    "kind": _always("drive#file"),
    "id": lambda _, of: of.id,
    "name": lambda _, of: (
        "Drive" if of.fixed and of.drive else of.name
    ),  # of a shared drive: see `drives.get`
    "mimeType": lambda _, of: of.mime_type,
    "description": lambda _, of: of.description or None,
    "starred": lambda view, of: view.email in of.starred,
    "trashed": lambda view, of: view.store.tree.is_trashed(of),
    "explicitlyTrashed": lambda _, of: of.trashed,
    "trashedTime": lambda _, of: stamp(of.trashed_at) if of.drive and of.trashed else None,
    "trashingUser": lambda view, of: user(view, of.trashed_by) if of.drive and of.trashed else None,
    "parents": _parents,
    "properties": lambda _, of: of.properties or None,
    "appProperties": lambda view, of: of.app_properties.get(view.app) or None,
    "spaces": lambda _, of: [of.space],
    "version": lambda _, of: str(of.version),
    "webContentLink": _content_link,
    "webViewLink": lambda _, of: view_link(of),
    "iconLink": lambda _, of: f"https://drive-thirdparty.googleusercontent.com/16/type/{of.mime_type}",
    "hasThumbnail": _always(False),
    "viewedByMe": lambda view, of: view.email in of.viewed,
    "viewedByMeTime": lambda view, of: _by_me(view, of.viewed),
    "createdTime": lambda _, of: stamp(of.created),
    "modifiedTime": lambda _, of: stamp(of.modified),
    "modifiedByMe": lambda view, of: view.email in of.modified_by,
    "modifiedByMeTime": lambda view, of: _by_me(view, of.modified_by),
    "sharedWithMeTime": lambda view, of: stamp(when[0]) if (when := _shared_with_me(view, of)) else None,
    "sharingUser": lambda view, of: user(view, when[1]) if (when := _shared_with_me(view, of)) else None,
    "owners": _owners,
    "ownedByMe": lambda view, of: None if of.drive else of.owner == view.email,
    "lastModifyingUser": lambda view, of: user(view, of.author),
    "shared": _shared,
    "driveId": lambda _, of: of.drive or None,
    "teamDriveId": lambda _, of: of.drive or None,
    "capabilities": capabilities,
    "copyRequiresWriterPermission": lambda _, of: not of.readers_download,
    "viewersCanCopyContent": lambda _, of: of.readers_download,
    "downloadRestrictions": _download_restrictions,
    "writersCanShare": lambda _, of: None if of.drive else of.writers_share,
    "permissions": _permissions,
    "permissionIds": _permission_ids,
    "hasAugmentedPermissions": _augmented,
    "inheritedPermissionsDisabled": _limited,
    "folderColorRgb": lambda _, of: of.color or "#8f8f8f" if of.is_folder else None,
    "originalFilename": lambda _, of: of.original_name or of.name if of.is_blob else None,
    "fullFileExtension": lambda _, of: _full_extension(of),
    "fileExtension": lambda _, of: _extension(of),
    "md5Checksum": _checksum("md5"),
    "sha1Checksum": _checksum("sha1"),
    "sha256Checksum": _checksum("sha256"),
    "size": lambda _, of: str(of.content.size) if of.content is not None else None,
    "quotaBytesUsed": lambda _, of: str(of.content.size) if of.content is not None else "0",
    "headRevisionId": lambda _, of: of.head.id if of.head is not None and of.is_blob else None,
    "isAppAuthorized": lambda view, of: view.app in of.apps,
    "exportLinks": export_links,
    "shortcutDetails": _shortcut,
    "contentRestrictions": _restrictions,
    "resourceKey": lambda _, of: of.resource_key or None,
    "linkShareMetadata": lambda _, of: {
        "securityUpdateEligible": bool(of.resource_key),
        "securityUpdateEnabled": bool(of.resource_key),
    },
}
