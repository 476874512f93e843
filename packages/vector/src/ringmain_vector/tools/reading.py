"""Reading documents, and seeing what there is."""

from typing import Annotated, Any

from pydantic import Field

from ringmain_core.answers import Rows, size_of
from ringmain_core.call import Call
from ringmain_core.errors import NotFound, ToolFailure
from ringmain_core.text import clean, prose
from ringmain_core.tooling import tool
from ringmain_vector.api import VectorSearch
from ringmain_vector.domain import can_be_id
from ringmain_vector.models import DocumentText, line, said
from ringmain_vector.reading import page_of, window_of

_FRAME = 700  # bytes for what stands around the rows
_FEWEST_CHARS = 200
_MOST_FIELDS = 50  # of a collection in a list of them


@tool(access="read", title="Read a document")
async def get_document(
    vector: VectorSearch,
    call: Call,
    document_id: str,
    around: Annotated[str | None, Field(description="A hit's id: the text around it.")] = None,
    offset: Annotated[int, Field(ge=0)] = 0,
    max_chars: Annotated[int, Field(ge=200, le=20_000)] = 8_000,
    collection: str | None = None,
    cursor: str | None = None,
) -> DocumentText:
    """Read a document's text, from its beginning or around a passage that was found."""
    found = await vector.collection(call, collection)
    tenant = vector.where(call).tenant
    passages = await found.passages(tenant, document_id) if can_be_id(document_id) else []
    if not passages:
        raise NotFound(f"There is no document `{document_id[:200]}` in `{found.name}`.")
    purpose = f"get_document {found.name} {document_id}"  # a resource gives cursors for the tool
    length = min(max_chars, max((call.room - 2_000) // 2, _FEWEST_CHARS))
    if cursor is not None:
        offset = vector.cursors.open(call, purpose, cursor)
    elif around is not None:
        offset = window_of(passages, around, length)
    document = passages[0].document
    content = page_of(passages, offset, length)
    end = offset + len(content)
    last = passages[-1].start + len(passages[-1].text)  # only space follows
    await call.saw("group")
    return DocumentText(
        source=f"{found.name}/{document_id}",
        document_id=document.id,
        title=prose(document.title) or None,
        uri=line(document.uri) or None,
        offset=offset,
        total_chars=document.length,
        content=prose(content),
        metadata=said(document.metadata),
        next_cursor=vector.cursors.seal(call, purpose, end) if content and end < last else None,
    )


@tool(access="read", title="List collections")
async def list_collections(vector: VectorSearch, call: Call, cursor: str | None = None) -> Rows:
    """List the collections with their size, model, and the fields that `filters` can name."""
    after: str = "" if cursor is None else vector.cursors.open(call, "list_collections", cursor)
    names = [name for name in await vector.names(call) if name > after]
    tenant = vector.where(call).tenant
    rows: list[list[Any]] = []
    used = _FRAME
    for number, name in enumerate(names):
        row = await _row(vector, name, tenant)
        used += size_of(row)
        if used > call.room and rows:
            following = vector.cursors.seal(call, "list_collections", names[number - 1])
            break
        rows += [row] if row else []
    else:
        following = None
    return Rows(
        source="collections",
        columns=["collection", "documents", "passages", "model", "fields", "notes"],
        rows=rows,
        next_cursor=following,
        note=None if rows or after else "There is none yet: `ringmain-vector index PATH` makes one.",
    )


async def _row(vector: VectorSearch, name: str, tenant: str) -> list[Any]:
    """What is said of a collection; nothing where it has gone meanwhile. One that is broken says so."""
    try:
        found = await vector.store.open(name)
        if found is None:
            return []
        stats = await found.stats(tenant)
    except ToolFailure as error:
        return [name, None, None, None, [], [error.message]]
    fields = [f"{clean(field)}: {kind}" for field, kind in found.manifest.fields.items()]
    more = len(fields) - _MOST_FIELDS
    fields[_MOST_FIELDS:] = [f"and {more} more in vector://{name}/schema"] if more > 0 else []
    return [name, stats.documents, stats.passages, found.manifest.model, fields, list(stats.notes)]


TOOLS = (get_document, list_collections)
