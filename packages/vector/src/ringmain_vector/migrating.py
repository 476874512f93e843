"""A collection from one store to another: nothing is embedded again, and both then give the same."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from ringmain_core.errors import NotFound, ToolFailure
from ringmain_vector.domain import Document, Manifest, Passage, Scored, Where
from ringmain_vector.lexical import AVERAGE_LENGTH, K1, TOKENIZER, B, weights
from ringmain_vector.stores.base import Collection, Store

Progress = Callable[[int, int], Awaitable[None]]
"""Told how many documents are done, and of how many."""

_PAGE = 200
_ASKED = 12  # passages of each tenant whose vectors and words are searched for in both stores
_WORDS = 6  # of each
_FOUND = 10
_DENSE_WIDTH, _LEXICAL_WIDTH = 1e-5, 1e-4  # what scores may differ by


class StoresDiffer(ToolFailure):
    """A collection cannot be moved, or is not the same in both stores; the text says what differs."""

    code = "stores_differ"


@dataclass(slots=True)
class Moved:
    """What a migration has done.

    Attributes:
        copied: Documents that were taken over.
        skipped: Those that were there already.
        passages: Of both.
        searches: Those that gave the same in both stores.
    """

    copied: int = 0
    skipped: int = 0
    passages: int = 0
    searches: int = 0


@dataclass(slots=True)
class _Sample:
    """Documents chosen at random while they pass by, the same ones each time."""

    chosen: list[str] = field(default_factory=list[str])
    _chance: Random = field(default_factory=lambda: Random(0))  # noqa: S311 (nothing secret)
    _seen: int = 0

    def see(self, document_id: str) -> None:
        self._seen += 1
        if len(self.chosen) < _ASKED:
            self.chosen.append(document_id)
        elif (place := self._chance.randrange(self._seen)) < _ASKED:
            self.chosen[place] = document_id


async def migrate(source: Store, target: Store, name: str, *, progress: Progress) -> Moved:
    """Copy a collection, of all tenants, and prove that the copy is as good. The original stays.

    Where it was interrupted, it goes on: documents whose digests are equal are not copied again.

    Args:
        source: Where it is.
        target: Where it shall be, too: not at all until now, or with an equal manifest.
        name: Of the collection in both.
        progress: Told after each document.

    Raises:
        NotFound: Where the source has no such collection.
        StoresDiffer: Where the target has one of that name that was made otherwise, or one that is not the
            same in the end.
    """
    original = await source.open(name)
    if original is None:
        raise NotFound(f"There is no collection `{name}` in the {source.kind} store.")
    manifest = _manifest(original)
    copy = await target.open(name) or await target.create(name, manifest)
    _check_manifests(manifest, copy.manifest)
    await copy.declare(manifest.fields)
    moved = Moved()
    tenants = await original.tenants()
    total = sum([(await original.stats(tenant)).documents for tenant in tenants])
    samples = {tenant: await _copy(original, copy, tenant, moved, total, progress) for tenant in tenants}
    for tenant in sorted({*tenants, *await copy.tenants()}):
        await _check_contents(original, copy, tenant)
    for tenant, sample in samples.items():  # once all is there, since all makes a word rare
        await _check_searches(original, copy, tenant, sample, moved)
    return moved


def _manifest(original: Collection) -> Manifest:
    """How the copy is made: as the original, but that what others made gets words, too."""
    if not original.is_read_only:
        return original.manifest
    return replace(original.manifest, tokenizer=TOKENIZER, k1=K1, b=B, average_length=AVERAGE_LENGTH)


def _check_manifests(original: Manifest, copy: Manifest) -> None:
    """Fields may be missing, since they can be declared; all else decides what is found."""
    fields = {**copy.fields, **original.fields}
    if replace(copy, fields={}) != replace(original, fields={}) or fields != {
        **original.fields,
        **copy.fields,
    }:
        raise StoresDiffer(
            f"The target has a collection of that name that was made otherwise: {copy}, not {original}. "
            "Choose another target, or delete that collection."
        )


async def _copy(
    original: Collection, copy: Collection, tenant: str, moved: Moved, total: int, progress: Progress
) -> Sequence[str]:
    """Copy what a tenant has; the ids of a few documents to try searches with."""
    sample = _Sample()
    there = await _digests(copy, tenant)
    async for document in _walk(original, tenant):
        sample.see(document.id)
        moved.passages += document.passages
        if there.get(document.id) == _mark(document):
            moved.skipped += 1
        else:
            await copy.replace(document, await _whole(original, document))
            moved.copied += 1
        await progress(moved.copied + moved.skipped, total)
    return sample.chosen


async def _whole(original: Collection, document: Document) -> list[Passage]:
    """A document's passages with all that is kept of them; the words of others' are counted now."""
    passages = await original.passages(document.tenant, document.id, whole=True)
    if not original.is_read_only:
        return passages
    return [replace(one, terms=weights(one.text)) for one in passages]


async def _check_contents(original: Collection, copy: Collection, tenant: str) -> None:
    """Compare every document, and the counts."""
    there = await _digests(copy, tenant)
    async for document in _walk(original, tenant):
        known = there.pop(document.id, None)
        if known is None:
            raise StoresDiffer(f"The document `{document.id}` is in the source only.")
        if known != _mark(document):
            raise StoresDiffer(f"The document `{document.id}` is not the same in both stores.")
    if there:
        raise StoresDiffer(f"The document `{min(there)}` is in the target only.")
    ours, others = await original.stats(tenant), await copy.stats(tenant)
    if (ours.documents, ours.passages) != (others.documents, others.passages):
        raise StoresDiffer(
            f"The source has {ours.documents} documents and {ours.passages} passages, the target "
            f"{others.documents} and {others.passages}."
        )


async def _check_searches(
    original: Collection, copy: Collection, tenant: str, sample: Sequence[str], moved: Moved
) -> None:
    """Search both for what some passages mean and say; others' collections know no words."""
    where = Where(tenant)
    for document_id in sample:
        for passage in (await original.passages(tenant, document_id, whole=True))[:1]:
            if passage.vector is not None:
                _check_lists(
                    await original.dense(passage.vector, _FOUND, where, exact=True),
                    await copy.dense(passage.vector, _FOUND, where, exact=True),
                    _DENSE_WIDTH,
                    f"nearest to the passage `{passage.id}`",
                )
                moved.searches += 1
            if not original.is_read_only:
                terms = _rarest(passage)
                _check_lists(
                    await original.lexical(terms, _FOUND, where),
                    await copy.lexical(terms, _FOUND, where),
                    _LEXICAL_WIDTH,
                    f"with the words of the passage `{passage.id}`",
                )
                moved.searches += 1


def _check_lists(mine: Sequence[Scored], theirs: Sequence[Scored], width: float, what: str) -> None:
    """See that two lists are one, but for the order of equal scores and what a full list cuts off."""
    same = len(mine) == len(theirs) and all(
        abs(one.score - other.score) <= width for one, other in zip(mine, theirs, strict=True)
    )
    if same and mine:
        floor = mine[-1].score + 2 * width if len(mine) == _FOUND else float("-inf")
        for some, others in ((mine, theirs), (theirs, mine)):
            known = {one.key for one in others}
            same = same and all(one.key in known for one in some if one.score > floor)
    if not same:
        raise StoresDiffer(f"The stores disagree on what is {what}: {_shown(mine)}, or {_shown(theirs)}.")


def _shown(found: Sequence[Scored]) -> str:
    return ", ".join(f"{one.document_id}#{one.number} {one.score:.5f}" for one in found) or "nothing"


def _rarest(passage: Passage) -> dict[int, float]:
    """The words that weigh most in a passage."""
    heavy = sorted(passage.terms, key=lambda term: (-passage.terms[term], term))
    return dict.fromkeys(heavy[:_WORDS], 1.0)


def _mark(document: Document) -> tuple[str, int]:
    """What is equal where nothing has changed."""
    return document.digest, document.passages


async def _digests(collection: Collection, tenant: str) -> dict[str, tuple[str, int]]:
    """What a tenant's documents are known by; in no order, since stores have different ones."""
    return {one.id: _mark(one) async for one in _walk(collection, tenant)}


async def _walk(collection: Collection, tenant: str) -> AsyncIterator[Document]:
    after = ""
    while page := await collection.documents(Where(tenant), after, _PAGE):
        for document in page:
            yield document
        after = page[-1].id
