"""How well points fit a vector."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from standins.qdrant.state import Collection, Kept, Refused


def normal(vector: list[float]) -> NDArray[np.float32]:
    """As vectors that are compared by cosine are kept."""
    made = np.asarray(vector, dtype=np.float32)
    length = float(np.linalg.norm(made))
    return made / length if length else made


def scores(collection: Collection, points: list[Kept], query: Any, using: str) -> list[tuple[Kept, float]]:
    """The points that have such a vector, each with how well it fits."""
    if isinstance(query, dict):
        return _sparse(collection, points, dict(zip(query["indices"], query["values"], strict=True)), using)  # pyright: ignore[reportUnknownArgumentType]
    if using not in collection.vectors:
        raise Refused(400, f"Wrong input: Not existing vector name error: {using}")
    require_size(collection, using, query)
    having = [one for one in points if using in one.dense]
    if not having:
        return []
    found = np.stack([one.dense[using] for one in having]) @ normal(query)
    return list(zip(having, found.tolist(), strict=True))


def require_size(collection: Collection, name: str, vector: list[float]) -> None:
    size = collection.vectors[name]["size"]
    if len(vector) != size:
        raise Refused(400, f"Wrong input: Vector dimension error: expected dim: {size}, got {len(vector)}")


def _sparse(
    collection: Collection, points: list[Kept], query: dict[int, float], using: str
) -> list[tuple[Kept, float]]:
    if using not in collection.sparse:
        raise Refused(400, f"Wrong input: Not existing vector name error: {using}")
    weights = dict(query)
    if collection.sparse[using].get("modifier") == "idf":
        every = [one.sparse[using] for one in collection.points.values() if one.sparse.get(using)]
        for term in query:
            having = sum(term in one for one in every)
            weights[term] *= math.log(1 + (len(every) - having + 0.5) / (having + 0.5))
    return [
        (
            one,
            sum(
                weight * one.sparse[using][term]
                for term, weight in weights.items()
                if term in one.sparse[using]
            ),
        )
        for one in points
        if using in one.sparse and not weights.keys().isdisjoint(one.sparse[using])
    ]
