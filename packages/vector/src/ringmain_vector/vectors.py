"""Vectors out of plain numbers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringmain_vector.domain import Vector


def vector_of(numbers: Sequence[float]) -> "Vector":
    """A vector as it was kept."""
    import numpy as np

    return np.asarray(numbers, dtype=np.float32)


def unit_vector_of(numbers: Sequence[float]) -> "Vector":
    """A vector that others made, brought to length 1."""
    made = vector_of(numbers)
    length = float(made @ made) ** 0.5
    return made / length if length else made
