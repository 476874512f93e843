"""How much may be held open: by one caller, and by all together."""

from collections import Counter

from ringmain_core.refusals import RateLimited

_RETRY_MS = 10_000


class Room:
    """Counts what callers hold open of one kind.

    Args:
        what: The kind, in the plural.
        each: How many one caller may hold.
        total: How many all may hold together.
    """

    def __init__(self, what: str, *, each: int, total: int) -> None:
        self._what = what
        self._each = each
        self._total = total
        self._held: Counter[str] = Counter()

    @property
    def held(self) -> int:
        """How many are held by all together."""
        return self._held.total()

    def take(self, owner: str, count: int = 1) -> None:
        """Count some more.

        Raises:
            RateLimited: Where there is no room for them; then none is counted.
        """
        if self._held[owner] + count > self._each:
            raise RateLimited(
                f"You hold {self._held[owner]:,} {self._what}, and {self._each:,} is the most. End one first."
            )
        if self.held + count > self._total:
            raise RateLimited(
                f"All {self._total:,} {self._what} of this server are taken. Try again later.",
                retry_after_ms=_RETRY_MS,
            )
        self._held[owner] += count

    def give(self, owner: str, count: int = 1) -> None:
        """Say that some have ended."""
        self._held[owner] -= count
        if self._held[owner] <= 0:
            del self._held[owner]
