"""Reading documents, and seeing what there is."""

from typing import Annotated, Any

from pydantic import Field

from ringmain_core.answers import Rows, size_of
from ringmain_core.call import Call
from ringmain_core.errors import NotFound
from ringmain_core.text import clean, prose
from ringmain_core.tooling import tool
from ringmain_vector.api import VectorSearch
from ringmain_vector.models import DocumentText, said
from ringmain_vector.reading import page_of, window_of

_FRAME = 700  # bytes for what stands around the rows


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
    passages = await found.passages(vector.where(call).tenant, document_id)
    if not passages:
        raise NotFound(f"There is no document `{document_id[:200]}` in `{found.name}`.")
    purpose = f"{call.target} {found.name} {document_id}"
    if cursor is not None:
        offset = vector.cursors.open(call, purpose, cursor)
    elif around is not None:
        offset = window_of(passages, around, max_chars)
    document = passages[0].document
    content = page_of(passages, offset, min(max_chars, (call.room - 2_000) // 2))
    end = offset + len(content)
    last = passages[-1].start + len(passages[-1].text)  # only space follows
    await call.saw("group")
    return DocumentText(
        source=f"{found.name}/{document_id}",
        document_id=document.id,
        title=clean(document.title) or None,
        uri=clean(document.uri) or None,
        offset=offset,
        total_chars=document.length,
        content=prose(content),
        metadata=said(document.metadata),
        next_cursor=vector.cursors.seal(call, purpose, end) if content and end < last else None,
    )


@tool(access="read", title="List collections")
async def list_collections(vector: VectorSearch, call: Call, cursor: str | None = None) -> Rows:
    """List the collections with their size, model, and the fields that `filters` can name."""
    names = await vector.names(call)
    begin: int = 0 if cursor is None else vector.cursors.open(call, str(call.target), cursor)
    tenant = vector.where(call).tenant
    rows: list[list[Any]] = []
    used = _FRAME
    for name in names[begin:]:
        found = await vector.store.open(name)
        if found is None:  # it has gone meanwhile
            continue
        stats = await found.stats(tenant)
        fields = [f"{clean(field)}: {kind}" for field, kind in found.manifest.fields.items()]
        row = [name, stats.documents, stats.passages, found.manifest.model, fields, list(stats.notes)]
        used += size_of(row)
        if used > call.room and rows:
            break
        rows.append(row)
    end = begin + len(rows)
    return Rows(
        source="collections",
        columns=["collection", "documents", "passages", "model", "fields", "notes"],
        rows=rows,
        next_cursor=vector.cursors.seal(call, str(call.target), end) if end < len(names) else None,
        note=None if rows else "There is none yet: `ringmain-vector index PATH` makes one.",
    )


TOOLS = (get_document, list_collections)
