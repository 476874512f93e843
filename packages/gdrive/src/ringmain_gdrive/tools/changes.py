"""What has changed in Drive."""

from typing import Annotated, Any

from pydantic import Field

from ringmain_core.answers import Rows, size_of
from ringmain_core.call import Call
from ringmain_core.tooling import tool
from ringmain_gdrive.ancestors import admits_drive
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.changes import Change, changes_since, start_of
from ringmain_gdrive.listing import mark_of, room_for_rows
from ringmain_gdrive.references import Cursor

_COLUMNS = ["time", "what", "id", "name", "path", "by"]


@tool(access="read", title="What has changed")
async def changes(
    gdrive: GDrive,
    call: Call,
    drive: Annotated[str | None, Field(description="Only of this shared drive.")] = None,
    cursor: Cursor = None,
) -> Rows:
    """List files that were changed, moved or removed since a cursor; without one, begin now and give one."""
    purpose = f"changes {drive}"
    if cursor is None:
        start = await start_of(gdrive, drive)
        return Rows(
            source="Drive",
            columns=_COLUMNS,
            rows=[],
            next_cursor=gdrive.cursors.seal(call, purpose, [start, []]),
            note=f"What changes from now on will be listed with the cursor.{_scope(drive)}",
        )
    token, seen = gdrive.cursors.open(call, purpose, cursor)
    found = await changes_since(gdrive, token, drive)
    rows: list[list[Any]] = []
    seen = [mark for mark in seen if mark in {_mark(one) for one in found.changes}]
    room = room_for_rows(call)
    following: list[Any] = [found.following, []]
    is_partial = found.is_partial
    for change in found.changes:
        if _mark(change) in seen:
            continue
        row = await _row(gdrive, call, change)
        room -= size_of(row) if row else 0
        if room < 0 and rows:
            following, is_partial = [token, seen], True
            break
        seen.append(_mark(change))
        rows += [row] if row else []
    ended = f"These are all so far; ask again later.{_scope(drive)}"
    return Rows(
        source="Drive",
        columns=_COLUMNS,
        rows=rows,
        next_cursor=gdrive.cursors.seal(call, purpose, following),
        note="There are more now." if is_partial else ended,
    )


def _mark(change: Change) -> str:
    return mark_of(f"{change.file_id} {change.time}")


def _scope(drive: str | None) -> str:
    return "" if drive else " Shared drives have logs of their own, which may tell more: name a `drive`."


async def _row(gdrive: GDrive, call: Call, change: Change) -> list[Any] | None:
    """A change as a row, if the caller may know of it."""
    fence = call.fence("folder")
    if change.file is None:
        # Of what is gone nobody can say whether it was inside.
        if not (admits_drive(fence, change.file_id) if change.drive_name else fence.patterns is None):
            return None
        return [change.time, change.what, change.file_id, change.drive_name, change.drive_name, ""]
    place = await gdrive.placed(call, change.file)
    if not gdrive.inside(fence, place):
        return None
    await place.saw(call)
    return [change.time, change.what, place.id, place.file.name, place.path, change.by]


TOOLS = (changes,)
