"""What has changed in Drive."""

from typing import Annotated, Any

from pydantic import Field

from ringmain_core.answers import Rows
from ringmain_core.call import Call
from ringmain_core.tooling import tool
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.changes import changes_since, start_of
from ringmain_gdrive.references import Cursor


@tool(access="read", title="What has changed")
async def changes(
    gdrive: GDrive,
    call: Call,
    drive: Annotated[str | None, Field(description="Only of this shared drive.")] = None,
    cursor: Cursor = None,
) -> Rows:
    """List files that were changed, moved or removed since a cursor; without one, begin now and give one."""
    purpose = f"{call.target} {drive}"
    columns = ["time", "what", "id", "name", "path", "by"]
    if cursor is None:
        start = await start_of(gdrive, drive)
        return Rows(
            source="Drive",
            columns=columns,
            rows=[],
            next_cursor=gdrive.cursors.seal(call, purpose, start),
            note="What changes from now on will be listed with the cursor.",
        )
    token: str = gdrive.cursors.open(call, purpose, cursor)
    found = await changes_since(gdrive, token, drive)
    fence = call.fence("folder")
    rows: list[list[Any]] = []
    for change in found.changes:
        if change.file is None:
            if fence.patterns is None:  # of what is gone nobody can say whether it was inside
                rows.append([change.time, "removed or not visible any more", change.file_id, "", "", ""])
            continue
        place = await gdrive.placed(call, change.file)
        if gdrive.inside(fence, place):
            await place.saw(call)
            rows.append([change.time, change.what, place.id, place.file.name, place.path, change.by])
    return Rows(
        source="Drive",
        columns=columns,
        rows=rows,
        next_cursor=gdrive.cursors.seal(call, purpose, found.following),
        note="There are more now." if found.is_partial else "These are all so far; ask again later.",
    )


TOOLS = (changes,)
