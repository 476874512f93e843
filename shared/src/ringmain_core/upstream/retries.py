"""How often a call is tried, and how long is waited between the tries."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from ringmain_core.upstream.trouble import Trouble

_WORTH_IT = frozenset({"transient", "throttled", "down"})


@dataclass(frozen=True)
class Retries:
    """Full jitter: a random part of a time that doubles from try to try.

    Attributes:
        tries: The first one included.
        first: Seconds that the first pause may last.
        longest: Seconds that no pause is longer than, unless the system itself asks for more.
        patience: Seconds that the system may ask for; where it wants more, the caller is told instead.
    """

    tries: int = 3
    first: float = 0.1
    longest: float = 5.0
    patience: float = math.inf

    def pause(self, tried: int, trouble: Trouble, random: Callable[[], float]) -> float | None:
        """Seconds until the next try; `None` where there is none, or where it would not help."""
        if tried >= self.tries or trouble.kind not in _WORTH_IT:
            return None
        if (trouble.retry_after or 0.0) > self.patience:
            return None
        most = min(self.longest, self.first * 2 ** (tried - 1))
        return (trouble.retry_after or 0.0) + random() * most
