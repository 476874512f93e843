"""Finding files: by words, in folders, in shared drives; and one file with all that is said of it."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from ringmain_core.answers import Item, Rows, fitting
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments
from ringmain_core.flow import Audience
from ringmain_core.text import clean
from ringmain_core.tooling import tool
from ringmain_gdrive.ancestors import admits_drive
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.exposure import COLUMNS as PERMISSION_COLUMNS
from ringmain_gdrive.exposure import permissions_of, report
from ringmain_gdrive.listing import COLUMNS, page_of, saw
from ringmain_gdrive.places import Place
from ringmain_gdrive.queries import Kind, query_of
from ringmain_gdrive.readers import certain_readers, possible_readers
from ringmain_gdrive.references import Cursor, FileRef, quoted
from ringmain_gdrive.walking import Step, Walk

_INCOMPLETE = "Drive has not looked everywhere: name a `drive` or a `folder` to be sure."
_INCOMPLETE_SAVED = "Drive has not looked everywhere: there may be others."
_NARROW = "The operator can make the saved search a narrower one."
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

    purpose = f"search {asked} {'' if inside is None else inside.id}"
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
    purpose = f"list_folder {top.id} {depth}"
    way = [Step(top.id)]
    if cursor is not None:
        way = [Step(*step) for step in gdrive.cursors.open(call, purpose, cursor)]
    walk = Walk(way, depth, limit)
    await walk.go_on(gdrive, call)
    await saw(call, walk.places)
    more = gdrive.cursors.seal(call, purpose, [step.to_cursor() for step in walk.way]) if walk.way else None
    return Rows(
        source=f"Drive {top.id}",
        columns=COLUMNS,
        rows=walk.rows,
        next_cursor=more,
        note="Many folders hold nothing: go on with the cursor." if more and not walk.rows else None,
    )


@tool(access="read", title="List shared drives")
async def list_drives(gdrive: GDrive, call: Call, name: str | None = None, cursor: Cursor = None) -> Rows:
    """List the shared drives that you are a member of."""
    purpose = f"list_drives {name}"
    token = None if cursor is None else gdrive.cursors.open(call, purpose, cursor)
    page = await gdrive.get(
        "drives.list",
        q=f"name contains {quoted(name)}" if name else None,
        pageSize=100,
        pageToken=token,
        fields="nextPageToken,drives(id,name,createdTime,hidden,restrictions(domainUsersOnly))",
    )
    fence = call.fence("folder")
    rows: list[list[Any]] = []
    for told in page.get("drives") or ():
        if not admits_drive(fence, told["id"]):
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
        "readers": await _audience(gdrive, call, place),
        "leads to": found.target,
        "starred": found.told.get("starred") or None,
        "in the trash": found.told.get("trashed") or None,
        "you may": [word for name, word in _CAN.items() if found.can(name)],
        "url": found.told.get("webViewLink"),
    }
    await place.saw(call)
    return Item(source=place.source, facts=facts)


async def _audience(gdrive: GDrive, call: Call, place: Place) -> Audience:
    """Who reads it, where that can be known; in My Drive without another request."""
    if place.file.has_own_readers or "permissions" in place.file.told:
        return (await possible_readers(gdrive, call, place)).audience
    return certain_readers(place).audience


@tool(access="read", title="List permissions")
async def list_permissions(gdrive: GDrive, call: Call, file: FileRef, cursor: Cursor = None) -> Rows:
    """List who can reach a file and how, and who of them is outside of your organisation."""
    place = await gdrive.place(call, file)
    purpose = f"list_permissions {place.id}"
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
        note=report(permissions, await gdrive.own(call)),
    )


async def rows_of_search(gdrive: GDrive, call: Call, query: str) -> Rows:
    """What a saved search finds now."""
    asked = {"q": f"trashed = false and ({query})", "corpora": "allDrives"}
    page = await page_of(gdrive, call, asked, lambda _: True, limit=100, begin=None)
    await saw(call, page.places)
    notes = [_INCOMPLETE_SAVED] if page.incomplete else []
    if page.following:
        notes.append("There are more than these.")
        notes.append("`search` with `raw_q` finds them." if gdrive.settings.raw_queries else _NARROW)
    return Rows(source="Drive", columns=COLUMNS, rows=page.rows, note=" ".join(notes) or None)


TOOLS = (list_drives, search, list_folder, get_file, list_permissions)
