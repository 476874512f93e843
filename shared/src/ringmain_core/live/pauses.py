"""Pauses between looks: they grow while nothing changes, and begin anew with a change."""

from dataclasses import dataclass

_GROWTH = 1.5


@dataclass(slots=True)
class Pauses:
    """Seconds to wait between looks.

    Attributes:
        first: The one after a change.
        longest: None is longer.
    """

    first: float
    longest: float
    _next: float = 0.0

    def next(self) -> float:
        """How long to wait now."""
        pause = min(max(self._next, self.first), self.longest)
        self._next = pause * _GROWTH
        return pause

    def changed(self) -> None:
        """Begin with short ones again."""
        self._next = 0.0
