"""`Walks`: lists that are read in pages, and the tokens by which one goes on."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from standins.gdrive.errors import invalid_value
from standins.gdrive.models import secret

_KEPT = 5000


@dataclass(frozen=True)
class Walk:
    """A list, read up to a position. Attributes: of: What was asked for; its token is good for that only."""

    of: Hashable
    rows: Sequence[Any]
    position: int = 0


class Walks:
    def __init__(self) -> None:
        self._walks: dict[str, Walk] = {}
        self._made = 0

    def clear(self) -> None:
        self._walks.clear()

    def begun(self, token: str, of: Hashable) -> Walk:
        """The walk that a token goes on with.

        Raises:
            Refusal: `invalid`, for a token that is unknown, expired, or was given for something else.
        """
        found = self._walks.get(token)
        if found is None or found.of != of:
            raise invalid_value("pageToken")
        return found

    def page(
        self, walk: Walk, size: int, accept: Callable[[Any], bool] | None = None
    ) -> tuple[list[Any], str | None]:
        """The next rows that are acceptable, and a token where there are more."""
        found: list[Any] = []
        for at in range(walk.position, len(walk.rows)):
            row = walk.rows[at]
            if accept is not None and not accept(row):
                continue
            if len(found) == size:
                return found, self._keep(Walk(walk.of, walk.rows, at))
            found.append(row)
        return found, None

    def _keep(self, walk: Walk) -> str:
        self._made += 1
        token = f"~!!~{secret('page', self._made, walk.position)}"
        self._walks[token] = walk
        if len(self._walks) > _KEPT:
            del self._walks[next(iter(self._walks))]
        return token
