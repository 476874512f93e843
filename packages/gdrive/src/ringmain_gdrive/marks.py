"""What tells a write of ours from all others, so that it is found again where its answer got lost.

A new file is made under an id that Google gave out beforehand. For its own formats Google takes none, and
a change of content has none: there a property that only this app sees carries the mark.
"""

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ringmain_core.errors import NotFound, UpstreamRefused
from ringmain_core.steps import sent_or_found
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.client import Upload
from ringmain_gdrive.file import DOCUMENT, FIELDS, FOLDER, SHORTCUT, DriveFile
from ringmain_gdrive.references import quoted

_PROPERTY = "ringmain"
_NATIVE = DOCUMENT.removesuffix("document")
_IN_USE = 409


@dataclass(frozen=True, slots=True)
class Mark:
    """Of one write; one of the two is empty.

    Attributes:
        id: That the new file gets.
        value: Of the property.
    """

    id: str = ""
    value: str = ""

    @property
    def body(self) -> Mapping[str, Any]:
        """What carries it along with a write."""
        return {"id": self.id} if self.id else {"appProperties": {_PROPERTY: self.value}}

    def to_note(self) -> Mapping[str, str]:
        """For `call.note`."""
        return asdict(self)

    def is_on(self, file: DriveFile) -> bool:
        """Whether a file carries it, so that the write has happened."""
        properties: Mapping[str, Any] = file.told.get("appProperties") or {}
        return bool(self.value) and properties.get(_PROPERTY) == self.value


def fresh_mark() -> Mark:
    """For a change of something that is there."""
    return Mark(value=secrets.token_hex(12))


async def mark_for(gdrive: GDrive, mime_type: str) -> Mark:
    """For a new file of a type."""
    if mime_type.startswith(_NATIVE) and mime_type not in (FOLDER, SHORTCUT):
        return fresh_mark()
    kind = "shortcuts" if mime_type == SHORTCUT else "files"
    # Not by `get`, which would give two callers at once the same ids.
    given = await gdrive.send("files.generateIds", access="read", count=1, type=kind, fields="ids")
    return Mark(id=str(given["ids"][0]))


async def made_once(
    gdrive: GDrive,
    method: str,
    mark: Mark,
    body: Mapping[str, Any],
    *,
    upload: Upload | None = None,
    **parameters: Any,
) -> DriveFile:
    """Make a file by `files.create` or `files.copy`, and find it where the answer got lost.

    Raises:
        OutcomeUnknown: Where no answer came and it is not there, yet.
        NotFound, UpstreamRefused, UpstreamUnavailable: As of every write; nothing has happened.
    """

    async def send() -> DriveFile:
        try:
            told = await gdrive.send(
                method,
                body={**body, **mark.body},
                upload=upload,
                idempotent=bool(mark.id),
                fields=FIELDS,
                supportsAllDrives=True,
                ignoreDefaultVisibility=True,  # an administrator's default may let the whole domain in
                **parameters,
            )
        except UpstreamRefused as refused:
            found = await made_by(gdrive, mark) if refused.detail.get("status") == _IN_USE else None
            if found is None:
                raise
            return found
        return DriveFile(told)

    return await sent_or_found(send, lambda: made_by(gdrive, mark))


async def made_by(gdrive: GDrive, mark: Mark) -> DriveFile | None:
    """The file that was made under a mark, if it was."""
    if mark.id:
        try:
            return DriveFile(
                await gdrive.get("files.get", fileId=mark.id, fields=FIELDS, supportsAllDrives=True)
            )
        except NotFound:
            return None
    page = await gdrive.get(
        "files.list",
        q=f"appProperties has {{ key={quoted(_PROPERTY)} and value={quoted(mark.value)} }}",
        fields=f"files({FIELDS})",
        corpora="allDrives",
        includeItemsFromAllDrives=True,
        supportsAllDrives=True,
    )
    return DriveFile(page["files"][0]) if page["files"] else None


async def marked(
    gdrive: GDrive, file_id: str, mark: Mark, headers: Mapping[str, str] | None
) -> DriveFile | None:
    """A file as it is now, if it carries a mark: then the change has happened."""
    told = await gdrive.get(
        "files.get",
        fileId=file_id,
        fields=f"{FIELDS},appProperties",
        supportsAllDrives=True,
        headers=headers,
    )
    file = DriveFile(told)
    return file if mark.is_on(file) else None
