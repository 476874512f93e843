"""`revisions.*`: the contents that a file had."""

from typing import Any

from standins.gdrive.content import media
from standins.gdrive.errors import Refusal, bad_request
from standins.gdrive.file import File, Revision
from standins.gdrive.shapes import export_links, user
from standins.gdrive.web import Asked, Media, Routes, stamp

routes = Routes()

_MOST_KEPT = 200
_PUBLISHING = ("published", "publishAuto", "publishedOutsideDomain")


def _shown(asked: Asked, file: File, of: Revision) -> dict[str, Any]:
    made: dict[str, Any] = {
        "kind": "drive#revision",
        "id": of.id,
        "mimeType": of.mime_type,
        "modifiedTime": stamp(of.modified),
        "lastModifyingUser": user(asked.view, of.author),
        "size": str(of.content.size),
    }
    if of.content.native is None:
        return made | {
            "keepForever": of.keep,
            "md5Checksum": of.content.md5,
            "originalFilename": of.name,
        }
    links = export_links(asked.view, file, of.id)
    return made | {name: of.published.get(name, False) for name in _PUBLISHING} | {"exportLinks": links}


def _file(asked: Asked) -> File:
    file = asked.file()
    if not file.revisions:
        raise Refusal(403, "revisionsNotSupported", "The file does not support revisions.")
    return file


def _found(asked: Asked, file: File) -> Revision:
    number = asked.text("revisionId")
    if number == "head":
        return file.revisions[-1]
    found = next((one for one in file.revisions if one.id == number), None)
    if found is None:
        raise Refusal(404, "notFound", f"Revision not found: {number}.", location="revisionId")
    return found


@routes.on("drive.revisions.list")
def listed(asked: Asked) -> dict[str, Any]:
    file = _file(asked)
    asked.view.require(file, "writer")
    page, following = asked.page(file.id, lambda: list(file.revisions))
    return asked.mask.made(
        {
            "kind": "drive#revisionList",
            "nextPageToken": following,
            "revisions": [_shown(asked, file, one) for one in page],
        }
    )


@routes.on("drive.revisions.get")
def get(asked: Asked) -> dict[str, Any] | Media:
    file = _file(asked)
    asked.view.require(file, "writer")
    found = _found(asked, file)
    if asked.text("alt") == "media":
        return media(asked, file, found)
    return asked.mask.shown(_shown(asked, file, found))


@routes.on("drive.revisions.update")
def update(asked: Asked) -> dict[str, Any]:
    file = _file(asked)
    asked.view.require(file, "writer")
    found, body = _found(asked, file), asked.body
    if "keepForever" in body:
        if not file.is_blob:
            raise bad_request("Only revisions of files with binary content are kept forever.", "keepForever")
        if found.keep and not body["keepForever"]:
            message = "Bad Request. Cannot update a revision to false that is marked as keepForever."
            raise Refusal(400, "illegalKeepForeverModification", message)
        if body["keepForever"] and sum(one.keep for one in file.revisions) >= _MOST_KEPT:
            message = "The limit of revisions that are kept forever is reached."
            raise Refusal(403, "keepForeverLimitExceeded", message)
        found.keep = body["keepForever"]
    if file.is_blob and body.keys() & set(_PUBLISHING):
        raise bad_request("Only Docs Editors files are published.")
    found.published |= {name: body[name] for name in _PUBLISHING if name in body}
    asked.store.touch(file)
    return asked.mask.shown(_shown(asked, file, found))


@routes.on("drive.revisions.delete")
def delete(asked: Asked) -> None:
    file = _file(asked)
    asked.view.require(file, "writer")
    found = _found(asked, file)
    if not file.is_blob:
        message = "Revisions of Docs Editors files cannot be deleted."
        raise Refusal(400, "revisionDeletionNotSupported", message)
    if len(file.revisions) == 1:
        raise Refusal(403, "cannotDeleteOnlyRevision", "The only revision of a file cannot be deleted.")
    asked.store.drop_revision(file, found)
    asked.store.touch(file, asked.me)
