"""Two sides in turns: what both go through on a shared machine, they go through together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Meter = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Side:
    """One of two that are compared: makes calls, and has meters that only grow."""

    run: Callable[[int], None]
    meters: Mapping[str, Meter]


@dataclass(frozen=True, slots=True)
class Rounds:
    """What each meter counted per call, in each round."""

    ours: Mapping[str, list[float]]
    bare: Mapping[str, list[float]]


def in_turns(ours: Side, bare: Side, *, rounds: int, calls: int, warm_up: int) -> Rounds:
    """Let both make `calls` calls in each round; who begins alternates."""
    for side in (ours, bare):
        side.run(warm_up)
    counted: tuple[dict[str, list[float]], dict[str, list[float]]] = (
        {name: [] for name in ours.meters},
        {name: [] for name in bare.meters},
    )
    both = list(zip((ours, bare), counted, strict=True))
    for _ in range(rounds):
        for side, found in both:
            before = {name: meter() for name, meter in side.meters.items()}
            side.run(calls)
            for name, meter in side.meters.items():
                found[name].append((meter() - before[name]) / calls)
        both.reverse()
    return Rounds(*counted)
