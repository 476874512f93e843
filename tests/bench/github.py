"""`ringmain-github` beside PyGithub: reading issues, starting, and what it costs a model."""

import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from bench import messages
from bench.github_answers import measure_answers
from bench.github_load import ISSUES, REPOSITORY, github_with_issues
from bench.http_load import HttpLoad
from bench.messages import MODERN
from bench.processes import cpu_of, http_server, started
from bench.report import Result
from bench.rounds import Side, in_turns
from bench.setting import Setting
from bench.start import compare_starts
from ringmain_core.commands import tokens_of
from ringmain_github import connector

PART = "9. GitHub: reading issues, all gates, against PyGithub on the same stand-in"
START = "10. GitHub: start over stdio, and the idle process then"
TOKENS = "11. GitHub: tokens of tools/list (bytes/4 of name, description, input schema)"
_OFFICIAL = 11_400  # github-mcp-server's default set, from its published schemas
_CLIENTS = 4


def measure(setting: Setting, *, quick: bool) -> list[Result]:
    command = [str(Path(sys.executable).with_name("ringmain-github"))]
    with github_with_issues() as (url, token):
        environment = setting.environment | {"RINGMAIN_GITHUB_URL": url, "RINGMAIN_GITHUB_TOKEN": token}
        bare = [sys.executable, "-m", "bench.bare_github", url, token]
        rounds = 6 if quick else 20
        results = _alone([*command, "serve"], environment, bare, setting, rounds)
        results += _in_a_tool([*command, "serve"], environment, bare, setting, rounds)
        results += compare_starts(START, command, environment, quick=quick, target=1.25)
    tokens = float(sum(tokens_of(tool) for tool in connector.tools))
    results += measure_answers()
    return [
        *results,
        Result(TOKENS, "beside the official server's default", [tokens], [_OFFICIAL], "tokens", 1 / 3),
    ]


def _alone(
    command: list[str], environment: dict[str, str], bare: list[str], setting: Setting, rounds: int
) -> list[Result]:
    with (
        http_server(command, environment) as server,
        _loads(server, setting.key) as ours,
        _loop([*bare, "loop"]) as (run, process),
    ):
        return _compare("PyGithub alone, in a loop", ours, server.process, run, process, rounds, 1.5)


def _in_a_tool(
    command: list[str], environment: dict[str, str], bare: list[str], setting: Setting, rounds: int
) -> list[Result]:
    with (
        http_server(command, environment) as server,
        http_server([*bare, "http"], {}) as other,
        _loads(server, setting.key) as ours,
        _loads(other, setting.key) as theirs,
    ):
        run = theirs.run
        return _compare("PyGithub in a bare SDK tool", ours, server.process, run, other.process, rounds, None)


def _loads(server: Any, key: str) -> HttpLoad:
    def body(number: int) -> tuple[bytes, bytes]:
        issue = number % ISSUES + 1
        arguments = {"repo": REPOSITORY, "number": issue}
        return messages.call(number, "get_issue", arguments, MODERN), f"at {issue} rpm".encode()

    return HttpLoad(server, body, tool="get_issue", era=MODERN, key=key, clients=_CLIENTS)


def _compare(
    what: str,
    ours: HttpLoad,
    process: psutil.Process,
    bare: Any,
    other: psutil.Process,
    rounds: int,
    target: float | None,
) -> list[Result]:
    sides = [
        Side(run, {"cpu": partial(cpu_of, of), "wall": time.perf_counter})
        for run, of in ((ours.run, process), (bare, other))
    ]
    counted = in_turns(*sides, rounds=rounds, calls=20, warm_up=40)

    def micro(meter: str) -> tuple[list[float], list[float]]:
        return [1e6 * value for value in counted.ours[meter]], [1e6 * value for value in counted.bare[meter]]

    return [
        Result(PART, f"one issue, beside {what}", *micro("cpu"), "µs CPU a read", target),
        Result(PART, "   time", *micro("wall"), "µs a read"),
    ]


@contextmanager
def _loop(command: list[str]) -> Generator[tuple[Any, psutil.Process]]:
    with started(command, {}, stderr=subprocess.DEVNULL, pipes=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def run(calls: int) -> None:
            stdin.write(f"{calls}\n")
            stdin.flush()
            if stdout.readline() != "done\n":
                raise RuntimeError("PyGithub's loop has ended")

        yield run, psutil.Process(process.pid)
