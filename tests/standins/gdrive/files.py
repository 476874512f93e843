"""`files.get`, `create`, `update`, `copy`, `delete`, `emptyTrash`."""

import mimetypes
from copy import deepcopy
from typing import Any

from standins.gdrive import shapes, uploads, writing
from standins.gdrive.capabilities import can_download
from standins.gdrive.content import media
from standins.gdrive.errors import Refusal, bad_request, invalid_value, no_permission
from standins.gdrive.exports import imported
from standins.gdrive.file import Content, File
from standins.gdrive.models import RANK
from standins.gdrive.native import EMPTY, FOLDER, SHORTCUT
from standins.gdrive.placing import first_folder, move
from standins.gdrive.uploads import Upload
from standins.gdrive.web import Asked, Media, Routes

routes = Routes()

_OTHER = "application/octet-stream"
_CONTENT_WRITES = frozenset({"drive", "drive.file", "drive.appdata"})


@routes.on("drive.files.get")
def get(asked: Asked) -> dict[str, Any] | Media:
    file = asked.file()
    if asked.text("alt") == "media":
        return media(asked, file)
    return shapes.file(asked.view, file, asked.mask)


@routes.on("drive.files.create")
def create(asked: Asked) -> dict[str, Any] | Media:
    assert asked.method is not None
    return uploads.taken(asked, asked.method, lambda upload: _created(asked, upload))


def _created(asked: Asked, upload: Upload | None) -> dict[str, Any]:
    body = asked.body
    parent = first_folder(asked, "root")
    name = body.get("name") or "Untitled"
    kind = body.get("mimeType") or (upload.type if upload else "") or mimetypes.guess_type(name)[0] or _OTHER
    file = _new(asked, _own_id(asked, kind), name, kind, parent)
    if kind == SHORTCUT:
        file.target = _target(asked)
    elif kind != FOLDER:
        _fill(asked, file, _content(upload, kind), keep=asked.flag("keepRevisionForever"))
    writing.write(asked, file)
    asked.store.add(file)
    return shapes.file(asked.view, file, asked.mask)


def _new(asked: Asked, number: str, name: str, kind: str, parent: File) -> File:
    now, me = asked.store.time(), asked.me
    owner = "" if parent.drive else me
    made = File(number, name, kind, owner, parent.id, now, now, me, parent.drive, parent.space)
    made.original_name = name
    made.viewed[me] = made.modified_by[me] = now
    made.apps.add(asked.view.app)
    return made


def _own_id(asked: Asked, kind: str) -> str:
    """The id that the body wants, or a new one.

    Raises:
        Refusal: For one that is in use, that was not given out for this, or of what Google's editors keep.
    """
    wanted = asked.body.get("id")
    if wanted is None:
        return asked.store.new_id()
    if kind in EMPTY:
        message = "Generated IDs are not supported for Docs Editors formats."
        raise Refusal(403, "insufficientFilePermissions", message)
    if wanted in asked.store.files:
        raise Refusal(409, "fileIdInUse", "A file already exists with the provided ID.")
    if asked.store.issued.get(wanted) != ("shortcuts" if kind == SHORTCUT else "files"):
        raise invalid_value("file.id", "The provided file ID is not usable.")
    return wanted


def _target(asked: Asked) -> str:
    given = asked.body.get("shortcutDetails", {}).get("targetId", "")
    found = asked.store.files.get(asked.view.alias(given))
    if found is None or not asked.view.sees(found) or found.is_shortcut:
        raise Refusal(403, "shortcutTargetInvalid", "The shortcut target is invalid.")
    return found.id


def _content(upload: Upload | None, kind: str) -> Content:
    """What an upload is as a file of this type; converted where that is one of Google's own."""
    if kind not in EMPTY:
        return Content(upload.data if upload else b"")
    return Content(native=imported(upload.data, upload.type, kind) if upload else EMPTY[kind])


def _fill(asked: Asked, file: File, content: Content, *, keep: bool) -> None:
    owner = asked.store.people.find(file.owner)
    before = file.content.size if file.content else 0
    if owner is not None and owner.quota is not None and owner.used + content.size - before > owner.quota:
        message = "The user's Drive storage quota has been exceeded."
        if owner.robot:
            message = "Service Accounts do not have storage quota. Leverage shared drives instead."
        raise Refusal(403, "storageQuotaExceeded", message)
    asked.store.revise(file, content, asked.me, keep=keep)


@routes.on("drive.files.update")
def update(asked: Asked) -> dict[str, Any] | Media:
    assert asked.method is not None
    return uploads.taken(asked, asked.method, lambda upload: _updated(asked, upload))


def _updated(asked: Asked, upload: Upload | None) -> dict[str, Any]:
    body = asked.body
    file = asked.file(scopes=_CONTENT_WRITES if upload else None)
    writing.check(asked, file)
    if upload is not None:
        _replace(asked, file, upload)
    elif body.get("mimeType", file.mime_type) != file.mime_type:
        raise bad_request("The MIME type cannot be changed without new content.", "file.mimeType")
    if asked.text("addParents") or asked.text("removeParents"):
        asked.view.require(file, "writer")
        move(asked, file)
    asked.store.touch(file, asked.me if upload or body.keys() - writing.OWN - {"trashed"} else "")
    writing.write(asked, file)
    asked.store.index.put(file)
    return shapes.file(asked.view, file, asked.mask)


def _replace(asked: Asked, file: File, upload: Upload) -> None:
    asked.view.require(file, "writer")
    if file.restriction or file.content is None:
        raise no_permission(file.id)
    if file.native is None:
        file.mime_type = asked.body.get("mimeType") or upload.type or file.mime_type
    _fill(asked, file, _content(upload, file.mime_type), keep=asked.flag("keepRevisionForever"))


@routes.on("drive.files.copy")
def copy(asked: Asked) -> dict[str, Any]:
    source, body, view = asked.file(), asked.body, asked.view
    if source.is_folder or not can_download(source, view.rank(source)):
        raise Refusal(403, "cannotCopyFile", "This file cannot be copied by the user.")
    here = asked.store.files.get(source.parent)
    beside = here is not None and view.rank(here) >= RANK["writer"]
    parent = first_folder(asked, source.parent if beside else "root")
    kind = body.get("mimeType") or source.mime_type
    name = body.get("name") or f"Copy of {source.name}"
    file = _new(asked, _own_id(asked, kind), name, kind, parent)
    file.target, file.description = source.target, source.description
    file.properties = dict(source.properties)
    if source.content is not None:
        content = source.content
        if kind != source.mime_type:
            content = Content(native=imported(content.data, source.mime_type, kind))
        _fill(asked, file, content, keep=asked.flag("keepRevisionForever"))
    if asked.flag("copyComments"):
        file.comments = deepcopy(source.comments)
    writing.write(asked, file)
    asked.store.add(file)
    return shapes.file(view, file, asked.mask)


@routes.on("drive.files.delete")
def delete(asked: Asked) -> None:
    file = asked.file()
    if file.fixed:
        raise no_permission(file.id)
    asked.view.require(file, "organizer" if file.drive else "owner")
    asked.store.remove(file)


@routes.on("drive.files.emptyTrash")
def empty_trash(asked: Asked) -> None:
    drive, store = asked.text("driveId"), asked.store
    if drive:
        top = asked.view.find(drive, frozenset({"drive"}))
        asked.view.require(top, "organizer")
    for file in list(store.files.values()):
        mine = file.drive == drive if drive else file.owner == asked.me
        if file.trashed and mine and file.id in store.files:
            store.remove(file)
