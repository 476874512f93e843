"""Vectors of length 1, from whatever a model gives."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ringmain_vector.domain import Vector


def unit_vectors(rows: Any) -> "list[Vector]":
    """The rows of a table, each of length 1.

    Raises:
        ValueError: Where they are no table of numbers, or one has no direction.
    """
    import numpy as np

    table = np.asarray(rows, dtype=np.float32)
    if table.ndim != 2:
        raise ValueError("vectors of several lengths")
    lengths = np.linalg.norm(table, axis=1, keepdims=True)
    if not (np.isfinite(lengths).all() and lengths.all()):
        raise ValueError("a vector without direction")
    return list(table / lengths)
