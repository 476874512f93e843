"""What an embedder does: texts to vectors of length 1."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ringmain_vector.domain import Vector


class Embedder(Protocol):
    """Turns texts into vectors. It is loaded when first used, and never blocks the event loop.

    Attributes:
        name: Of the model; collections remember it.
        dimension: Of its vectors; 0 where only `load` finds out.
        most_tokens: How much of a text it looks at.
    """

    name: str
    dimension: int
    most_tokens: int

    @property
    def is_ready(self) -> bool:
        """Whether it can answer at once, without loading anything."""
        ...

    async def load(self) -> None:
        """Get ready; cheap where it is.

        Raises:
            UpstreamUnavailable, UpstreamRefused: Where the model cannot be had, with what to do.
        """
        ...

    async def documents(self, texts: Sequence[str]) -> "list[Vector]":
        """Vectors of passages."""
        ...

    async def query(self, text: str) -> "Vector":
        """The vector of a question."""
        ...

    async def close(self) -> None:
        """Give back what is held."""
        ...
