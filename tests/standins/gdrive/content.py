"""The content of files: downloads with ranges, exports, operations of `files.download`, links."""

import re
from typing import Any
from urllib.parse import urlencode

from standins.gdrive import gate
from standins.gdrive.capabilities import can_download
from standins.gdrive.errors import Refusal, bad_request
from standins.gdrive.exports import exported
from standins.gdrive.file import Content, File, Revision
from standins.gdrive.formats import EXPORTS, NAMES
from standins.gdrive.models import RANK
from standins.gdrive.viewer import CONTENT
from standins.gdrive.web import Asked, Media, Routes

routes = Routes()

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_TYPES = "type.googleapis.com/google.apps.drive.v3."


def media(asked: Asked, file: File, revision: Revision | None = None) -> Media:
    """The bytes of a file, or of an old revision of it.

    Raises:
        Refusal: `fileNotDownloadable`, `cannotDownloadFile`, `cannotDownloadAbusiveFile`.
    """
    gate.admit(asked, CONTENT, asked.name)
    if not asked.view.allows(file, CONTENT):
        raise Refusal(403, "appNotAuthorizedToFile", "The app may not read the content of this file.")
    if not file.is_blob:
        message = "Only files with binary content can be downloaded. Use Export with Docs Editors files."
        raise Refusal(403, "fileNotDownloadable", message, location="alt")
    _allow(asked, file, "cannotDownloadFile", "downloaded")
    if file.abusive and not (asked.flag("acknowledgeAbuse") and _answers_for(asked, file)):
        message = "This file has been identified as malware or spam and cannot be downloaded."
        raise Refusal(403, "cannotDownloadAbusiveFile", message)
    wanted = revision or file.head
    assert wanted is not None
    _allow_revision(file, wanted)
    return ranged(wanted.content.data, wanted.mime_type, asked.headers.get("range", ""))


def _allow_revision(file: File, revision: Revision) -> None:
    """Of blobs only the newest, and those that are kept forever, are had."""
    if file.is_blob and revision is not file.head and not revision.keep:
        message = "This revision cannot be downloaded by the authenticated user."
        raise Refusal(403, "download_restricted_for_revision", message)


def _answers_for(asked: Asked, file: File) -> bool:
    return asked.view.rank(file) >= RANK["organizer" if file.drive else "owner"]


def _allow(asked: Asked, file: File, reason: str, what: str) -> None:
    if not can_download(file, asked.view.rank(file)):
        raise Refusal(403, reason, f"This file cannot be {what} by the user.")


def ranged(data: bytes, kind: str, wanted: str) -> Media:
    """The part of it that the header asks for; the whole where it asks for none, or in an odd way."""
    match = _RANGE.fullmatch(wanted)
    if match is None or match[0] == "bytes=-":
        return Media(data, kind, headers={"accept-ranges": "bytes"})
    size = len(data)
    start = int(match[1]) if match[1] else max(size - int(match[2]), 0)
    end = min(int(match[2]), size - 1) if match[1] and match[2] else size - 1
    if start >= size or end < start:
        return Media(b"", kind, 416, {"content-range": f"bytes */{size}"})
    return Media(data[start : end + 1], kind, 206, {"content-range": f"bytes {start}-{end}/{size}"})


@routes.on("drive.files.export")
def export(asked: Asked) -> Media:
    file, kind = asked.file(), asked.text("mimeType")
    data = _exported(asked, file, file.content, kind)
    if len(data) > asked.fake.export_limit:
        raise Refusal(403, "exportSizeLimitExceeded", "This file is too large to be exported.")
    return Media(data, kind)


def _exported(asked: Asked, file: File, content: Content | None, kind: str) -> bytes:
    if content is None or content.native is None:
        raise Refusal(403, "fileNotExportable", "Export only supports Docs Editors files.")
    _allow(asked, file, "cannotExportFile", "exported")
    return exported(content.native, kind)


@routes.on("drive.files.download")
def download(asked: Asked) -> dict[str, Any]:
    file, kind, revision = asked.file(), asked.text("mimeType"), asked.text("revisionId")
    _allow(asked, file, "cannotDownloadFile", "downloaded")
    if file.content is None or (file.is_blob and kind):
        raise bad_request("Request contains an invalid argument.")
    if revision:
        found = next((one for one in file.revisions if one.id == revision), None)
        if found is None:
            raise Refusal(404, "notFound", f"Revision not found: {revision}.", location="revisionId")
        _allow_revision(file, found)
    if not file.is_blob:
        kind = kind or EXPORTS[file.mime_type][1]
        if kind not in EXPORTS[file.mime_type]:
            raise bad_request("The requested conversion is not supported.", "mimeType")
    name = asked.store.new_id("op", 40)
    some = {"id": file.id} | ({"revision": revision} if revision else {})
    path = "download" if file.is_blob else "export"
    link = f"{asked.fake.url}/content/{path}?" + urlencode(
        some | ({} if file.is_blob else {"exportFormat": NAMES[kind]})
    )
    metadata: dict[str, Any] = {"@type": f"{_TYPES}DownloadFileMetadata"}
    if file.resource_key:
        metadata["resourceKey"] = file.resource_key
    asked.fake.operations[name] = {
        "owner": asked.me,
        "polls": asked.fake.polls,
        "shown": {"name": name, "done": False, "metadata": metadata},
        "response": {
            "@type": f"{_TYPES}DownloadFileResponse",
            "downloadUri": link,
            "partialDownloadAllowed": file.is_blob,
        },
    }
    return asked.mask.shown(asked.fake.operations[name]["shown"])


@routes.on("drive.operations.get")
def operation(asked: Asked) -> dict[str, Any]:
    found = asked.fake.operations.get(asked.text("name"))
    if found is None or found["owner"] != asked.me:
        raise Refusal(404, "notFound", f"Operation not found: {asked.text('name')}.", location="name")
    if found["polls"] > 0:
        found["polls"] -= 1
        return asked.mask.shown(found["shown"])
    return asked.mask.shown(found["shown"] | {"done": True, "response": found["response"]})


@routes.on("content.download", "content.export")
def linked(asked: Asked) -> Media:
    """What `webContentLink`, `exportLinks` and operations lead to; it wants the token as the API does."""
    gate.known_token(asked)
    gate.admit(asked, CONTENT, asked.name)
    file = asked.view.find(asked.given.get("id", ""), CONTENT)
    wanted = asked.given.get("revision")
    revision = next((one for one in file.revisions if one.id == wanted), file.head)
    if asked.name == "content.download":
        return media(asked, file, revision)
    kinds = {name: kind for kind, name in NAMES.items()}
    kind = kinds.get(asked.given.get("exportFormat", ""), "")
    content = revision.content if revision is not None else None
    return ranged(_exported(asked, file, content, kind), kind, asked.headers.get("range", ""))
