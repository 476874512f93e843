"""What a score is, and what a list of the best by one measure says of those that are not in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from ringmain_vector.domain import Key, Scored

Mode = Literal["hybrid", "semantic", "keyword"]

HALF = 10.0
"""The BM25 score that counts as half sure."""

SHARE = 0.6
"""How much words weigh beside meaning, in hybrid searches."""


@dataclass(slots=True)
class Leg:
    """What one measure has found.

    Attributes:
        width: What stores may differ by; equal ones may come in any order.
        beyond: What a passage that is not listed has at most; 0 where no other is worth a look.
        scores: Of those that are listed or were measured.
    """

    width: float
    beyond: float = 0.0
    scores: dict[Key, float] = field(default_factory=dict[Key, float])

    def take(self, found: Sequence[Scored], depth: int) -> None:
        """Take the best, of which so many were asked for."""
        last = found[-1].score if len(found) >= depth else 0.0
        self.beyond = last + self.width if last > self.width else 0.0
        self.scores.update((one.key, one.score) for one in found)


def score(mode: Mode, cosine: float | None, words: float | None) -> float:
    """How sure a passage is by one measure or both; `None` counts as nothing."""
    meaning = min(max(cosine or 0.0, 0.0), 1.0)
    sure = (words or 0.0) / ((words or 0.0) + HALF)
    if mode == "semantic":
        return meaning
    if mode == "keyword":
        return sure
    return min((meaning + SHARE * sure) / (1 + SHARE), 1.0)
