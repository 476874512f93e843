"""All gates on, against the bare SDK: CPU for one call of an echo tool over HTTP, in both eras."""

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial

from bench import messages
from bench.http_load import HttpLoad
from bench.messages import LEGACY, MODERN, Era
from bench.processes import HttpServer, cpu_of, http_server
from bench.report import Result
from bench.rounds import Side, in_turns
from bench.setting import Setting

PART = "1. Echo over HTTP: API key, policy, rate limits, access and audit to a file, against nothing"
TARGET = 1.25
_CLIENTS = 16


def body(number: int, era: Era) -> tuple[bytes, bytes]:
    return messages.call(number, "echo", {"text": f"say {number} again"}, era), b"say %d again" % number


@contextmanager
def our_server(setting: Setting, *, responses: str = "sse") -> Generator[HttpServer]:
    environment = setting.environment | {"RINGMAIN_RESPONSES": responses}
    with http_server([sys.executable, "-m", "bench.our_echo", "serve"], environment) as server:
        yield server


def measure(setting: Setting, *, quick: bool) -> list[Result]:
    results: list[Result] = []
    for responses in ("sse",) if quick else ("sse", "json"):
        bare_command = [sys.executable, "-m", "bench.bare_echo", "http", responses]
        with our_server(setting, responses=responses) as ours, http_server(bare_command, {}) as bare:
            for era in (MODERN, LEGACY):
                kind = "stateless" if era == MODERN else "in a session"
                what = f"{era} {kind}, answers as {responses}, {_CLIENTS} clients"
                results += _compare(setting, ours, bare, era, what, quick=quick)
    return results


def _compare(
    setting: Setting, ours: HttpServer, bare: HttpServer, era: Era, what: str, *, quick: bool
) -> list[Result]:
    load = partial(
        HttpLoad, body=partial(body, era=era), tool="echo", era=era, key=setting.key, clients=_CLIENTS
    )
    with load(ours) as our_load, load(bare) as bare_load:
        rounds = in_turns(
            Side(our_load.run, {"cpu": partial(cpu_of, ours.process), "wall": time.perf_counter}),
            Side(bare_load.run, {"cpu": partial(cpu_of, bare.process), "wall": time.perf_counter}),
            rounds=10 if quick else 50,
            calls=150,
            warm_up=300,
        )
    return [
        Result(
            PART,
            what,
            [seconds * 1e6 for seconds in rounds.ours["cpu"]],
            [seconds * 1e6 for seconds in rounds.bare["cpu"]],
            "µs CPU a call",
            TARGET,
        )
    ]
