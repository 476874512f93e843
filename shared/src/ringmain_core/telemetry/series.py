"""The numbers behind the metrics: series in memory, which the worker processes of a server can share.

Every series has its place in an array: to count is to add to an element, without a lock, from one thread.
Shared, the array is a file that each worker has mapped, and a second file says what stands where, so that
whichever worker is asked can add them all up, and what a killed worker had counted stays.
"""

import json
import mmap
import os
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Literal

from ringmain_core.telemetry.names import OTHER

_CELLS = 1 << 16
_BYTES = _CELLS * 8
_FIRST = 1  # the first cell holds the process id

Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """Series that differ in their labels.

    Attributes:
        bounds: Upper ends of a histogram's buckets; one more takes the rest.
        workers: What becomes of the workers' values. Gauges of dead workers do not count.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    text: str
    labels: Labels = ()
    bounds: tuple[float, ...] = ()
    workers: Literal["sum", "min"] = "sum"

    @property
    def width(self) -> int:
        """How many cells one series takes: a histogram's buckets and the sum of what it has seen."""
        return len(self.bounds) + 2 if self.kind == "histogram" else 1


class Series:
    """The series of this process.

    Args:
        families: Each of them may be asked for series.
        folder: Where workers share theirs; without one they are this process's own. A worker that takes the
            place of a dead one counts on from where that one stopped.
    """

    def __init__(self, families: Sequence[Family], folder: Path | None = None) -> None:
        self._families = {family.name: family for family in families}
        self._room = _CELLS - sum(family.width for family in families)  # the rest is for the unnamed series
        self._places: dict[tuple[str, ...], int] = {}
        self._end = _FIRST
        self._names: int | None = None
        self.cells: list[float] | memoryview[float] = (
            [0.0] * _CELLS if folder is None else self._shared(folder)
        )
        self.cells[0] = float(os.getpid())
        for family, _, place in list(self._each()):
            if family.kind == "gauge":
                self.cells[place] = 0.0

    def place(self, family: Family, *labels: str) -> int:
        """Where a series stands; a new one stands at zero. When there is no room, all labels are `_other`."""
        key = (family.name, *labels)
        place = self._places.get(key)
        if place is not None:
            return place
        unnamed = (OTHER,) * len(labels)
        if self._end + family.width > self._room and labels != unnamed:
            return self.place(family, *unnamed)
        if self._names is not None:
            os.write(self._names, json.dumps(key).encode() + b"\n")
        place, self._end = self._end, self._end + family.width
        self._places[key] = place
        return place

    def add(self, family: Family, *labels: str, by: float = 1.0) -> None:
        """Count."""
        self.cells[self.place(family, *labels)] += by

    def put(self, family: Family, *labels: str, value: float) -> None:
        """Set a gauge."""
        self.cells[self.place(family, *labels)] = value

    def observe(self, family: Family, place: int, value: float) -> int:
        """Enter a value into a histogram's series, and say into which bucket it went."""
        bounds, cells = family.bounds, self.cells
        bucket = bisect_left(bounds, value)
        cells[place + bucket] += 1.0
        cells[place + len(bounds) + 1] += value
        return bucket

    def values(self) -> Iterator[tuple[Family, Labels, list[float]]]:
        """Every series with its cells, as they are now."""
        for family, labels, place in self._each():
            yield family, labels, list(self.cells[place : place + family.width])

    def close(self) -> None:
        """Let a worker in another process go on with these series."""
        if self._names is not None:
            os.close(self._names)
            self._names = None

    def _each(self) -> Iterator[tuple[Family, Labels, int]]:
        for (name, *labels), place in list(self._places.items()):
            yield self._families[name], tuple(labels), place

    def _shared(self, folder: Path) -> "memoryview[float]":
        number, self._names = next(claim for claim in map(partial(_claim, folder), count()) if claim)
        names = _names_file(folder, number)
        written = names.read_bytes()
        whole = written[: written.rfind(b"\n") + 1]
        os.truncate(self._names, len(whole))
        for family, labels, place in _places(whole, self._families):
            self._places[family.name, *labels] = place
            self._end = place + family.width
        with _cells_file(folder, number).open("r+b") as cells:
            return memoryview(mmap.mmap(cells.fileno(), _BYTES)).cast("d")


@dataclass(frozen=True, slots=True)
class Total:
    """What all workers have counted, and the process ids of those that live, by their numbers."""

    values: Mapping[tuple[Family, Labels], list[float]]
    alive: Mapping[int, int]


def total(folder: Path, families: Sequence[Family]) -> Total:
    """Add up what the workers that share a folder have counted."""
    by_name = {family.name: family for family in families}
    values: dict[tuple[Family, Labels], list[float]] = {}
    alive: dict[int, int] = {}
    for path in sorted(folder.glob("*.names")):
        number = int(path.stem)
        lives, names = _lives(path), path.read_bytes()
        cells = memoryview(_cells_file(folder, number).read_bytes()).cast("d")
        if lives:
            alive[number] = int(cells[0])
        for family, labels, place in _places(names[: names.rfind(b"\n") + 1], by_name):
            if lives or family.kind != "gauge":
                found = list(cells[place : place + family.width])
                before = values.get((family, labels))
                values[family, labels] = found if before is None else _merged(family, before, found)
    return Total(values, alive)


def _merged(family: Family, one: list[float], other: list[float]) -> list[float]:
    merge = min if family.workers == "min" else float.__add__
    return [merge(first, second) for first, second in zip(one, other, strict=True)]


def _claim(folder: Path, number: int) -> tuple[int, int] | None:
    """Take a number that no living worker has: the number, and the descriptor that holds it."""
    import fcntl

    with _cells_file(folder, number).open("ab") as cells:  # first: readers go by the names
        cells.truncate(_BYTES)
    names = os.open(_names_file(folder, number), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        fcntl.flock(names, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(names)
        return None
    return number, names


def _lives(names: Path) -> bool:
    import fcntl

    with names.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _names_file(folder: Path, number: int) -> Path:
    return folder / f"{number}.names"


def _cells_file(folder: Path, number: int) -> Path:
    return folder / f"{number}.cells"


def _places(names: bytes, families: Mapping[str, Family]) -> Iterator[tuple[Family, Labels, int]]:
    """What stands where, from the lines that say it: each series follows on the one before."""
    place = _FIRST
    for line in names.splitlines():
        name, *labels = json.loads(line)
        yield families[name], tuple(labels), place
        place += families[name].width
