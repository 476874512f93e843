"""Searching, for both versions of the API."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from ringmain_core.answers import size_of
from ringmain_core.call import Call
from ringmain_core.text import prose
from ringmain_core.tooling import tool
from ringmain_vector.api import VectorSearch
from ringmain_vector.domain import Where
from ringmain_vector.filters import Filters, parse_filters
from ringmain_vector.models import FoundPassage, Hits, Texts, line, said
from ringmain_vector.searching import NOT_READY, Found, Hit, Mode, Search, search

_FRAME = 700  # bytes for what stands around the hits
_ROOM_OF_ONE = 4_000  # characters of a passage that are shown at most
_WEAK = 0.25  # below this, the best hit has little to do with the question


@tool(access="read", title="Search documents", name="search_documents", until="v1")
async def search_texts(
    vector: VectorSearch,
    call: Call,
    query: Annotated[str, Field(min_length=1, max_length=2_000)],
    top_k: Annotated[int, Field(ge=1, le=50)] = 8,
) -> Texts:
    """Find passages that answer a question."""
    found, _, _ = await _searched(vector, call, query, top_k)
    texts: list[str] = []
    room = call.room - _FRAME
    for hit in found.hits:
        text = prose(hit.passage.text)[:_ROOM_OF_ONE]
        room -= size_of(text) + 80
        if room < 0 and texts:
            break
        texts.append(text)
    await call.saw("group")
    return Texts(result=texts)


@tool(access="read", title="Search documents", since="v2")
async def search_documents(
    vector: VectorSearch,
    call: Call,
    query: Annotated[str, Field(min_length=1, max_length=2_000)],
    top_k: Annotated[int | None, Field(ge=1, le=50)] = None,
    filters: Filters = None,
    mode: Mode = "hybrid",
    min_score: Annotated[float, Field(ge=0, le=1)] = 0.0,
    collection: str | None = None,
    cursor: str | None = None,
) -> Hits:
    """Find passages that answer a question, by meaning and by words, with scores and where they are from."""
    purpose = f"{call.target} {query} {top_k} {filters} {mode} {min_score} {collection}"
    skip: int = 0 if cursor is None else vector.cursors.open(call, purpose, cursor)
    found, name, known = await _searched(
        vector,
        call,
        query,
        top_k or vector.settings.top_k,
        name=collection,
        filters=filters,
        mode=mode,
        least=min_score,
        skip=skip,
    )
    hits: list[FoundPassage] = []
    room = call.room - _FRAME
    for hit in found.hits:
        shown = _shown(hit)
        room -= size_of(shown.model_dump(exclude_none=True)) + 200
        if room < 0 and hits:
            break
        hits.append(shown)
    more = found.more or len(hits) < len(found.hits)
    await call.saw("group")
    return Hits(
        hits=hits,
        collection=name,
        mode=found.mode,
        hint=_hint(found, hits, min_score, passages=known),
        next_cursor=vector.cursors.seal(call, purpose, skip + len(hits)) if more and hits else None,
    )


async def _searched(
    vector: VectorSearch,
    call: Call,
    query: str,
    count: int,
    *,
    name: str | None = None,
    filters: Mapping[str, Any] | None = None,
    mode: Mode = "hybrid",
    least: float = 0.0,
    skip: int = 0,
) -> tuple[Found, str, int]:
    """What is found, in which collection, and how many passages that has."""
    collection = await vector.collection(call, name)
    mine = vector.where(call)
    where = Where(mine.tenant, parse_filters(filters or {}, collection.manifest.fields))
    passages = (await collection.stats(mine.tenant)).passages
    if mode != "keyword":
        vector.begin_loading()
    asked = Search(query, where, count, mode=mode, skip=skip, least=least)
    found = await search(collection, vector.embedder, asked, passages=passages)
    if found.note == NOT_READY and vector.load_failure:
        found = replace(found, note=f"{vector.load_failure} Until then searches go by words only.")
    return found, collection.name, passages


def _shown(hit: Hit) -> FoundPassage:
    passage, document = hit.passage, hit.passage.document
    text = prose(passage.text)
    return FoundPassage(
        id=passage.id,
        document_id=document.id,
        title=prose(document.title) or None,
        uri=line(document.uri) or None,
        score=round(hit.score, 4),
        text=text[:_ROOM_OF_ONE],
        truncated=len(text) > _ROOM_OF_ONE or None,
        metadata=said(document.metadata),
    )


def _hint(found: Found, hits: list[FoundPassage], least: float, *, passages: int) -> str | None:
    said = [found.note] if found.note else []
    if hits:
        weak = found.best < _WEAK and found.mode != "keyword"
        said += ["Nothing fits well: look at the scores."] if weak else []
    elif not passages:
        said.append("The collection is empty: `ringmain-vector index PATH` or `add_documents` fills it.")
    elif found.best and found.best < least:
        said.append(f"Nothing relevant: the best score is {found.best:.4f}, below `min_score`.")
    else:
        said.append("Nothing relevant. Try other words, mode=semantic, or fewer filters.")
    return " ".join(said) or None


TOOLS = (search_texts, search_documents)
