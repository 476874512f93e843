"""Going back to an older content of a file."""

from collections.abc import Mapping
from typing import Any

from ringmain_core.arguments import DryRun, IdempotencyKey
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, UpstreamRefused
from ringmain_core.tooling import tool
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.client import Upload
from ringmain_gdrive.contents import bytes_of
from ringmain_gdrive.models import Outcome
from ringmain_gdrive.outgoing import OFFICE
from ringmain_gdrive.places import Place
from ringmain_gdrive.readable import Readable, content_kind
from ringmain_gdrive.references import FileRef
from ringmain_gdrive.revising import Change, revise, revised

_FOR_EVER = "Drive keeps that revision for ever from then on: only so can it be read."


async def _settle(gdrive: GDrive, call: Call, note: Any) -> Outcome | None:
    if note is None:
        return None  # to keep a revision sets a state: sent again, it does no more
    return await revised(gdrive, await gdrive.place(call, note["file"]), note)


@tool(access="write", title="Restore a revision", settle=_settle)
async def restore_revision(
    gdrive: GDrive,
    call: Call,
    file: FileRef,
    revision_id: str,
    pin: bool = False,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core keeps it)
) -> Outcome:
    """Make an older revision's content the current one, or only `pin` it: Drive keeps it for ever."""
    place = await gdrive.place(call, file)
    told = await _revision(gdrive, place, revision_id)
    if pin:
        return await _pin(gdrive, place, told, dry_run=dry_run)
    if revision_id == place.file.revision:
        raise InvalidArguments("That is the current revision.")
    wanted = _form(place, told)
    what = f"Restore revision {revision_id} as the content"
    if dry_run and not place.file.is_native and not told.get("keepForever"):
        await place.saw(call)
        return Outcome(
            done=False,
            summary=f"{what} of {place.title}, {int(told.get('size') or 0):,} bytes.",
            id=place.id,
            revision=place.file.revision,
            requests=[{"revisions.update": revision_id, "keepForever": True}, {"files.update": place.id}],
            warnings=[_FOR_EVER],
        )
    if not place.file.is_native:
        await place.may_share(call, f"{what} of {place.title}")
        await _kept(gdrive, place, told)
    data = await bytes_of(gdrive, call, place, wanted, revision_id=revision_id)
    change = Change(place, Upload(data, wanted.kind), place.file.revision)
    return await revise(gdrive, call, change, what, dry_run=dry_run)


def _form(place: Place, told: Mapping[str, Any]) -> Readable:
    """How the revision is got: of Google's own formats as an Office file, which loses the least."""
    if not place.file.is_native:
        return Readable(str(told.get("mimeType") or place.file.mime_type), None)
    if place.file.mime_type not in OFFICE:
        raise InvalidArguments(f"Google gives no old content of a {place.file.kind}: use Drive.")
    return Readable(OFFICE[place.file.mime_type], None, is_exported=True)


async def _revision(gdrive: GDrive, place: Place, revision_id: str) -> Mapping[str, Any]:
    content_kind(place.file)
    return await gdrive.get(
        "revisions.get",
        fileId=place.id,
        revisionId=revision_id,
        fields="id,mimeType,size,keepForever",
        headers=place.headers,
    )


async def _pin(gdrive: GDrive, place: Place, told: Mapping[str, Any], *, dry_run: bool) -> Outcome:
    if place.file.is_native:
        raise UpstreamRefused("Google keeps revisions of its own formats as it likes: none can be pinned.")
    if not dry_run:
        await _kept(gdrive, place, told)
    return Outcome(
        done=not dry_run,
        summary=f"Revision {told['id']} of {place.title} is kept for ever.",
        id=place.id,
        revision=str(told["id"]),
        requests=[{"revisions.update": told["id"], "keepForever": True}] if dry_run else None,
    )


async def _kept(gdrive: GDrive, place: Place, told: Mapping[str, Any]) -> None:
    """Have a revision of bytes kept, which it has to be before Drive gives it."""
    if told.get("keepForever"):
        return
    await gdrive.send(
        "revisions.update",
        fileId=place.id,
        revisionId=told["id"],
        body={"keepForever": True},
        idempotent=True,
        fields="id",
        headers=place.headers,
    )


TOOLS = (restore_revision,)
