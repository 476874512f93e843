"""`serve --workers`: one limit, one address, and nobody notices that a worker has died."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx2
import psutil
import pytest

from ringmain_core.audit import load_or_create_key
from ringmain_core.audit.verify import verify_files
from ringmain_core.identity.api_keys import hash_key
from standins.serving import clean_environment
from standins.valkey import Valkey, running_valkey
from unit.core.state import behaviour

pytestmark = pytest.mark.anyio

TESTS = Path(__file__).parents[2]
DEMO = TESTS / "unit" / "core" / "demo.py"
PROGRAM = [sys.executable, "-W", "error", str(DEMO), "serve", "--port", "0", "--workers", "2"]
POLICY = f"""
[limits]
"*" = {{ rate = "%s", burst = %d, concurrency = 1000 }}
[roles.all]
allow = ["*:*"]
[[agents]]
id = "bot"
key = "{hash_key("key-of-bot")}"
roles = ["all"]
"""


@dataclass
class Served:
    """A server with workers.

    Attributes:
        urls: What it announced.
        log: The other lines it wrote.
    """

    process: psutil.Popen
    state: Path
    urls: list[str] = field(default_factory=list[str])
    log: list[str] = field(default_factory=list[str])

    def workers(self) -> set[int]:
        return {child.pid for child in self.process.children()}

    def site(self, path: str) -> str:
        return re.sub(r"/v\d/mcp$", path, self.urls[0])


def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def server() -> Generator[Valkey]:
    with running_valkey() as valkey:
        yield valkey


@pytest.fixture
def valkey(server: Valkey) -> Valkey:
    with server.client() as client:
        client.flushall()
    return server


def settings_of(folder: Path, valkey: Valkey, rate: str = "1000/s", burst: int = 100_000) -> dict[str, str]:
    policy = folder / "policy.toml"
    policy.write_text(POLICY % (rate, burst), "utf-8")
    return {
        "RINGMAIN_STATE_DIR": str(folder / "state"),
        "RINGMAIN_POLICY": str(policy),
        "RINGMAIN_REDIS_URL": valkey.url,
        "RINGMAIN_SECRET_KEY": "a-secret-key-of-more-than-32-characters",
        "RINGMAIN_LOG_FORMAT": "text",
        "PYTHONPATH": str(TESTS),
    }


@contextmanager
def serving(folder: Path, valkey: Valkey, *, rate: str = "1000/s", burst: int = 100_000) -> Generator[Served]:
    settings = settings_of(folder, valkey, rate, burst)
    process = psutil.Popen(
        PROGRAM,
        env=clean_environment(**settings),
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    served = Served(process, folder / "state")

    def read() -> None:
        for line in process.stderr or ():
            (served.urls if line.startswith("http://") else served.log).append(line.rstrip())

    reader = threading.Thread(target=read)
    reader.start()
    children: list[psutil.Process] = []
    try:
        until(lambda: served.urls != [] or process.poll() is not None, 30)
        assert process.poll() is None, served.log
        until(lambda: len(served.workers()) == 2)
        yield served
    finally:
        if process.poll() is None:
            children = process.children(recursive=True)
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(25)
        finally:
            for left in [process, *children]:
                if left.is_running():
                    left.kill()
            reader.join(10)
            assert process.stderr is not None
            process.stderr.close()


def request(served: Served) -> dict[str, Any]:
    meta: dict[str, Any] = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params: dict[str, Any] = {"name": "who", "arguments": {}, "_meta": meta}
    return {
        "url": served.urls[0],
        "json": {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params},
        "headers": {
            "Authorization": "Bearer key-of-bot",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2026-07-28",
            "Mcp-Method": "tools/call",
            "Mcp-Name": "who",
        },
    }


async def call(served: Served, client: httpx2.AsyncClient) -> int:
    """One call; the status of its answer."""
    return (await client.post(**request(served))).status_code


def new_connections() -> httpx2.AsyncClient:
    """A client that connects anew for each request."""
    limits = httpx2.Limits(max_connections=40, max_keepalive_connections=0)
    return httpx2.AsyncClient(limits=limits, timeout=20)


async def test_workers_share_the_address_the_limits_and_the_record(tmp_path: Path, valkey: Valkey) -> None:
    with serving(tmp_path, valkey, rate="1/h", burst=10) as served:
        answers: list[int] = []
        async with httpx2.AsyncClient(limits=httpx2.Limits(max_connections=40), timeout=20) as client:

            async def run() -> None:
                answers.append(await call(served, client))

            async with anyio.create_task_group() as tasks:
                for _ in range(40):
                    tasks.start_soon(run)
            busy = [
                any(
                    connection.status == "ESTABLISHED" for connection in psutil.Process(pid).net_connections()
                )
                for pid in served.workers()
            ]
        assert sorted(answers) == [200] * 10 + [429] * 30
        assert busy == [True, True]
        assert len(served.urls) == 1
    assert served.process.returncode == 0
    assert served.log == []
    log = served.state / "demo" / "audit.jsonl"
    assert verify_files([log], [load_or_create_key(served.state / "audit.key")]).problem is None
    records = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    outcomes = [record["outcome"] for record in records if "outcome" in record]
    assert sorted(outcomes) == ["ok"] * 10 + ["refused"] * 30


async def test_a_worker_that_is_killed_is_replaced_and_no_other_call_fails(
    tmp_path: Path, valkey: Valkey
) -> None:
    with serving(tmp_path, valkey) as served:
        before = served.workers()
        victim = min(before)
        answers: list[int | None] = []

        async with new_connections() as client:

            async def run() -> None:
                for _ in range(40):
                    try:
                        answers.append(await call(served, client))
                    except httpx2.TransportError:
                        answers.append(None)
                    if len(answers) == 60:
                        os.kill(victim, signal.SIGKILL)

            async with anyio.create_task_group() as tasks:
                for _ in range(4):
                    tasks.start_soon(run)
            assert set(answers) <= {200, None}
            assert answers.count(None) <= 4  # those that the victim had taken
            until(lambda: len(served.workers() - {victim}) == 2)
            assert served.workers() & before == before - {victim}
            assert [await call(served, client) for _ in range(20)] == [200] * 20
        assert len(served.urls) == 1
    assert served.process.returncode == 0
    assert re.fullmatch(
        rf"\S+ error   worker {victim} ended with -9 after [\d.]+ s; another takes its place in [\d.]+ s",
        served.log[0],
    )


async def test_sigterm_under_load_ends_all_of_them_in_order(tmp_path: Path, valkey: Valkey) -> None:
    with serving(tmp_path, valkey) as served:
        workers = served.workers()
        answers: list[int] = []
        told: list[float] = []

        async with new_connections() as client, anyio.create_task_group() as tasks:

            async def run() -> None:
                while True:
                    try:
                        answers.append(await call(served, client))
                    except httpx2.TransportError:
                        assert told  # nobody listens any more, or not to who was still in the queue
                        return
                    if len(answers) == 40:
                        told.append(time.monotonic())
                        served.process.send_signal(signal.SIGTERM)

            for _ in range(4):
                tasks.start_soon(run)
        assert await anyio.to_thread.run_sync(lambda: served.process.wait(25)) == 0
        assert time.monotonic() - told[0] < 25
        assert set(answers) <= {200, 503}
        assert [pid for pid in workers if psutil.pid_exists(pid)] == []


async def test_while_redis_is_away_it_serves_and_is_not_ready(tmp_path: Path) -> None:
    with running_valkey() as valkey, serving(tmp_path, valkey) as served:
        ready = served.site("/readyz")
        async with new_connections() as client:
            assert (await client.get(ready)).json() == {"status": "ok", "reason": ""}
            valkey.stop()
            assert [await call(served, client) for _ in range(4)] == [200] * 4
            answer = await client.get(ready)
            assert answer.status_code == 503
            assert answer.json() == {
                "status": "not ready",
                "reason": "the shared state cannot be reached (ConnectionError)",
            }
            valkey.start()

            async def is_ready() -> bool:
                return (await client.get(ready)).status_code == 200

            await behaviour.until(is_ready, 5)


def test_what_a_worker_finds_wrong_at_its_start_ends_all_of_them(tmp_path: Path, valkey: Valkey) -> None:
    settings = settings_of(tmp_path, valkey) | {"RINGMAIN_AUDIT": "/dev/null/audit"}
    done = subprocess.run(
        PROGRAM, env=clean_environment(**settings), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "it is no use to go on" in done.stderr
    assert "ringmain-demo: " in done.stderr
    assert "http://" not in done.stderr


SUPERVISED = """
import logging, os, signal, socket, sys, time
from ringmain_core import workers
logging.basicConfig(format="%(message)s", stream=sys.stdout)
workers._STOP_SECONDS = 0.5
workers._FIRST_PAUSE = 0.01
def say(line):
    os.write(1, f"{line}\\n".encode())  # a signal's handler may come in the middle of a print
listener = socket.create_server(("127.0.0.1", 0))
say_once = workers.become_worker(2, listener, on_hangup=lambda: say("hung up"), say=say)
"""


@contextmanager
def supervised(work: str) -> Generator[subprocess.Popen[str]]:
    """The supervisor alone, with workers that do this."""
    program = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", SUPERVISED + work], stdout=subprocess.PIPE, text=True
    )
    try:
        yield program
    finally:
        program.kill()
        program.communicate(timeout=10)


def test_workers_that_die_at_once_again_and_again_are_given_up() -> None:
    with supervised("sys.exit(7)") as program:
        out, _ = program.communicate(timeout=20)
    assert program.returncode == 1
    assert out.count("another takes its place") == 4
    assert out.count("ended with 7") == 5
    assert out.count("it is no use to go on") == 1


def test_a_worker_that_cannot_be_configured_is_not_tried_again() -> None:
    with supervised("sys.exit(2)") as program:
        out, _ = program.communicate(timeout=20)
    assert program.returncode == 2
    assert out.count("ended with 2") == 1


def test_one_worker_speaks_for_all() -> None:
    with supervised("say_once('here'); time.sleep(0.2); os.kill(os.getppid(), signal.SIGTERM)") as program:
        out, _ = program.communicate(timeout=20)
    assert (program.returncode, out) == (0, "here\n")


def test_workers_that_do_not_end_are_killed() -> None:
    work = "signal.signal(signal.SIGTERM, signal.SIG_IGN); say('up'); time.sleep(60)"
    with supervised(work) as program:
        assert program.stdout is not None
        assert [program.stdout.readline() for _ in range(2)] == ["up\n"] * 2
        children = psutil.Process(program.pid).children()
        program.send_signal(signal.SIGTERM)
        out, _ = program.communicate(timeout=20)
    assert (program.returncode, out) == (1, "2 workers do not end and are killed\n")
    assert [child.is_running() for child in children] == [False, False]


def test_workers_end_when_their_supervisor_is_killed() -> None:
    with supervised("say('up'); time.sleep(60)") as program:
        assert program.stdout is not None
        assert [program.stdout.readline() for _ in range(2)] == ["up\n"] * 2
        children = psutil.Process(program.pid).children()
        program.kill()
        program.communicate(timeout=20)  # their ends of the pipe are closed, too
    gone, alive = psutil.wait_procs(children, timeout=10)
    assert (len(gone), alive) == (2, [])


def test_a_hangup_reaches_all_of_them_and_the_supervisor() -> None:
    with supervised("say('up'); time.sleep(60)") as program:
        assert program.stdout is not None
        assert [program.stdout.readline() for _ in range(2)] == ["up\n"] * 2
        program.send_signal(signal.SIGHUP)
        assert [program.stdout.readline() for _ in range(3)] == ["hung up\n"] * 3
        program.send_signal(signal.SIGINT)
        assert program.wait(10) == 0
