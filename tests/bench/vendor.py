"""A connector's read beside its vendor's library, alone in a loop or in a tool of the bare SDK."""

import subprocess
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial

import psutil

from bench.processes import cpu_of, started
from bench.report import Result
from bench.rounds import Side, in_turns

Run = Callable[[int], None]


def compare_reads(
    part: str,
    what: str,
    ours: tuple[Run, psutil.Process],
    bare: tuple[Run, psutil.Process],
    *,
    rounds: int,
    target: float | None,
) -> list[Result]:
    """CPU and time of a read on both sides, in turns."""
    sides = [Side(run, {"cpu": partial(cpu_of, of), "wall": time.perf_counter}) for run, of in (ours, bare)]
    counted = in_turns(*sides, rounds=rounds, calls=20, warm_up=40)

    def micro(meter: str) -> tuple[list[float], list[float]]:
        return [1e6 * value for value in counted.ours[meter]], [1e6 * value for value in counted.bare[meter]]

    return [
        Result(part, what, *micro("cpu"), "µs CPU a read", target),
        Result(part, "   time", *micro("wall"), "µs a read"),
    ]


@contextmanager
def vendor_loop(command: Sequence[str]) -> Generator[tuple[Run, psutil.Process]]:
    """The vendor's library in a process that reads as often as it is told."""
    with started(command, {}, stderr=subprocess.DEVNULL, pipes=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def run(calls: int) -> None:
            stdin.write(f"{calls}\n")
            stdin.flush()
            if stdout.readline() != "done\n":
                raise RuntimeError(f"{command[2]} has ended")

        yield run, psutil.Process(process.pid)
