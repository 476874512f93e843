"""New content for a file that is at the revision which was meant; found where the answer got lost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, UpstreamRefused
from ringmain_core.steps import sent_or_found
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.client import Upload
from ringmain_gdrive.file import DOCUMENT, FIELDS, SPREADSHEET, DriveFile
from ringmain_gdrive.marks import Mark, fresh_mark, marked
from ringmain_gdrive.models import Outcome
from ringmain_gdrive.outgoing import OFFICE
from ringmain_gdrive.places import Place

_COMMENTS = "nextPageToken,comments(resolved,deleted)"
_MOST_PAGES = 20


@dataclass(frozen=True, slots=True)
class Change:
    """What a file is to hold.

    Attributes:
        revision: That it has to be at.
        keep: Whether Drive keeps the new revision for ever.
    """

    place: Place
    upload: Upload
    revision: str
    keep: bool = False


def require_revision(file: DriveFile, revision: str) -> None:
    """See that a file has not moved on.

    Raises:
        UpstreamRefused: Where it has; it says to which revision.
    """
    if file.revision != revision:
        raise UpstreamRefused(
            f"“{file.name}” has changed: it is at revision {file.revision}, not {revision[:80]}. Read "
            "it again before you change it.",
            revision=file.revision,
        )


async def revise(gdrive: GDrive, call: Call, change: Change, what: str, *, dry_run: bool) -> Outcome:
    """Give a file its new content.

    Args:
        gdrive: Asked.
        call: For whom.
        change: What is meant.
        what: Is done, in words that go before “of” and a name.
        dry_run: Whether it is only told.

    Raises:
        UpstreamRefused: Where the file has moved on, beside what every write raises.
    """
    place, upload = change.place, change.upload
    if change.keep and place.file.is_native:
        raise InvalidArguments("Revisions of Google's own formats are kept by Google as it sees fit.")
    warnings = await _losses(gdrive, place, upload)
    words = f"{what} of {place.title}"
    if dry_run:
        await place.saw(call)
        media = f"{upload.mime_type}, {len(upload.content):,} bytes"
        request = {"files.update": place.id, "media": media}
        return Outcome(
            done=False,
            summary=f"{words}, {len(upload.content):,} bytes.",
            id=place.id,
            revision=place.file.revision,
            requests=[request | ({"keepRevisionForever": True} if change.keep else {})],
            warnings=warnings,
        )
    await place.may_share(call, words)
    mark = fresh_mark()
    note = {"file": place.reference, "mark": mark.to_note(), "what": words, "warnings": warnings}
    await call.note(note)
    # Drive takes no condition with an upload: so look as late as can be.
    require_revision((await gdrive.known(call, place.id, place.resource_key)).file, change.revision)

    async def send() -> Outcome:
        told = await gdrive.send(
            "files.update",
            fileId=place.id,
            body=mark.body,
            upload=upload,
            keepRevisionForever=change.keep or None,
            fields=FIELDS,
            supportsAllDrives=True,
            headers=place.headers,
        )
        return _said(DriveFile(told), words, warnings)

    return await sent_or_found(send, lambda: revised(gdrive, place, note))


async def revised(gdrive: GDrive, place: Place, note: Mapping[str, Any]) -> Outcome | None:
    """What became of a change, by what was noted before."""
    found = await marked(gdrive, place.id, Mark(**note["mark"]), place.headers)
    return None if found is None else _said(found, note["what"], note["warnings"])


def _said(file: DriveFile, words: str, warnings: list[str]) -> Outcome:
    return Outcome(
        done=True,
        summary=f"{words}: done.",
        id=file.id,
        url=file.told.get("webViewLink"),
        revision=file.revision,
        warnings=warnings,
    )


async def _losses(gdrive: GDrive, place: Place, upload: Upload) -> list[str]:
    """What an upload takes away that nobody may have meant to lose."""
    found: list[str] = []
    file = place.file
    if file.mime_type == DOCUMENT and upload.mime_type != OFFICE[DOCUMENT]:
        found.append("Formatting, images and suggestions that Markdown does not carry are lost.")
    if file.mime_type == SPREADSHEET and upload.mime_type != OFFICE[SPREADSHEET]:
        found.append("CSV is one sheet of values: all other sheets, formulas and formats are lost.")
    if file.mime_type in OFFICE.values():
        found.append("Comments and tracked changes inside of the file are those of the new bytes.")
    if count := await _open_comments(gdrive, place):
        found.append(f"Open comments lose what they point at: {count}.")
    return found


async def _open_comments(gdrive: GDrive, place: Place) -> str:
    """How many there are; empty for none."""
    count, token = 0, None
    for _ in range(_MOST_PAGES):
        page = await gdrive.get(
            "comments.list",
            fileId=place.id,
            fields=_COMMENTS,
            pageSize=100,
            pageToken=token,
            headers=place.headers,
        )
        told = page.get("comments") or ()
        count += sum(not (one.get("resolved") or one.get("deleted")) for one in told)
        token = page.get("nextPageToken")
        if not token:
            return f"{count:,}" if count else ""
    return f"{count:,} or more"
