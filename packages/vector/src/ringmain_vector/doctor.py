"""What `doctor` looks at: the store, its collections, and the embedding model."""

from collections.abc import AsyncIterator

from ringmain_core.connector import Check
from ringmain_core.errors import ToolFailure
from ringmain_vector.api import VectorSearch
from ringmain_vector.domain import NOBODY


async def ready(vector: VectorSearch) -> None:
    """Raise unless the store answers. The model may come later."""
    await vector.store.names()


async def diagnose(vector: VectorSearch) -> AsyncIterator[Check]:
    """Check the store, each collection, and the model."""
    what = f"store, {vector.store.kind}"
    try:
        names = await vector.store.names()
    except ToolFailure as error:
        yield Check(what, "failed", error.message, "Check RINGMAIN_VECTOR_STORE, its key, and the way there.")
        return
    yield Check(what, "ok", f"{len(names)} collections")
    if not names:
        yield Check("collections", "warning", "there is none yet", "`ringmain-vector index PATH` makes one.")
    for name in names:
        yield await _collection(vector, name)
    try:
        await vector.embedder.load()
    except ToolFailure as error:
        remedy = "Until then searches go by words only. Check RINGMAIN_VECTOR_EMBEDDER."
        yield Check("model", "failed", error.message, remedy)
    else:
        detail = f"{vector.embedder.name}, {vector.embedder.dimension} dimensions"
        yield Check("model", "ok", detail)


async def _collection(vector: VectorSearch, name: str) -> Check:
    what = f"collection {name}"
    try:
        found = await vector.store.open(name)
        if found is None:
            return Check(what, "warning", "it is listed, and is not there", "Has it been removed?")
        stats = await found.stats(NOBODY)
    except ToolFailure as error:
        return Check(what, "failed", error.message)
    detail = f"{stats.documents:,} documents, {stats.passages:,} passages, model {found.manifest.model}"
    if found.manifest.model != vector.embedder.name:
        remedy = f"Set RINGMAIN_VECTOR_EMBEDDER to it, or index again: here is {vector.embedder.name}."
        return Check(what, "warning", detail, remedy)
    if stats.notes:
        return Check(what, "warning", f"{detail}; {'; '.join(stats.notes)}")
    return Check(what, "ok", detail)
