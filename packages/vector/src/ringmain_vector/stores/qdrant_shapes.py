"""What goes to Qdrant and comes from it, in plain data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Id = str | int
Dense = Sequence[float]
Sparse = Mapping[int, float]

Filter = Mapping[str, Any]
"""Of Qdrant, as JSON."""


@dataclass(frozen=True, slots=True)
class Point:
    """What a collection of Qdrant consists of.

    Attributes:
        vectors: By name; those without one are called "".
        score: How well it fits, where it was searched for.
    """

    id: Id
    payload: Mapping[str, Any]
    vectors: Mapping[str, Dense | Sparse] = field(default_factory=dict[str, Dense | Sparse])
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Put:
    """A step of a change: points in the place of those with their ids."""

    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Drop:
    """A step of a change: points go, by id or by a filter."""

    what: Sequence[Id] | Filter


@dataclass(frozen=True, slots=True)
class Described:
    """A collection.

    Attributes:
        metadata: What was noted with it; empty on servers before 1.16.
        indexes: The payload keys that can be filtered by, and the type of each.
        vectors: Its dense vectors by name: dimension and measure of each.
        sparse: Names of its sparse vectors.
        status: `green` where all is well.
    """

    metadata: Mapping[str, Any]
    indexes: Mapping[str, str]
    vectors: Mapping[str, tuple[int, str]]
    sparse: Sequence[str]
    points: int
    shards: int
    status: str
