"""Lists of files: walked page by page, kept inside the fence, each with its path."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio

from ringmain_core.answers import size_of
from ringmain_core.call import Call
from ringmain_gdrive.api import GDrive, Place
from ringmain_gdrive.file import ROW_FIELDS, DriveFile

COLUMNS = ["id", "name", "kind", "path", "owner", "modified", "bytes"]
_FRAME = 800  # bytes for what stands around the rows
_MOST_PAGES = 5  # of Drive's, for one of ours
_PAGE = 100
_AT_ONCE = 8

Row = list[Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and where the next ones begin.

    Attributes:
        following: For a cursor; `None` after the last row.
        incomplete: Whether Drive says that it has not looked everywhere.
        places: Of the rows.
    """

    rows: list[Row]
    following: list[Any] | None
    incomplete: bool
    places: list[Place]


async def page_of(
    gdrive: GDrive,
    call: Call,
    query: Mapping[str, Any],
    keep: Callable[[Place], bool],
    *,
    limit: int,
    begin: Sequence[Any] | None,
) -> Page:
    """Rows of what Drive finds, as far as the caller may know of it.

    Args:
        gdrive: Asked.
        call: For whom, and within which fence.
        query: Arguments of `files.list`: `q`, `orderBy`, `corpora`, `driveId`.
        keep: Whether a file inside the fence is wanted.
        limit: Most rows.
        begin: Where to go on: `following` of the page before.
    """
    token, skip = begin or ("", 0)
    fence = call.fence("folder")
    rows: list[Row] = []
    places: list[Place] = []
    incomplete = False
    used = _FRAME
    for _ in range(_MOST_PAGES):
        page = await gdrive.get(
            "files.list",
            **query,
            fields=f"nextPageToken,incompleteSearch,files({ROW_FIELDS})",
            pageSize=_PAGE,
            pageToken=token or None,
            includeItemsFromAllDrives=True,
            supportsAllDrives=True,
        )
        incomplete = incomplete or bool(page.get("incompleteSearch"))
        found = await placed(gdrive, call, page["files"][skip:])
        for number, place in enumerate(found, start=skip):
            if not gdrive.inside(fence, place) or not keep(place):
                continue
            row = row_of(place)
            used += size_of(row)
            if len(rows) == limit or (used > call.room and rows):
                return Page(rows, [token, number], incomplete, places)
            rows.append(row)
            places.append(place)
        token, skip = str(page.get("nextPageToken") or ""), 0
        if not token:
            return Page(rows, None, incomplete, places)
        if len(rows) == limit:
            break
    return Page(rows, [token, 0], incomplete, places)


async def placed(gdrive: GDrive, call: Call, told: Sequence[Mapping[str, Any]]) -> list[Place]:
    """Files of a list with what is above them, in their order."""
    found: dict[int, Place] = {}
    limiter = anyio.Semaphore(_AT_ONCE)

    async def look(number: int, file: DriveFile) -> None:
        async with limiter:
            found[number] = await gdrive.placed(call, file)

    async with anyio.create_task_group() as tasks:
        for number, one in enumerate(told):
            tasks.start_soon(look, number, DriveFile(one))
    return [found[number] for number in range(len(told))]


def row_of(place: Place) -> Row:
    """A file as a row of `COLUMNS`."""
    file = place.file
    size = file.size or ""
    modified = str(file.told.get("modifiedTime") or "")[:16]
    return [file.id, file.name, file.kind, place.path, file.owner, modified, size]


async def saw(call: Call, places: Sequence[Place]) -> None:
    """Say whose names the answer holds, each kind of reader once."""
    said = {(place.file.audience, place.file.readers): place for place in places}
    for place in said.values():
        await place.saw(call)
