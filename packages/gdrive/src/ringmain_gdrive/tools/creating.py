"""Making files and folders, and giving files new content."""

from typing import Annotated, Any, Literal

from pydantic import Field

from ringmain_core.arguments import DryRun, IdempotencyKey
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments
from ringmain_core.tooling import tool
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.client import Upload
from ringmain_gdrive.contents import bytes_of
from ringmain_gdrive.extraction.charset import encoded_after
from ringmain_gdrive.extraction.extracted import Unreadable
from ringmain_gdrive.extraction.web_pages import said_charset
from ringmain_gdrive.file import DOCUMENT, DriveFile, told_briefly
from ringmain_gdrive.marks import Mark, made_by, made_once, mark_for
from ringmain_gdrive.models import Outcome
from ringmain_gdrive.outgoing import (
    NATIVE,
    Content,
    ContentBase64,
    Kind,
    data_of,
    is_textual,
    type_of_new,
    upload_for,
)
from ringmain_gdrive.places import Place
from ringmain_gdrive.readable import content_kind
from ringmain_gdrive.readers import possible_readers
from ringmain_gdrive.references import FileRef
from ringmain_gdrive.revising import Change, require_revision, revise, revised

_OTHER = "application/octet-stream"


async def _settle_new(gdrive: GDrive, call: Call, note: Any) -> Outcome | None:
    await gdrive.folder(call, note["folder"])
    found = await made_by(gdrive, Mark(**note["mark"]))
    return None if found is None else _made(found)


def _made(file: DriveFile) -> Outcome:
    return Outcome(
        done=True,
        summary=f"Made the {file.kind} “{file.name}”.",
        id=file.id,
        url=file.told.get("webViewLink"),
        revision=None if file.is_folder else file.revision,
    )


@tool(access="write", title="Create a file", settle=_settle_new)
async def create_file(
    gdrive: GDrive,
    call: Call,
    name: Annotated[str, Field(min_length=1, max_length=500)],
    folder: FileRef = "root",
    kind: Annotated[Kind, Field(description="The last three are Google's own formats.")] = "file",
    content: Content = None,
    content_base64: ContentBase64 = None,
    mime_type: Annotated[str | None, Field(description="By the name's ending if left out.")] = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core keeps it)
) -> Outcome:
    """Create a file or folder. Markdown becomes a document, CSV a spreadsheet, if `kind` says so."""
    target = await gdrive.folder(call, folder)
    upload = _upload(gdrive, name, kind, content, content_base64, mime_type)
    becomes = NATIVE.get(kind) or (upload.mime_type if upload else _OTHER)
    body = {"name": name, "mimeType": becomes, "parents": [target.id]}
    new = DriveFile(body)
    size = f", {len(upload.content):,} bytes of {upload.mime_type}" if upload else ""
    if dry_run:
        readers = await possible_readers(gdrive, call, target)
        return Outcome(
            done=False,
            summary=f"A new {new.kind} “{new.name}” in {target.path}{size}.",
            requests=[{"files.create": body}],
            warnings=[f"It can be read by those who can read the folder ({readers.audience})."],
        )
    await target.may_share(call, f"Create “{told_briefly(new.name)}” in {target.where}")
    mark = await mark_for(gdrive, becomes)
    await call.note({"folder": target.id, "mark": mark.to_note()})
    made = await made_once(gdrive, "files.create", mark, body, upload=upload, headers=target.headers)
    return _made(made)


def _upload(
    gdrive: GDrive,
    name: str,
    kind: Kind,
    content: str | None,
    content_base64: str | None,
    mime_type: str | None,
) -> Upload | None:
    if content is None and content_base64 is None and kind != "file":
        return None
    if kind == "folder":
        raise InvalidArguments("A folder has no content.")
    data = data_of(content, content_base64, gdrive.settings.most_bytes)
    becomes = NATIVE.get(kind, "")
    return Upload(data, type_of_new(name, becomes, mime_type, is_text=content is not None))


async def _settle_update(gdrive: GDrive, call: Call, note: Any) -> Outcome | None:
    return await revised(gdrive, await gdrive.place(call, note["file"]), note)


@tool(access="write", title="Change a file's content", settle=_settle_update)
async def update_file(
    gdrive: GDrive,
    call: Call,
    file: FileRef,
    if_revision: Annotated[str, Field(description="`revision` of get_file; refused if it has moved.")],
    content: Content = None,
    content_base64: ContentBase64 = None,
    mode: Literal["replace", "append"] = "replace",
    keep_revision: bool = False,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core keeps it)
) -> Outcome:
    """Replace a file's content, or append text to it. Documents take Markdown, spreadsheets CSV."""
    place = await gdrive.place(call, file)
    require_revision(place.file, if_revision)
    data = data_of(content, content_base64, gdrive.settings.most_bytes)
    if mode == "append":
        if content is None:
            raise InvalidArguments("Only text can be appended: give `content`.")
        data = await _joined(gdrive, call, place, data.decode())
    upload = upload_for(place.file, data, is_text=content is not None)
    change = Change(place, upload, if_revision, keep=keep_revision)
    return await revise(gdrive, call, change, f"{mode.capitalize()} content", dry_run=dry_run)


async def _joined(gdrive: GDrive, call: Call, place: Place, more: str) -> bytes:
    """What is in a file, and more behind it on a line of its own, in the same charset."""
    wanted = content_kind(place.file)
    if place.file.mime_type != DOCUMENT and not is_textual(place.file):
        raise InvalidArguments(f"Nothing can be appended to a {place.file.kind}: replace its content.")
    before = await bytes_of(gdrive, call, place, wanted)
    hint = said_charset(before) if wanted.form == "html" else ""
    try:
        ends = not before or before.endswith(encoded_after(before, "\n", hint))
        between = "" if ends else "\n\n" if wanted.is_exported else "\n"
        whole = before + encoded_after(before, between + more, hint)
    except Unreadable as error:
        raise InvalidArguments(f"Nothing can be appended to “{place.file.name}”: {error}") from error
    most = gdrive.settings.most_bytes
    if len(whole) > most:
        raise InvalidArguments(f"With that it would have more than {most:,} bytes.")
    return whole


TOOLS = (create_file, update_file)
