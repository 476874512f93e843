"""What a model can read of collections by URI."""

from collections.abc import Mapping

from ringmain_core.call import Call
from ringmain_core.tooling import resource
from ringmain_vector.api import VectorSearch
from ringmain_vector.domain import Where, can_be_id
from ringmain_vector.tools.reading import get_document, list_collections

_MOST_COMPLETED = 100


async def complete_collection(
    vector: VectorSearch, call: Call, typed: str, _: Mapping[str, str]
) -> list[str]:
    """Collections."""
    return [name for name in await vector.names(call) if name.startswith(typed)]


async def complete_document(
    vector: VectorSearch, call: Call, typed: str, chosen: Mapping[str, str]
) -> list[str]:
    """Documents of the chosen collection."""
    found = await vector.collection(call, chosen.get("collection"))
    if not can_be_id(typed):
        return []
    mine = Where(vector.where(call).tenant)
    exact = [one.document.id for one in await found.fetch(mine.tenant, [(typed, 0)])] if typed else []
    names = [one.id for one in await found.documents(mine, typed, _MOST_COMPLETED)]
    return [*exact, *(name for name in names if name.startswith(typed))][:_MOST_COMPLETED]


_IN = {"collection": complete_collection}


@resource("vector://collections", title="Collections")
async def collections(vector: VectorSearch, call: Call) -> str:
    """The collections with their size, model and fields."""
    return (await list_collections.function(vector, call)).text()


@resource("vector://{collection}/schema", title="Fields", complete=_IN)
async def schema(vector: VectorSearch, call: Call, collection: str) -> str:
    """How a collection was made, and what it can be filtered by."""
    made = (await vector.collection(call, collection)).manifest
    lines = [f"model: {made.model}, {made.dimension} dimensions", f"words: {made.tokenizer}"]
    lines += [f"field {name}: {kind}" for name, kind in made.fields.items()]
    return "\n".join(lines)


@resource(
    "vector://{collection}/documents/{+document}",
    title="Document",
    complete={**_IN, "document": complete_document},
)
async def document(vector: VectorSearch, call: Call, collection: str, document: str) -> str:
    """The beginning of a document's text, as much as fits."""
    answer = await get_document.function(vector, call, document, collection=collection, max_chars=20_000)
    return answer.text()


@resource("vector://{collection}/health", title="Health", complete=_IN)
async def health(vector: VectorSearch, call: Call, collection: str) -> str:
    """How much a collection holds, and what an operator should do about it."""
    found = await vector.collection(call, collection)
    stats = await found.stats(vector.where(call).tenant)
    ready = "ready" if vector.embedder.is_ready else (vector.load_failure or "not loaded yet")
    lines = [
        f"store: {vector.store.kind}",
        f"documents: {stats.documents:,}",
        f"passages: {stats.passages:,}",
        f"model: {vector.embedder.name}, {ready}",
        *(f"note: {note}" for note in stats.notes),
    ]
    return "\n".join(lines)


RESOURCES = (collections, schema, document, health)
