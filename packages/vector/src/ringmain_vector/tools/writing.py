"""Adding and deleting documents."""

from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from ringmain_core.arguments import DryRun, IdempotencyKey, OnRecord, withheld
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments
from ringmain_core.text import clean
from ringmain_core.tooling import tool
from ringmain_vector.api import VectorSearch
from ringmain_vector.domain import Where, can_be_id
from ringmain_vector.filters import Filters, parse_filters
from ringmain_vector.models import Taken
from ringmain_vector.stores.base import Collection

_MOST_DOCUMENTS = 100
_MOST_DELETED = 1_000


class NewDocument(BaseModel):
    """A document to add."""

    model_config = ConfigDict(extra="forbid")

    text: str
    document_id: str | None = None
    title: str | None = None
    uri: str | None = None
    metadata: dict[str, str | int | float | bool] = {}


Documents = Annotated[list[NewDocument], Field(min_length=1, max_length=_MOST_DOCUMENTS), OnRecord(withheld)]


@tool(access="write", title="Add documents")
async def add_documents(
    vector: VectorSearch,
    call: Call,
    documents: Documents,
    collection: str | None = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core keeps it)
) -> Taken:
    """Add texts, or replace those with the same document_id; equal ones change nothing."""
    named = [one.document_id or vector.intake.id_of(one.text) for one in documents]
    if len(set(named)) < len(named):
        raise InvalidArguments("Two of the documents have the same id or text.")
    for name, one in zip(named, documents, strict=True):
        with _naming(name):
            await vector.intake.check(name, one.text, one.uri or "", one.metadata)
    vector.require_fillable(call, collection)
    if dry_run:
        requests: list[dict[str, Any]] = [
            {"replace": name, "characters": len(one.text)} for name, one in zip(named, documents, strict=True)
        ]
        return Taken(done=False, summary=f"{len(named)} documents would be taken in.", requests=requests)
    found = await vector.collection_to_fill(call, collection)
    await call.may_share("group", f"Add {len(named)} documents to {found.name}")
    counted: Counter[str] = Counter()
    for number, (name, one) in enumerate(zip(named, documents, strict=True)):
        await call.progress(number, len(named), name)
        with _naming(name, counted):
            outcome = await vector.intake.take_in(
                found,
                vector.where(call).tenant,
                id=name,
                text=one.text,
                title=one.title or "",
                uri=one.uri or "",
                metadata=one.metadata,
            )
        counted[outcome] += 1
    words = ", ".join(f"{count} {what}" for what, count in counted.items())
    return Taken(
        done=True,
        summary=f"{found.name}: {words}.",
        added=counted["added"],
        replaced=counted["replaced"],
        unchanged=counted["unchanged"],
    )


@contextmanager
def _naming(document_id: str, done: Mapping[str, int] | None = None) -> Generator[None]:
    """Say in a refusal which document it was, and what had been done by then."""
    try:
        yield
    except InvalidArguments as error:
        before = ", ".join(f"{count} {what}" for what, count in (done or {}).items())
        was = f" Before it: {before}." if before else " Nothing was added."
        raise InvalidArguments(f"`{clean(document_id)[:200]}`: {error.message}{was}") from error


async def _what_goes(
    vector: VectorSearch,
    call: Call,
    document_ids: list[str] | None = None,
    filters: Mapping[str, Any] | None = None,
    collection: str | None = None,
    dry_run: bool = False,  # noqa: ARG001 (it takes what the tool takes)
    idempotency_key: str | None = None,  # noqa: ARG001
) -> str:
    found = await vector.collection(call, collection)
    meant = await _meant(vector, call, found, document_ids, filters)
    return f"Delete {len(meant)} documents from {found.name} for ever: {', '.join(meant)[:300]}?"


async def _meant(
    vector: VectorSearch,
    call: Call,
    found: Collection,
    document_ids: list[str] | None,
    filters: Mapping[str, Any] | None,
) -> list[str]:
    """Ids of the documents that are there and meant.

    Raises:
        InvalidArguments: Where it is not said which, or there are too many for one call.
    """
    if (document_ids is None) is (filters is None):
        raise InvalidArguments("Say which documents: `document_ids` or `filters`.")
    tenant = vector.where(call).tenant
    if document_ids is not None:
        possible = [(one, 0) for one in dict.fromkeys(document_ids) if can_be_id(one)]
        there = {one.document.id for one in await found.fetch(tenant, possible)}
        return [one for one, _ in possible if one in there]
    where = Where(tenant, parse_filters(filters or {}, found.manifest.fields))
    meant = [one.id for one in await found.documents(where, "", _MOST_DELETED + 1)]
    if len(meant) > _MOST_DELETED:
        raise InvalidArguments(f"More than {_MOST_DELETED:,} documents are meant: narrow the filters.")
    return meant


@tool(access="destructive", title="Delete documents", question=_what_goes)
async def delete_documents(
    vector: VectorSearch,
    call: Call,
    document_ids: Annotated[list[str] | None, Field(min_length=1, max_length=_MOST_DOCUMENTS)] = None,
    filters: Filters = None,
    collection: str | None = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core keeps it)
) -> Taken:
    """Delete documents by their ids, or those that meet `filters`."""
    found = await vector.collection(call, collection)
    meant = await _meant(vector, call, found, document_ids, filters)
    if dry_run:
        gone: list[dict[str, Any]] = [{"delete": one} for one in meant]
        return Taken(done=False, summary=f"{len(meant)} documents would be deleted.", requests=gone)
    found = await vector.collection_to_fill(call, collection)
    count = await found.delete(vector.where(call).tenant, meant)
    return Taken(done=True, summary=f"{count} documents deleted from {found.name}.")


TOOLS = (add_documents, delete_documents)
