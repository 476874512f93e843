"""What it all left in the audits of the five servers: a line for each call; every record is genuine."""

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sandbox.servers import AGENT, Operator
from showing.failed import expect
from showing.served import command_path
from showing.terminal import Terminal

_SECONDS = 60

# Connector, target and codes of what was refused, and must be on record.
_REFUSALS = (
    ("github", "merge_pull_request", {"unknown"}),
    ("postgres", "query", {"outside_fence", "not_found"}),
    ("gdrive", "read_file", {"outside_fence", "not_found"}),
    ("slack", "send_message", {"declined"}),
)


def show_trail(terminal: Terminal, operator: Operator, connectors: Iterable[str]) -> None:
    """All calls in their order; then each log on a line, verified by its own command."""
    records = {name: _records(operator.log(name)) for name in connectors}
    terminal.answer("\n".join(map(_line, _in_order(records))), 100)
    for name, target, codes in _REFUSALS:
        found = {one.get("code") for one in records[name] if one.get("target") == target}
        expect(found & codes, f"The audit of {name} should have the refused call of {target}.")
    terminal.command("ringmain-… audit verify")
    verifying = {name: _verifying(name, operator.common) for name in records}
    for name, process in verifying.items():
        said, _ = process.communicate(timeout=_SECONDS)
        count = f"{len(records[name]):,} records verified"
        expect(process.returncode == 0 and count in said, f"{name}: not {count}, but: {said}")
        outcomes = Counter(one["outcome"] for one in records[name] if "outcome" in one)
        about = ", ".join(f"{number} {outcome}" for outcome, number in sorted(outcomes.items()))
        terminal.checked(f"{name}: {count}; {about}")


def _records(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_bytes().splitlines()]


def _in_order(records: Mapping[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """What the agent has called."""
    called = [
        one
        for each in records.values()
        for one in each
        if one.get("principal") == AGENT and one.get("method") == "tools/call" and "outcome" in one
    ]
    return sorted(called, key=lambda one: one["time"])


def _line(record: Mapping[str, Any]) -> str:
    what = f"{record['connector']}.{record['target']}"
    came = record["outcome"] + (f" ({record['code']})" if record.get("code") else "")
    took = f"{record['latency_ms']:7.1f} ms"
    return f"{record['time'][11:23]}  {record['principal']}  {what:<28}  {took}  {came}"


def _verifying(name: str, settings: Mapping[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [command_path(f"ringmain-{name}"), "audit", "verify"],
        env={**os.environ, **settings},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        start_new_session=True,  # Ctrl-C is for the sandbox
    )
