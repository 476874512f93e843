"""Vectors out of plain numbers."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ringmain_core.errors import UpstreamRefused

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


def digest_of(
    text: str, title: str, uri: str, metadata: Mapping[str, object], vector: Sequence[float] | None
) -> str:
    """What changes with anything of a document that others have made."""
    parts = [text, title, uri, sorted(metadata.items()), None if vector is None else list(vector)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def require_dimension(collection: str, dimension: int, vector: "Vector") -> None:
    """Refuse a vector that those of a collection cannot be compared with; 0 dimensions are not known.

    Raises:
        UpstreamRefused: With the repair.
    """
    if dimension and len(vector) != dimension:
        raise UpstreamRefused(
            f"The collection `{collection}` has vectors of {dimension} numbers, and the embedding model "
            f"gives {len(vector)}: it is another one of the same name. Set RINGMAIN_VECTOR_EMBEDDER to the "
            "one before, or index again under another name."
        )
