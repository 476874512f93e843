"""Lists of files: walked page by page, kept inside the fence, each with its path."""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio

from ringmain_core.answers import size_of
from ringmain_core.call import Call
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.file import ROW_FIELDS, DriveFile
from ringmain_gdrive.places import Place
from ringmain_gdrive.readers import certain_readers

COLUMNS = ["id", "name", "kind", "path", "owner", "modified", "bytes"]
_FRAME = 3_000  # bytes for what stands around the rows, a cursor among them
_MOST_PAGES = 5  # of Drive's, for one of ours
_PAGE = 100
_AT_ONCE = 8

Row = list[Any]

Position = Sequence[Any]
"""In a list of Drive's: the token of a page, and marks of what of that page has been shown. No number, since
what was shown may be gone from the page when it is asked for again."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and where the next ones begin.

    Attributes:
        following: Where to go on; `None` after the last row.
        incomplete: Whether Drive says that it has not looked everywhere.
        places: Of the rows.
    """

    rows: list[Row]
    following: Position | None
    incomplete: bool
    places: list[Place]


async def page_of(
    gdrive: GDrive,
    call: Call,
    query: Mapping[str, Any],
    keep: Callable[[Place], bool],
    *,
    limit: int,
    begin: Position | None,
    room: int | None = None,
    may_be_empty: bool = False,
) -> Page:
    """Rows of what Drive finds, as far as the caller may know of it.

    Args:
        gdrive: Asked.
        call: For whom, and within which fence.
        query: Arguments of `files.list`: `q`, `orderBy`, `corpora`, `driveId`.
        keep: Whether a file inside the fence is wanted.
        limit: Most rows.
        begin: Where to go on: `following` of the page before.
        room: Bytes for the rows; what an answer holds if left out.
        may_be_empty: Whether there may be no row where the first one has no room.
    """
    token: str
    seen: Sequence[str]
    token, seen = begin or ("", ())
    room = room_for_rows(call) if room is None else room
    fence = call.fence("folder")
    rows: list[Row] = []
    places: list[Place] = []
    incomplete = False
    used = 0
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
        waiting, seen = unseen(page["files"], seen)
        for place in await placed(gdrive, call, waiting):
            if not gdrive.inside(fence, place) or not keep(place):
                continue
            row = row_of(place)
            used += size_of(row)
            if len(rows) == limit or (used > room and (rows or may_be_empty)):
                return Page(rows, [token, seen], incomplete, places)
            rows.append(row)
            places.append(place)
            seen.append(mark_of(place.id))
        token, seen = str(page.get("nextPageToken") or ""), []
        if not token:
            return Page(rows, None, incomplete, places)
        if len(rows) == limit:
            break
    return Page(rows, [token, seen], incomplete, places)


def unseen(
    told: Sequence[Mapping[str, Any]], seen: Sequence[str]
) -> tuple[list[Mapping[str, Any]], list[str]]:
    """What of a page has not been shown, and the marks of what has and is there still."""
    there = {mark_of(str(one["id"])): one for one in told}
    return [one for mark, one in there.items() if mark not in seen], [one for one in seen if one in there]


def mark_of(name: str) -> str:
    """A few letters that stand for something in a cursor."""
    return base64.urlsafe_b64encode(hashlib.blake2b(name.encode(), digest_size=6).digest()).decode()


def room_for_rows(call: Call) -> int:
    """Bytes of an answer that rows may have."""
    return call.room - _FRAME


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
    said = {certain_readers(place): place for place in places}
    for place in said.values():
        await place.saw(call)
