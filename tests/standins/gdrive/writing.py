"""The fields of a file that a body may set, and what they mean."""

from collections.abc import Callable, Mapping
from typing import Any

from standins.gdrive.capabilities import capabilities
from standins.gdrive.errors import Refusal, no_permission, not_writable
from standins.gdrive.file import File
from standins.gdrive.models import RANK
from standins.gdrive.native import FOLDER
from standins.gdrive.web import Asked, moment

OWN = {"starred", "viewedByMeTime"}  # of each person for themselves


def write(asked: Asked, file: File) -> None:
    """Set what the body says."""
    for name, value in asked.body.items():
        setter = _SETTERS.get(name)
        if setter is not None:
            setter(asked, file, value)


def check(asked: Asked, file: File) -> None:
    """See that the person may set on this file what the body says.

    Raises:
        Refusal: `insufficientFilePermissions`, `fieldNotWritable`.
    """
    if "parents" in asked.body:
        raise not_writable(
            "The parents field is not directly writable in update requests. Use the addParents and "
            "removeParents parameters instead."
        )
    if "shortcutDetails" in asked.body:
        raise not_writable()
    may = capabilities(asked.view, file)
    needs = {_NEEDS.get(name, "canEdit") for name in asked.body.keys() - OWN - {"trashed", "mimeType"}}
    if "trashed" in asked.body and asked.body["trashed"] != file.trashed:
        needs.add("canTrash" if asked.body["trashed"] else "canUntrash")
    if not all(may[one] for one in needs):
        raise no_permission(file.id)
    owners_only = file.restriction.get("ownerRestricted") and asked.view.rank(file) < RANK["owner"]
    if "contentRestrictions" in asked.body and owners_only:
        raise no_permission(file.id)


_NEEDS = {
    "name": "canRename",
    "contentRestrictions": "canModifyContentRestriction",
    "copyRequiresWriterPermission": "canChangeCopyRequiresWriterPermission",
    "writersCanShare": "canShare",
    "inheritedPermissionsDisabled": "canDisableInheritedPermissions",
}


def _text(attribute: str) -> Callable[[Asked, File, Any], None]:
    return lambda _, file, value: setattr(file, attribute, value or "")


def _time(attribute: str, location: str) -> Callable[[Asked, File, Any], None]:
    return lambda _, file, value: setattr(file, attribute, moment(value, location))


def _merge(into: dict[str, str], given: Mapping[str, str | None]) -> None:
    for name, value in given.items():
        if value is None:
            into.pop(name, None)
        elif len(f"{name}{value}".encode()) > 124:
            message = "The maximum property size of 124 bytes has been exceeded."
            raise Refusal(400, "propertyTooLarge", message)
        else:
            into[name] = value


def _starred(asked: Asked, file: File, value: Any) -> None:
    (file.starred.add if value else file.starred.discard)(asked.me)


def _trashed(asked: Asked, file: File, value: Any) -> None:
    if value != file.trashed:
        asked.store.trash(file, asked.me, to=value)


def _viewed(asked: Asked, file: File, value: Any) -> None:
    file.viewed[asked.me] = moment(value, "file.viewedByMeTime")


def _modified(asked: Asked, file: File, value: Any) -> None:
    file.modified = file.modified_by[asked.me] = moment(value, "file.modifiedTime")


def _properties(_: Asked, file: File, value: Any) -> None:
    _merge(file.properties, value)


def _app_properties(asked: Asked, file: File, value: Any) -> None:
    _merge(file.app_properties.setdefault(asked.view.app, {}), value)


def _restrict(asked: Asked, file: File, value: Any) -> None:
    given: dict[str, Any] = value[0] if value else {}
    file.restriction = {}
    if given.get("readOnly"):
        known = {name: given[name] for name in ("readOnly", "reason", "ownerRestricted") if name in given}
        file.restriction = {"ownerRestricted": False, **known, "by": asked.me, "at": asked.store.time()}


def _download(_: Asked, file: File, value: Any) -> None:
    given = value.get("itemDownloadRestriction", {})
    file.downloadable = not given.get("restrictedForWriters", False)
    file.readers_download = file.downloadable and not given.get("restrictedForReaders", False)


def _limit(asked: Asked, file: File, value: Any) -> None:
    if file.mime_type != FOLDER:
        raise not_writable()
    with asked.store.losing(file):
        file.limited = value


def _hints(_: Asked, file: File, value: Any) -> None:
    file.indexable = value.get("indexableText", "")


def _readers(*, to: bool) -> Callable[[Asked, File, Any], None]:
    return lambda _, file, value: setattr(file, "readers_download", value is to)


_SETTERS: Mapping[str, Callable[[Asked, File, Any], None]] = {
    "name": _text("name"),
    "description": _text("description"),
    "originalFilename": _text("original_name"),
    "folderColorRgb": _text("color"),
    "createdTime": _time("created", "file.createdTime"),
    "modifiedTime": _modified,
    "viewedByMeTime": _viewed,
    "starred": _starred,
    "trashed": _trashed,
    "properties": _properties,
    "appProperties": _app_properties,
    "contentRestrictions": _restrict,
    "contentHints": _hints,
    "copyRequiresWriterPermission": _readers(to=False),
    "viewersCanCopyContent": _readers(to=True),
    "downloadRestrictions": _download,
    "writersCanShare": lambda _, file, value: setattr(file, "writers_share", value),
    "inheritedPermissionsDisabled": _limit,
}
