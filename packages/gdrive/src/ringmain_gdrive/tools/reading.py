"""What is in files: text by parts and pages, tables with their types, links to the bytes."""

from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from ringmain_core.answers import ContentItem, Rows, fitting, size_of
from ringmain_core.call import Call
from ringmain_core.errors import InvalidCursor, UpstreamRefused
from ringmain_core.tooling import tool
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.contents import bytes_of, extract_of, require_leave
from ringmain_gdrive.extraction.extracted import Entry, Extract
from ringmain_gdrive.places import Place
from ringmain_gdrive.portions import chosen, listed, named, portion, remarked, sheet_of
from ringmain_gdrive.readable import content_kind, readable
from ringmain_gdrive.references import Cursor, FileRef, PartName
from ringmain_gdrive.resources_content import content_uri
from ringmain_gdrive.tables import area, names_of, rows_of

_MOST_IMAGE = 3 * 1024 * 1024
_SECONDS = 120.0  # for one call: what is large, Google prepares first
_FRAME = 1_000  # bytes for what stands around the text
_CHANGED = "The file has changed since that page. Leave the cursor out to begin again."


@tool(access="read", title="Read a file", timeout=_SECONDS)
async def read_file(
    gdrive: GDrive,
    call: Call,
    file: FileRef,
    part: Annotated[
        PartName | None, Field(description="Sheet, heading, or number of a page or slide; `2-5`.")
    ] = None,
    offset: Annotated[int, Field(ge=0, description="Characters to skip.")] = 0,
    max_chars: Annotated[int, Field(ge=1, description="Less than fits one answer.")] = 20_000,
    revision_id: Annotated[str | None, Field(description="Of an older content.")] = None,
    cursor: Cursor = None,
) -> ContentItem:
    """Read documents, slides, PDFs, Office files, text or images; without `part` from the beginning."""
    place = await gdrive.place(call, file)
    if readable(place.file).form is None:
        return await _image(gdrive, call, place, revision_id)
    extract = await extract_of(gdrive, call, place, revision_id=revision_id)
    purpose = f"{call.target} {place.id} {revision_id} {part}"
    if cursor is not None:
        digest, offset = gdrive.cursors.open(call, purpose, cursor)
        if digest != extract.digest:
            raise InvalidCursor(_CHANGED)
    entries = chosen(extract, part)
    answer = ContentItem(source=place.source, facts={} if cursor else _facts(place, revision_id))
    room = call.room - _FRAME
    if len(extract.entries) > 1 and part is None and not offset:
        table, shown = listed(extract.entries, room // 4)
        answer.parts["parts"] = table
        if shown < len(extract.entries):
            answer.truncated.append(f"parts: {shown:,} of {len(extract.entries):,}; `part` takes all.")
    if extract.remarks and not cursor:
        answer.facts["remarks"] = list(extract.remarks)
    room -= 2 * size_of(answer.facts) + size_of(answer.parts)
    piece = portion(extract.joined(entries), offset, max_chars, room)
    answer.facts["characters"] = f"{piece.start:,} to {piece.end:,} of {piece.total:,}"
    answer.parts["content"] = piece.text
    if not piece.is_last:
        answer.next_cursor = gdrive.cursors.seal(call, purpose, [extract.digest, piece.end])
        answer.truncated.append(f"content: {piece.total - piece.end:,} characters follow, by `next_cursor`.")
    await place.saw(call)
    return answer


async def _image(gdrive: GDrive, call: Call, place: Place, revision_id: str | None) -> ContentItem:
    wanted = readable(place.file)
    is_large = place.file.size > _MOST_IMAGE and revision_id is None
    content = b"" if is_large else await bytes_of(gdrive, call, place, wanted, revision_id=revision_id)
    size = place.file.size if is_large else len(content)
    if size > _MOST_IMAGE:
        raise UpstreamRefused(
            f"`{place.file.name}` is an image of {size:,} bytes; at most {_MOST_IMAGE:,} are shown. "
            "`download` gives a link to it."
        )
    await place.saw(call)
    answer = ContentItem(source=place.source, facts=_facts(place, revision_id))
    return answer.with_image(content, wanted.kind)


def _facts(place: Place, revision_id: str | None) -> dict[str, Any]:
    file = place.file
    facts = {
        "name": file.name,
        "id": file.id,
        "kind": file.kind,
        "path": place.path,
        "modified": file.told.get("modifiedTime"),
        "revision": revision_id or file.revision,
    }
    return facts | {"in the trash": True} if file.told.get("trashed") else facts


@tool(access="read", title="Read a table", timeout=_SECONDS)
async def read_table(
    gdrive: GDrive,
    call: Call,
    file: FileRef,
    sheet: Annotated[PartName | None, Field(description="The first if left out.")] = None,
    range: Annotated[str | None, Field(description="Like A1:F200.")] = None,  # noqa: A002 (as everybody calls it)
    header: Annotated[bool, Field(description="Whether its first row names the columns.")] = True,
    limit: Annotated[int, Field(ge=1, le=5_000)] = 200,
    cursor: Cursor = None,
) -> Rows:
    """Read rows of a spreadsheet or CSV file; numbers stay numbers, dates are ISO 8601."""
    place = await gdrive.place(call, file)
    extract = await extract_of(gdrive, call, place)
    found = sheet_of(extract, sheet)
    purpose = f"{call.target} {place.id} {sheet} {range} {header}"
    begin = 0
    if cursor is not None:
        digest, begin = gdrive.cursors.open(call, purpose, cursor)
        if digest != extract.digest:
            raise InvalidCursor(_CHANGED)
    within = area(range, found.rows, found.columns)
    lines = extract.text(found).split("\n") if found.rows else []
    head = rows_of(lines, replace(within, bottom=min(within.top + 1, within.bottom))) if header else []
    columns = names_of(within, *head)
    top = within.top + len(head)
    total = max(within.bottom - top, 0)
    page = replace(within, top=top + begin, bottom=min(top + begin + limit, within.bottom))
    note = _about(extract, found)
    rows = fitting(rows_of(lines, page), call.room - size_of(columns) - size_of(note) - _FRAME)
    end = begin + len(rows)
    await place.saw(call)
    return Rows(
        source=place.source,
        columns=columns,
        rows=rows,
        total=total,
        next_cursor=gdrive.cursors.seal(call, purpose, [extract.digest, end]) if end < total else None,
        note=note,
    )


def _about(extract: Extract, sheet: Entry) -> str | None:
    """What a reader of a sheet should know beside its rows."""
    others = [one for one in extract.entries if one.kind == "sheet" and one != sheet]
    said = [*(["This sheet is hidden."] if sheet.hidden else []), *remarked(extract)]
    if others:
        said.append(f"Other sheets:\n{named(others)}")
    return "\n".join(said) or None


@tool(access="read", title="Link to the bytes")
async def download(gdrive: GDrive, call: Call, file: FileRef) -> dict[str, Any]:
    """Get a link to a file's bytes for your client to read; they do not pass through you."""
    place = await gdrive.place(call, file)
    wanted = content_kind(place.file)
    require_leave(place)
    link: dict[str, Any] = {
        "type": "resource_link",
        "uri": content_uri(place),
        "name": place.file.name,
        "mimeType": wanted.kind,
    }
    if place.file.size and not wanted.is_exported:
        link["size"] = place.file.size
    await place.saw(call)
    return {"content": [link]}


TOOLS = (read_file, read_table, download)
