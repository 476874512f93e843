"""What a store does: it keeps passages and ranks them by one measure at a time. It never fuses."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from ringmain_vector.domain import Document, Key, Manifest, Passage, Scored, Stats, Where

if TYPE_CHECKING:
    from ringmain_vector.domain import FieldType, Vector


class Collection(Protocol):
    """Passages of one collection.

    Scores are the same in every store to five decimals: cosine for `dense`, BM25 as `lexical.py` says for
    `lexical`. Lists come sorted by score, the best first; equal scores may come in any order. Every method
    may raise `UpstreamUnavailable`.

    Attributes:
        name: Of the collection.
        manifest: How it was made.
        is_read_only: Whether it was made by others and is only searched.
    """

    name: str
    manifest: Manifest
    is_read_only: bool

    async def declare(self, fields: Mapping[str, "FieldType"]) -> None:
        """Let it be filtered by these fields, too, and know them in the manifest."""
        ...

    async def replace(self, document: Document, passages: Sequence[Passage]) -> None:
        """Put a document in the place of the one with its id and tenant: all of it, or nothing.

        One without passages cannot be found, so it is not kept.
        """
        ...

    async def delete(self, tenant: str, ids: Sequence[str]) -> int:
        """Remove documents; returns how many were there."""
        ...

    async def dense(self, vector: "Vector", k: int, where: Where, *, exact: bool) -> list[Scored]:
        """The k passages nearest to a vector, of those that are meant; by an index only if not `exact`."""
        ...

    async def lexical(self, terms: Mapping[int, float], k: int, where: Where) -> list[Scored]:
        """The k passages that have the words of a query best; those that have none are left out."""
        ...

    async def measured(
        self, tenant: str, keys: Sequence[Key], vector: "Vector", terms: Mapping[int, float]
    ) -> tuple[list[Scored], list[Scored]]:
        """How well these passages fit by `dense` and by `lexical`, in any order.

        A passage without a vector is not in the first list, one without the words not in the second.
        """
        ...

    async def fetch(self, tenant: str, keys: Sequence[Key]) -> list[Passage]:
        """Passages by document id and number, in any order, without vectors and words."""
        ...

    async def documents(self, where: Where, after: str, limit: int) -> list[Document]:
        """Documents in the order of their ids, those after an id."""
        ...

    async def passages(self, tenant: str, document_id: str, *, whole: bool = False) -> list[Passage]:
        """The passages of a document in their order, if there are any; `whole` with vectors and words."""
        ...

    async def tenants(self) -> list[str]:
        """Whose documents there are."""
        ...

    async def stats(self, tenant: str) -> Stats:
        """How much there is."""
        ...

    async def optimize(self) -> None:
        """Build what makes searches of many passages fast; cheap where nothing is to do."""
        ...


class Store(Protocol):
    """A place with collections.

    Attributes:
        kind: For people: `edge`, `qdrant`, `pgvector`, `memory`.
    """

    kind: str

    async def names(self) -> list[str]:
        """The collections that there are, by name."""
        ...

    async def open(self, name: str) -> Collection | None:
        """A collection; `None` where there is none of that name."""
        ...

    async def create(self, name: str, manifest: Manifest) -> Collection:
        """A new collection; where another process was faster, the one that there is now."""
        ...

    async def close(self) -> None:
        """Give back what is held."""
        ...
