"""An embedder without a model: words thrown into buckets. For tests, where nothing may be loaded."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ringmain_vector.lexical import number_of, words

if TYPE_CHECKING:
    from ringmain_vector.domain import Vector

_DIMENSION = 64


class HashEmbedder:
    """Texts with the same words are near each other, and nothing else is known."""

    name = "hash-64"
    dimension = _DIMENSION
    most_tokens = 100_000
    is_ready = True

    async def load(self) -> None:
        """There is nothing to load."""

    async def documents(self, texts: Sequence[str]) -> "list[Vector]":
        return [_vector(text) for text in texts]

    async def query(self, text: str) -> "Vector":
        return _vector(text)

    async def close(self) -> None:
        """Nothing is held."""


def _vector(text: str) -> "Vector":
    import numpy as np

    made = np.zeros(_DIMENSION, dtype=np.float32)
    for word in words(text):
        number = number_of(word)
        made[number % _DIMENSION] += 1.0 if number & 0x1000 else -1.0
    length = math.sqrt(float(made @ made))
    if length == 0.0:
        made[0], length = 1.0, 1.0
    return (made / length).astype(np.float32)
