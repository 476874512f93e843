"""Finding files: by words, in folders, in shared drives; and one file with all that is said of it."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from ringmain_core.answers import Item, Rows, fitting
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments
from ringmain_core.text import clean
from ringmain_core.tooling import tool
from ringmain_gdrive.api import GDrive, Place
from ringmain_gdrive.exposure import COLUMNS as PERMISSION_COLUMNS
from ringmain_gdrive.exposure import own_domain, permissions_of, report
from ringmain_gdrive.listing import COLUMNS, Row, page_of, saw
from ringmain_gdrive.queries import Kind, query_of
from ringmain_gdrive.references import Cursor, FileRef, quoted

_INCOMPLETE = "Drive has not looked everywhere: name a `drive` or a `folder` to be sure."
_CAN: Mapping[str, str] = {
    "canEdit": "edit",
    "canComment": "comment",
    "canShare": "share",
    "canDownload": "download",
    "canTrash": "trash",
    "canRename": "rename",
    "canMoveItemWithinDrive": "move",
}


@tool(access="read", title="Search Drive")
async def search(
    gdrive: GDrive,
    call: Call,
    text: Annotated[str | None, Field(max_length=500, description="Words in the content.")] = None,
    name: Annotated[str | None, Field(max_length=500, description="Words in the name.")] = None,
    kinds: list[Kind] | None = None,
    owner: Annotated[str | None, Field(description="E-mail, or `me`.")] = None,
    folder: Annotated[FileRef | None, Field(description="Also below its folders.")] = None,
    modified_after: str | None = None,
    drive: Annotated[str | None, Field(description="Shared drive id.")] = None,
    raw_q: Annotated[str | None, Field(description="Drive's own language.")] = None,
    limit: Annotated[int, Field(ge=1, le=100)] = 20,
    cursor: Cursor = None,
) -> Rows:
    """Find files and folders by words, kind, owner, folder or time, in My Drive and all shared drives."""
    if raw_q is not None and not gdrive.settings.raw_queries:
        raise InvalidArguments("`raw_q` is off here: use the other arguments.")
    query = query_of(
        text=text, name=name, kinds=kinds or (), owner=owner, modified_after=modified_after, raw=raw_q
    )
    inside: Place | None = None if folder is None else await gdrive.folder(call, folder)
    if drive is None and inside is not None:
        drive = inside.file.drive or None
    asked: dict[str, Any] = {"q": query, "corpora": "drive" if drive else "allDrives", "driveId": drive}
    if text is None:  # with words in the content, Drive sorts by how well they fit
        asked["orderBy"] = "modifiedTime desc"

    def keep(place: Place) -> bool:
        return inside is None or inside.id in {one.id for one in place.above}

    purpose = f"{call.target} {asked} {'' if inside is None else inside.id}"
    begin = None if cursor is None else gdrive.cursors.open(call, purpose, cursor)
    page = await page_of(gdrive, call, asked, keep, limit=limit, begin=begin)
    await saw(call, page.places)
    more = None if page.following is None else gdrive.cursors.seal(call, purpose, page.following)
    notes = [_INCOMPLETE] if page.incomplete else []
    if more and not page.rows:
        notes.append("Nothing in the first 500 that were looked through: go on with the cursor.")
    return Rows(
        source="Drive",
        columns=COLUMNS,
        rows=page.rows,
        next_cursor=more,
        note=" ".join(notes) or None,
    )


@tool(access="read", title="List a folder")
async def list_folder(
    gdrive: GDrive,
    call: Call,
    folder: FileRef = "root",
    depth: Annotated[int, Field(ge=1, le=3)] = 1,
    limit: Annotated[int, Field(ge=1, le=200)] = 100,
    cursor: Cursor = None,
) -> Rows:
    """List what is in a folder, and with `depth` in the folders below it."""
    top = await gdrive.folder(call, folder)
    purpose = f"{call.target} {top.id} {depth}"
    waiting: list[tuple[str, int]] = [(top.id, 1)]
    begin: Sequence[Any] | None = None
    if cursor is not None:
        waiting, begin = gdrive.cursors.open(call, purpose, cursor)
    rows: list[Row] = []
    places: list[Place] = []
    while waiting and len(rows) < limit:
        here, level = waiting[0]
        asked = {"q": f"{quoted(here)} in parents and trashed = false", "orderBy": "folder,name_natural"}
        left = limit - len(rows)
        page = await page_of(gdrive, call, asked, lambda _: True, limit=left, begin=begin)
        rows += page.rows
        places += page.places
        if level < depth:
            waiting += [(one.id, level + 1) for one in page.places if one.file.is_folder]
        begin = page.following
        if begin is not None:
            break
        waiting = waiting[1:]
    await saw(call, places)
    more = gdrive.cursors.seal(call, purpose, [waiting, begin]) if waiting else None
    return Rows(source=f"Drive {top.id}", columns=COLUMNS, rows=rows, next_cursor=more)


@tool(access="read", title="List shared drives")
async def list_drives(gdrive: GDrive, call: Call, name: str | None = None, cursor: Cursor = None) -> Rows:
    """List the shared drives that you are a member of."""
    purpose = f"{call.target} {name}"
    token = None if cursor is None else gdrive.cursors.open(call, purpose, cursor)
    page = await gdrive.get(
        "drives.list",
        q=f"name contains {quoted(name)}" if name else None,
        pageSize=100,
        pageToken=token,
        fields="nextPageToken,drives(id,name,createdTime,hidden,restrictions(domainUsersOnly))",
    )
    fence = call.fence("folder")
    rows: list[Row] = []
    for told in page.get("drives") or ():
        if fence.patterns is not None and not {"*", told["id"]}.intersection(fence.patterns):
            continue
        restrictions: Mapping[str, Any] = told.get("restrictions") or {}
        closed = bool(restrictions.get("domainUsersOnly"))
        rows.append([told["id"], clean(str(told["name"])), str(told.get("createdTime") or "")[:10], closed])
    following = page.get("nextPageToken")
    return Rows(
        source="Drive",
        columns=["id", "name", "created", "own domain only"],
        rows=rows,
        next_cursor=gdrive.cursors.seal(call, purpose, following) if following else None,
    )


@tool(access="read", title="Show a file")
async def get_file(gdrive: GDrive, call: Call, file: FileRef) -> Item:
    """Show what is known of a file or folder: kind, path, owner, revision, who reads it, what you may do."""
    place = await gdrive.place(call, file, follow=False)
    found = place.file
    modifier: Mapping[str, Any] = found.told.get("lastModifyingUser") or {}
    facts: dict[str, Any] = {
        "id": found.id,
        "name": found.name,
        "kind": found.kind,
        "path": place.path,
        "owner": found.owner,
        "shared drive": found.drive,
        "modified": found.told.get("modifiedTime"),
        "modified by": clean(str(modifier.get("emailAddress") or "")),
        "created": found.told.get("createdTime"),
        "bytes": found.size or None,
        "revision": found.revision,
        "readers": found.audience,
        "leads to": found.target,
        "starred": found.told.get("starred") or None,
        "in the trash": found.told.get("trashed") or None,
        "you may": [word for name, word in _CAN.items() if found.can(name)],
        "url": found.told.get("webViewLink"),
    }
    await place.saw(call)
    return Item(source=place.source, facts=facts)


@tool(access="read", title="List permissions")
async def list_permissions(gdrive: GDrive, call: Call, file: FileRef, cursor: Cursor = None) -> Rows:
    """List who can reach a file and how, and who of them is outside of your organisation."""
    place = await gdrive.place(call, file)
    purpose = f"{call.target} {place.id}"
    begin: int = 0 if cursor is None else gdrive.cursors.open(call, purpose, cursor)
    permissions = await permissions_of(gdrive, place)
    rows = fitting([one.row() for one in permissions[begin:]], call.room)
    end = begin + len(rows)
    await place.saw(call)
    return Rows(
        source=place.source,
        columns=PERMISSION_COLUMNS,
        rows=rows,
        total=len(permissions),
        next_cursor=gdrive.cursors.seal(call, purpose, end) if end < len(permissions) else None,
        note=report(permissions, await own_domain(gdrive)),
    )


async def rows_of_search(gdrive: GDrive, call: Call, query: str) -> Rows:
    """What a saved search finds now."""
    asked = {"q": f"trashed = false and ({query})", "corpora": "allDrives"}
    page = await page_of(gdrive, call, asked, lambda _: True, limit=100, begin=None)
    await saw(call, page.places)
    note = "There are more: `search` finds them." if page.following else None
    return Rows(source="Drive", columns=COLUMNS, rows=page.rows, note=note)


TOOLS = (list_drives, search, list_folder, get_file, list_permissions)
