"""What is searched: passages of documents, in collections that know how they were made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]
    """Of length 1, so that the dot product of two is their cosine."""

Value = str | int | float | bool
"""What metadata holds; a field has one type throughout a collection."""

FieldType = Literal["keyword", "integer", "float", "boolean"]

Key = tuple[str, int]
"""A passage among a tenant's: its document's id and its number there."""

NOBODY = ""
"""The tenant of who has none: what is kept without tenants."""


def can_be_id(given: str) -> bool:
    """Whether any store could have a document of this id."""
    return not any(mark == "\0" or "\ud800" <= mark <= "\udfff" for mark in given)


@dataclass(frozen=True, slots=True)
class Document:
    """A text that was taken in.

    Attributes:
        tenant: Whose it is; ids are unique for each.
        digest: Of the text, title, URI and metadata: equal ones need not be taken in again.
        length: Characters.
        passages: How many there are.
    """

    id: str
    tenant: str
    title: str
    uri: str
    digest: str
    length: int
    passages: int
    metadata: Mapping[str, Value] = field(default_factory=dict[str, Value])


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a document: what is found.

    Attributes:
        number: Of the passage in its document, from 0.
        start: Where it begins in the document, in characters.
        terms: Its words, by the number of each (`lexical.py`), with their weights.
        vector: What it means; empty where it was not asked for.
    """

    document: Document
    number: int
    text: str
    start: int
    terms: Mapping[int, float] = field(default_factory=dict[int, float])
    vector: "Vector | None" = None

    @property
    def id(self) -> str:
        """Unique within a tenant's collection."""
        return f"{self.document.id}#{self.number}"

    @property
    def key(self) -> Key:
        return self.document.id, self.number


@dataclass(frozen=True, slots=True)
class Scored:
    """A passage that a store has found, by its document and number, and how well it fits."""

    document_id: str
    number: int
    score: float

    @property
    def key(self) -> Key:
        return self.document_id, self.number


@dataclass(frozen=True, slots=True)
class Manifest:
    """How a collection was made. Another model or tokenizer finds nothing in it, so each is checked.

    Attributes:
        model: Name of the embedder.
        dimension: Of its vectors.
        tokenizer: Name of the way that words are counted.
        k1: Of BM25.
        b: Likewise.
        average_length: Of passages, in words; a constant, so that weights never change.
        fields: Metadata that can be filtered by.
    """

    model: str
    dimension: int
    tokenizer: str
    k1: float
    b: float
    average_length: float
    fields: Mapping[str, FieldType] = field(default_factory=dict[str, FieldType])


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on a field of metadata.

    Attributes:
        any_of: The value is one of these; empty where there is a range.
        least: Lower end of a range, `None` where it is open.
        most: Upper end.
        least_counts: Whether the lower end itself is in.
        most_counts: Likewise.
        negated: Whether the opposite is meant. What has no such field is then in.
    """

    field: str
    any_of: Sequence[Value] = ()
    least: float | None = None
    most: float | None = None
    least_counts: bool = True
    most_counts: bool = True
    negated: bool = False

    def holds(self, metadata: Mapping[str, Value]) -> bool:
        """Whether metadata meets it."""
        value = metadata.get(self.field)
        return (value is not None and self._fits(value)) is not self.negated

    def _fits(self, value: Value) -> bool:
        if self.any_of:
            return any(_same(value, one) for one in self.any_of)
        if isinstance(value, bool | str):
            return False
        above = self.least is None or (value >= self.least if self.least_counts else value > self.least)
        below = self.most is None or (value <= self.most if self.most_counts else value < self.most)
        return above and below


def _same(one: Value, other: Value) -> bool:
    """Whether two values are equal; true is not 1."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


@dataclass(frozen=True, slots=True)
class Where:
    """What is searched in a collection: one tenant's passages that meet all conditions."""

    tenant: str = NOBODY
    conditions: Sequence[Condition] = ()

    def holds(self, document: Document) -> bool:
        """Whether a document is meant."""
        return document.tenant == self.tenant and all(one.holds(document.metadata) for one in self.conditions)


@dataclass(frozen=True, slots=True)
class Stats:
    """What a collection holds, for one tenant.

    Attributes:
        notes: What an operator should know: an index that is missing, for example.
    """

    documents: int
    passages: int
    notes: Sequence[str] = ()
