"""What an embedder does: texts to vectors of length 1."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ringmain_vector.domain import Vector

MARK = 12
"""Letters of a SHA-256 that tell models apart."""


class Embedder(Protocol):
    """Turns texts into vectors. It is loaded when first used, and never blocks the event loop.

    Attributes:
        dimension: Of its vectors; 0 where only `load` finds out.
        most_tokens: How much of a text it looks at.
    """

    dimension: int
    most_tokens: int

    @property
    def name(self) -> str:
        """Of the model; collections remember it, so another model has another one."""
        ...

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


def mark_of(file: Path) -> str:
    """A few letters that files of other content do not have; none where it cannot be read."""
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()[:MARK]
    except OSError:
        return ""


def marked(name: str, mark: str) -> str:
    """The name of a model that comes from a file, which may not be there yet."""
    return f"{name}@{mark}" if mark else name
