"""What was measured, as a table for people and as JSON for programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table.

    Attributes:
        part: The measurement it belongs to.
        what: What was compared.
        ours: Ours in each round.
        bare: The bare SDK's in each round; empty where nothing is compared.
        unit: Of both.
        target: The most that the ratio may be; without `bare`, the most that ours may be.
    """

    part: str
    what: str
    ours: Sequence[float]
    bare: Sequence[float]
    unit: str
    target: float | None = None

    @property
    def ratios(self) -> list[float]:
        return [ours / bare for ours, bare in zip(self.ours, self.bare, strict=True)] if self.bare else []

    @property
    def ratio(self) -> float | None:
        """The median of the rounds' ratios: a round that somebody else's work disturbed does not count."""
        return median(self.ratios) if self.bare else None

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        measured = self.ratio if self.ratio is not None else median(self.ours)
        return "PASS" if measured <= self.target else "over"

    def as_json(self) -> dict[str, Any]:
        return {
            "part": self.part,
            "what": self.what,
            "unit": self.unit,
            "ours": list(self.ours),
            "bare": list(self.bare),
            "ratio": self.ratio,
            "target": self.target,
            "verdict": self.verdict or None,
        }


_TITLES = ("", "ours", "bare SDK", "unit", "ratio", "(of rounds)", "target", "")


def table(results: Sequence[Result]) -> str:
    """The results by part, in columns."""
    lines: list[str] = []
    for part in dict.fromkeys(result.part for result in results):
        rows = [_TITLES, *(_cells(result) for result in results if result.part == part)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(_TITLES))]
        lines += ["", part]
        for row in rows:
            cells = [
                cell.ljust(width) if column in (0, 3) else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            lines.append("  " + "  ".join(cells).rstrip())
    return "\n".join(lines[1:])


def _cells(result: Result) -> tuple[str, ...]:
    ratios = result.ratios
    low, high = _middle(ratios) if len(ratios) > 1 else (0.0, 0.0)
    spread = f"({low:.2f} to {high:.2f})" if len(ratios) > 1 else ""
    ratio = "" if result.ratio is None else f"{result.ratio:.2f}"
    target = "" if result.target is None else f"{result.target:g}"
    bare = _number(median(result.bare)) if result.bare else ""
    return (
        result.what,
        _number(median(result.ours)),
        bare,
        result.unit,
        ratio,
        spread,
        target,
        result.verdict,
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def _middle(ratios: Sequence[float]) -> tuple[float, float]:
    """Between which the middle half of many rounds lies, or all of a few."""
    if len(ratios) < 8:
        return min(ratios), max(ratios)
    low, _, high = quantiles(ratios, n=4)
    return low, high
