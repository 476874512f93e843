"""A memory that forgets the oldest."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """Things by id, each with the time when it was seen; the oldest go when there are too many."""

    def __init__(self, most: int, clock: Callable[[], float]) -> None:
        self._most = most
        self._clock = clock
        self._kept: OrderedDict[str, tuple[T, float]] = OrderedDict()

    def put(self, name: str, thing: T) -> None:
        self._kept[name] = (thing, self._clock())
        self._kept.move_to_end(name)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def get(self, name: str, holds: float) -> T | None:
        found = self._kept.get(name)
        return found[0] if found is not None and self._clock() - found[1] < holds else None

    def age(self, name: str) -> float:
        """Seconds since it was seen."""
        found = self._kept.get(name)
        return float("inf") if found is None else self._clock() - found[1]

    def values(self, holds: float = float("inf")) -> Iterable[T]:
        """All that were seen within so many seconds."""
        now = self._clock()
        return (thing for thing, at in self._kept.values() if now - at < holds)
