"""`query` against a bare SDK tool that fetches through asyncpg and writes JSON: few rows and many."""

import asyncio
import importlib
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from bench import messages
from bench.http_load import HttpLoad
from bench.messages import LEGACY, MODERN, Era
from bench.processes import cpu_of, cpu_of_family, http_server
from bench.report import Result
from bench.rounds import Side, in_turns
from bench.setting import Setting
from bench.stdio_load import StdioLoad, stdio_server
from standins.flights import load_flights
from standins.postgres import running_postgres, url_of

asyncpg: Any = importlib.import_module("asyncpg")  # it ships no types

PART = "3. Query: all gates, guard and read-only transaction, against pool.fetch and json.dumps"
_ONE = "SELECT tailnum, year, manufacturer, model, seats FROM planes WHERE tailnum = $1"
_MANY = "SELECT * FROM flights WHERE flight > $1 LIMIT 10000"
_CLIENTS = 8

Statement = Callable[[int], tuple[str, list[Any], str]]
"""From a number: SQL, parameters, and what the answer to it must have in it."""


@dataclass(frozen=True, slots=True)
class _Case:
    """One kind of query.

    Attributes:
        target: For the ratio of CPU.
        target_bytes: For the ratio of the answers' sizes, where one is set.
    """

    what: str
    statement: Statement
    target: float
    calls: int
    rounds: int
    target_bytes: float | None = None


def _cases(planes: Sequence[str], *, quick: bool) -> list[_Case]:
    def one(number: int) -> tuple[str, list[Any], str]:
        plane = planes[number % len(planes)]
        return _ONE, [plane], plane

    def always_another(number: int) -> tuple[str, list[Any], str]:
        plane = planes[number % len(planes)]
        condition = f"tailnum = '{plane}' AND {number} > 0"
        return f"SELECT tailnum, year, manufacturer, model, seats FROM planes WHERE {condition}", [], plane

    def many(number: int) -> tuple[str, list[Any], str]:
        return _MANY, [number % 500], "2013"

    rounds = 10 if quick else 50
    return [
        _Case("1 row, another parameter each time", one, 1.5, 60, rounds),
        _Case("1 row, another SQL text each time", always_another, 1.5, 60, rounds),
        _Case("10,000 rows of 19 columns", many, 1.0, 4 if quick else 10, 3 if quick else 5, 0.5),
    ]


@contextmanager
def flights() -> Generator[tuple[str, psutil.Process]]:
    """A Postgres with the flights in it: its URL and its first process."""
    with running_postgres() as server:
        asyncio.run(_load(url_of(server)))
        yield url_of(server, user="reader"), psutil.Process(server.get_pid())


async def _load(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await load_flights(connection)
        await connection.execute(
            "CREATE ROLE reader LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader"
        )
    finally:
        await connection.close()


async def _planes(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        return [row["tailnum"] for row in await connection.fetch("SELECT tailnum FROM planes ORDER BY 1")]
    finally:
        await connection.close()


def measure(setting: Setting, *, quick: bool) -> list[Result]:
    with flights() as (url, postgres):
        cases = _cases(asyncio.run(_planes(url)), quick=quick)
        environment = setting.environment | {"RINGMAIN_POSTGRES_URL": url}
        results = [result for case in cases for result in _over_stdio(case, environment, url, postgres)]
        for case in cases:
            results += _over_http(case, setting, environment, url, postgres)
    return results


def body(number: int, statement: Statement, era: Era, *, ours: bool) -> tuple[bytes, bytes]:
    sql, params, expected = statement(number)
    arguments: dict[str, Any] = {"sql": sql, "params": params}
    if ours:
        arguments |= {"max_rows": 10_000, "max_bytes": 2_000_000}
    return messages.call(number, "query", arguments, era), expected.encode()


def our_command(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("ringmain-postgres")), *arguments]


def bare_command(url: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "bench.bare_query", url, *arguments]


def _over_stdio(
    case: _Case, environment: Mapping[str, str], url: str, postgres: psutil.Process
) -> list[Result]:
    make = partial(body, statement=case.statement, era=LEGACY)
    with (
        stdio_server(our_command(), environment, partial(make, ours=True)) as ours,
        stdio_server(bare_command(url), {}, partial(make, ours=False)) as bare,
    ):
        for load in (ours, bare):
            load.begin()
        return _compare(case, f"stdio, {case.what}", (ours, ours.process), (bare, bare.process), postgres)


def _over_http(
    case: _Case, setting: Setting, environment: Mapping[str, str], url: str, postgres: psutil.Process
) -> list[Result]:
    make = partial(body, statement=case.statement, era=MODERN)
    with (
        http_server(our_command("serve"), environment) as our_server,
        http_server(bare_command(url, "http"), {}) as bare_server,
    ):
        clients = _CLIENTS if case.target_bytes is None else 2
        load = partial(HttpLoad, tool="query", era=MODERN, key=setting.key, clients=clients)
        with (
            load(our_server, partial(make, ours=True)) as ours,
            load(bare_server, partial(make, ours=False)) as bare,
        ):
            what = f"HTTP {MODERN}, {case.what}"
            return _compare(case, what, (ours, our_server.process), (bare, bare_server.process), postgres)


def _compare(
    case: _Case,
    what: str,
    ours: tuple[StdioLoad | HttpLoad, psutil.Process],
    bare: tuple[StdioLoad | HttpLoad, psutil.Process],
    postgres: psutil.Process,
) -> list[Result]:
    sides = [
        Side(
            load.run,
            {
                "cpu": partial(cpu_of, process),
                "postgres": partial(cpu_of_family, postgres),
                "wall": time.perf_counter,
            },
        )
        for load, process in (ours, bare)
    ]
    for side in sides:
        side.run(1)
    rounds = in_turns(*sides, rounds=case.rounds, calls=case.calls, warm_up=2 * case.calls)

    def counted(*meters: str) -> tuple[list[float], list[float]]:
        ours, bare = (
            [1e6 * sum(counts) for counts in zip(*(side[meter] for meter in meters), strict=True)]
            for side in (rounds.ours, rounds.bare)
        )
        return ours, bare

    results = [
        Result(PART, what, *counted("cpu"), "µs CPU a call", case.target),
        Result(PART, "   with what Postgres used for it", *counted("cpu", "postgres"), "µs CPU a call"),
        Result(PART, "   time", *counted("wall"), "µs a call"),
    ]
    if case.target_bytes is not None:
        sizes = [[float(load.bytes_of_last)] for load, _ in (ours, bare)]
        results.append(Result(PART, "   bytes of the answer", sizes[0], sizes[1], "bytes", case.target_bytes))
    return results
