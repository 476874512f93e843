"""`ringmain-gdrive` beside Google's client: files, starting, a large drive, and reading again."""

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import messages
from bench.gdrive_load import CROWD, Stand, drive_with_files
from bench.http_load import HttpLoad
from bench.messages import MODERN
from bench.processes import HttpServer, cpu_of, http_server
from bench.report import Result
from bench.setting import Setting
from bench.start import compare_starts
from bench.stdio_load import StdioLoad, stdio_server
from bench.vendor import compare_reads, vendor_loop
from ringmain_core.commands import tokens_of
from ringmain_gdrive import connector

PART = "16. Drive: files by id, all gates, against Google's client on the same stand-in"
START = "17. Drive: start over stdio, and the idle process then"
TOKENS = "18. Drive: tokens of tools/list (bytes/4 of name, description, input schema)"
LARGE = f"19. Drive: {CROWD:,} files, over stdio"
AGAIN = "20. Drive: a file read again, beside the first time"
_OTHER = 4_000  # workspace-mcp 2.2.1, counted the same way
_CLIENTS = 4


def measure(setting: Setting, *, quick: bool) -> list[Result]:
    command = [str(Path(sys.executable).with_name("ringmain-gdrive"))]
    rounds = 6 if quick else 20
    results: list[Result] = []
    with drive_with_files() as stand:
        environment = setting.environment | stand.environment
        ids = setting.folder / "ids"
        ids.write_text("\n".join(stand.names), "utf-8")
        bare = [sys.executable, "-m", "bench.bare_gdrive", stand.fake.url, stand.token, str(ids)]
        with (
            http_server([*command, "serve"], environment) as server,
            _load(server, setting.key, stand.names) as ours,
        ):
            mine = (ours.run, server.process)
            with vendor_loop([*bare, "loop"]) as alone:
                what = "one file, beside Google's client alone, in a loop"
                results += compare_reads(PART, what, mine, alone, rounds=rounds, target=1.5)
            with http_server([*bare, "http"], {}) as other, _load(other, setting.key, stand.names) as theirs:
                what = "one file, beside Google's client in a bare SDK tool"
                in_tool = (theirs.run, other.process)
                results += compare_reads(PART, what, mine, in_tool, rounds=rounds, target=None)
        results += compare_starts(START, command, environment, quick=quick, target=1.3)
        results += _again(command, environment, stand, 5 if quick else 20)
    tokens = float(sum(tokens_of(tool) for tool in connector.tools))
    results.append(Result(TOKENS, "beside workspace-mcp", [tokens], [_OTHER], "tokens", 0.75))
    return results + _large(command, setting)


def _load(server: HttpServer, key: str, names: list[str]) -> HttpLoad:
    def body(number: int) -> tuple[bytes, bytes]:
        at = number % len(names)
        return messages.call(number, "get_file", {"file": names[at]}, MODERN), f"note {at}.txt".encode()

    return HttpLoad(server, body, tool="get_file", era=MODERN, key=key, clients=_CLIENTS)


def _again(command: list[str], environment: Mapping[str, str], stand: Stand, times: int) -> list[Result]:
    """The time of a first reading and of a second, of which only the first opens the file."""
    results: list[Result] = []
    with stdio_server(command, environment) as client:
        client.begin()
        _call(client, "read_file", {"file": stand.names[-1]})  # starts the worker
        for what, names, target in (
            ("a PDF of 300 pages", stand.books[:times], 1 / 20),
            ("a text of 142 kB, which needs no opening", stand.names[:times], None),
        ):
            found: tuple[list[float], list[float]] = ([], [])
            for name in names:
                for times_of in found:
                    began = time.perf_counter()
                    _call(client, "read_file", {"file": name, "max_chars": 200})
                    times_of.append(1e3 * (time.perf_counter() - began))
            results.append(Result(AGAIN, what, found[1], found[0], "ms a read", target))
    return results


def _large(command: list[str], setting: Setting) -> list[Result]:
    with drive_with_files(10, crowd=CROWD) as stand:
        environment = setting.environment | stand.environment
        with stdio_server(command, environment) as client:
            client.begin()
            _call(client, "whoami", {})
            found: list[Result] = []
            for what, tool, arguments in (
                ("search by a word of the name", "search", {"name": "crowd-4321"}),
                ("a folder's first 100 files", "list_folder", {"folder": "root", "depth": 2}),
                ("the change feed's begin", "changes", {}),
            ):
                before, began = cpu_of(client.process), time.perf_counter()
                _call(client, tool, arguments)
                took, cpu = time.perf_counter() - began, cpu_of(client.process) - before
                found += [
                    Result(LARGE, what, [1e3 * took], [], "ms"),
                    Result(LARGE, "   of that CPU of ours", [1e3 * cpu], [], "ms"),
                ]
            return found


def _call(client: StdioLoad, tool: str, arguments: Mapping[str, Any]) -> None:
    call = {"name": tool, "arguments": dict(arguments)}
    answer = client.exchange(messages.request(1, "tools/call", call))
    if json.loads(answer)["result"].get("isError"):
        raise RuntimeError(f"wrong answer: {answer[:500]!r}")
