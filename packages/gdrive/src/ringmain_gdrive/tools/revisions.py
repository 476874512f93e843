"""The revisions of a file, and how its text has changed."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Annotated, Any, Literal

from pydantic import Field

from ringmain_core.answers import PagedItem
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments
from ringmain_core.parts import Part, filled, whole
from ringmain_core.text import clean
from ringmain_core.tooling import tool
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.contents import text_of
from ringmain_gdrive.places import Place
from ringmain_gdrive.references import Cursor, FileRef

_SECONDS = 120.0  # for one call: what is large, Google prepares first
_REVISION_FIELDS = (
    "nextPageToken,revisions(id,modifiedTime,size,keepForever,lastModifyingUser(displayName,emailAddress))"
)


@tool(access="read", title="List or compare revisions", timeout=_SECONDS)
async def revisions(
    gdrive: GDrive,
    call: Call,
    file: FileRef,
    op: Literal["list", "diff"] = "list",
    old: Annotated[str | None, Field(description="Revision id, for diff.")] = None,
    new: Annotated[str | None, Field(description="The current one if left out.")] = None,
    cursor: Cursor = None,
) -> PagedItem:
    """List the revisions of a file, or show how its text changed from one to another."""
    place = await gdrive.place(call, file)
    facts: dict[str, Any] = {"file": place.file.name, "current": place.file.revision}
    if op == "list":
        parts = {"revisions": _revisions(gdrive, place)}
    else:
        if old is None:
            raise InvalidArguments("Say which revision to compare from: `old`; op=list shows their ids.")
        before = await text_of(gdrive, call, place, revision_id=old)
        after = await text_of(gdrive, call, place, revision_id=new)
        facts |= {"old": old, "new": new or place.file.revision}
        changes = await gdrive.extracts.workers.compare(before, after, place.file.name)
        parts = {"diff": whole(changes or "The texts are the same.")}
    source = f"{place.source} {op} {old} {new}"
    answer = await filled(gdrive.cursors, call, source, facts, parts, cursor)
    await place.saw(call)
    return answer


def _revisions(gdrive: GDrive, place: Place) -> Part:
    async def pieces(begin: int) -> AsyncGenerator[str]:
        every = gdrive.every(
            "revisions.list",
            "revisions",
            fileId=place.id,
            fields=_REVISION_FIELDS,
            pageSize=200,
            headers=place.headers,
        )
        number = 0
        async with aclosing(every):
            async for told in every:
                number += 1
                if number > begin:
                    yield _revision(told)

    return pieces


def _revision(told: Mapping[str, Any]) -> str:
    by: Mapping[str, Any] = told.get("lastModifyingUser") or {}
    size = f", {int(told['size']):,} bytes" if told.get("size") else ""
    kept = ", kept for ever" if told.get("keepForever") else ""
    who = clean(str(by.get("displayName") or by.get("emailAddress") or "somebody"))
    return f"[{told['id']}] {str(told.get('modifiedTime') or '')[:16]} {who}{size}{kept}"


TOOLS = (revisions,)
