"""How long a client waits for `ringmain-postgres` over stdio, and what the process weighs then."""

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import messages
from bench.processes import cpu_of
from bench.report import Result
from bench.setting import Setting
from bench.stdio_load import stdio_server

PART = "2. Start over stdio: spawn to the answer of tools/list, and the idle process then"
_MEBIBYTE = 1 << 20
_NOWHERE = "postgresql://nobody@127.0.0.1:1/none"  # it is not asked before the first call


def measure(setting: Setting, *, quick: bool) -> list[Result]:
    command = [str(Path(sys.executable).with_name("ringmain-postgres"))]
    environment = setting.environment | {"RINGMAIN_POSTGRES_URL": _NOWHERE}
    return compare_starts(PART, command, environment, quick=quick, target=1.2)


def compare_starts(
    part: str, command: Sequence[str], environment: Mapping[str, str], *, quick: bool, target: float
) -> list[Result]:
    """A connector's start over stdio beside that of the bare SDK's echo."""
    ours = (command, environment)
    bare = ([sys.executable, "-m", "bench.bare_echo"], dict[str, str]())
    for each in (ours, bare):
        _start(*each)  # compiles, and brings the files into memory
    found: tuple[list[Mapping[str, float]], list[Mapping[str, float]]] = ([], [])
    both = list(zip((ours, bare), found, strict=True))
    for _ in range(3 if quick else 9):
        for each, measured in both:
            measured.append(_start(*each))
        both.reverse()
    return [
        Result(part, what, [one[key] for one in found[0]], [one[key] for one in found[1]], unit, most)
        for key, what, unit, most in (
            ("wall", "until tools/list is answered", "ms", target),
            ("cpu", "the same, CPU", "ms CPU", target),
            ("rss", "idle, resident", "MiB", 1.3),
            ("uss", "idle, not shared with others", "MiB", 1.3),
        )
    ]


def _start(command: Sequence[str], environment: Mapping[str, str]) -> dict[str, float]:
    began = time.perf_counter()
    with stdio_server(command, environment) as client:
        client.begin()
        client.exchange(messages.request(1, "tools/list", {}))
        took = time.perf_counter() - began
        cpu = cpu_of(client.process)
        client.exchange(messages.request(2, "ping", {}))
        memory = client.process.memory_full_info()
    return {
        "wall": took * 1e3,
        "cpu": cpu * 1e3,
        "rss": memory.rss / _MEBIBYTE,
        "uss": memory.uss / _MEBIBYTE,
    }
