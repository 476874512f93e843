"""`ringmain-slack` beside slack-sdk: reading, starting, what it costs a model, and a large workspace."""

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import messages
from bench.http_load import HttpLoad
from bench.messages import MODERN
from bench.processes import HttpServer, http_server
from bench.report import Result
from bench.setting import Setting
from bench.slack_load import HALLS, USERS, page, slack_with_a_crowd, slack_with_messages
from bench.start import compare_starts
from bench.stdio_load import stdio_server
from bench.vendor import compare_reads, vendor_loop
from ringmain_core.commands import tokens_of
from ringmain_slack import connector

PART = "12. Slack: reading channels, all gates, against slack-sdk on the same stand-in"
START = "13. Slack: start over stdio, and the idle process then"
TOKENS = "14. Slack: tokens of tools/list (bytes/4 of name, description, input schema)"
CROWD = f"15. Slack: a workspace of {USERS:,} people and {HALLS:,} channels, over stdio"
_OTHER = 5_000  # korotovsky/slack-mcp-server 1.3.0 with its 22 tools, counted the same way
_CLIENTS = 4
_MEBIBYTE = 1 << 20


def measure(setting: Setting, *, quick: bool) -> list[Result]:
    command = [str(Path(sys.executable).with_name("ringmain-slack"))]
    rounds = 6 if quick else 20
    with slack_with_messages() as (fake, token, channels):
        environment = setting.environment | {
            "RINGMAIN_SLACK_URL": fake.url,
            "RINGMAIN_SLACK_TOKEN": token,
            "RINGMAIN_SLACK_RATES": "100000",  # the limits are Slack's, and not what is measured
        }
        bare = [sys.executable, "-m", "bench.bare_slack", fake.api, token, ",".join(channels)]
        results: list[Result] = []
        with (
            http_server([*command, "serve"], environment) as server,
            _load(server, setting.key, channels) as ours,
        ):
            mine = (ours.run, server.process)
            with vendor_loop([*bare, "loop"]) as alone:
                what = "one page, beside slack-sdk alone, as documented"
                results += compare_reads(PART, what, mine, alone, rounds=rounds, target=1.5)
            with vendor_loop([*bare, "kept"]) as alone:
                what = "one page, beside slack-sdk alone, connection kept"
                results += compare_reads(PART, what, mine, alone, rounds=rounds, target=None)
            with http_server([*bare, "http"], {}) as other, _load(other, setting.key, channels) as theirs:
                what = "one page, beside slack-sdk in a bare SDK tool"
                in_tool = (theirs.run, other.process)
                results += compare_reads(PART, what, mine, in_tool, rounds=rounds, target=None)
        results += compare_starts(START, command, environment, quick=quick, target=1.25)
    tokens = float(sum(tokens_of(tool) for tool in connector.tools))
    results.append(Result(TOKENS, "beside korotovsky's 22 tools", [tokens], [_OTHER], "tokens", 0.5))
    return results + _in_a_crowd(command, setting)


def _load(server: HttpServer, key: str, channels: list[str]) -> HttpLoad:
    def body(number: int) -> tuple[bytes, bytes]:
        channel, until, newest = page(number, channels)
        arguments = {"channel": channel, "until": until, "limit": 20}
        return messages.call(number, "read_channel", arguments, MODERN), f"ci.example.com/{newest}".encode()

    return HttpLoad(server, body, tool="read_channel", era=MODERN, key=key, clients=_CLIENTS)


def _in_a_crowd(command: Sequence[str], setting: Setting) -> list[Result]:
    """From the start of the process to its first answer: without, and with a walk through all channels."""
    results: list[Result] = []
    with slack_with_a_crowd() as (fake, token):
        environment = setting.environment | {
            "RINGMAIN_SLACK_URL": fake.url,
            "RINGMAIN_SLACK_TOKEN": token,
            "RINGMAIN_SLACK_RATES": "100",
        }
        for what, channel in (("a channel that one is in", "#general"), ("the last of all", _LAST)):
            fake.requests.clear()
            results += _first_answer(command, environment, what, channel)
            asked = float(len(fake.requests))
            results.append(Result(CROWD, "   requests to Slack", [asked], [], "requests"))
    return results


_LAST = f"#hall-{HALLS - 1}"


def _first_answer(
    command: Sequence[str], environment: Mapping[str, str], what: str, channel: str
) -> list[Result]:
    began = time.perf_counter()
    with stdio_server(command, environment) as client:
        client.begin()
        ready = time.perf_counter() - began
        call = {"name": "get_channel", "arguments": {"channel": channel}}
        answer = client.exchange(messages.request(1, "tools/call", call))
        took = time.perf_counter() - began
        if b'"isError":true' in answer:
            raise RuntimeError(f"wrong answer: {answer[:500]!r}")
        memory = client.process.memory_info().rss / _MEBIBYTE
    return [
        Result(CROWD, f"initialize ({what})", [ready * 1e3], [], "ms"),
        Result(CROWD, "   until its answer", [took * 1e3], [], "ms"),
        Result(CROWD, "   resident then", [memory], [], "MiB"),
    ]
