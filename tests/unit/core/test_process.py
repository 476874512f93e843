"""The programs themselves: stdio and HTTP in processes of their own."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ringmain_core.audit import load_or_create_key
from ringmain_core.audit.verify import verify_files

DEMO = Path(__file__).with_name("demo.py")
ABOUT: dict[str, Any] = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}
Start = Callable[..., "Program"]


class Program:
    """The demo's command as a child process."""

    def __init__(self, state: Path, *arguments: str, **env: str) -> None:
        self.state = state
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", DEMO, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | {"RINGMAIN_STATE_DIR": str(state), "PYTHONPATH": str(DEMO.parents[2])} | env,
        )
        self._seen: dict[Any, bytes] = {self.process.stdout: b"", self.process.stderr: b""}

    def send(self, *messages: dict[str, Any] | bytes) -> None:
        assert self.process.stdin is not None
        for message in messages:
            line = (
                message if isinstance(message, bytes) else json.dumps({"jsonrpc": "2.0"} | message).encode()
            )
            self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def receive(self) -> Any:
        return json.loads(self._line(self.process.stdout))

    def said(self) -> str:
        return self._line(self.process.stderr)

    def _line(self, stream: Any) -> str:
        deadline = time.monotonic() + 10
        while b"\n" not in self._seen[stream]:
            assert select.select([stream], [], [], max(0, deadline - time.monotonic()))[0], "no answer"
            more = os.read(stream.fileno(), 65536)
            assert more, f"it ended: {self.process.stderr.read() if self.process.stderr else b''!r}"
            self._seen[stream] += more
        line, _, self._seen[stream] = self._seen[stream].partition(b"\n")
        return line.decode()

    def shake_hands(self) -> None:
        self.send({"id": 0, "method": "initialize", "params": ABOUT})
        assert self.receive()["result"]["serverInfo"]["name"] == "ringmain-demo"
        self.send({"method": "notifications/initialized"})

    def call(self, id_: int, tool: str, **arguments: Any) -> None:
        self.send({"id": id_, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})

    def end(self) -> tuple[int, str, str]:
        """Close its input and wait: exit status, the rest of its output, and of what it said."""
        seen = tuple(self._seen.values())
        out, err = self.process.communicate(timeout=10)
        return self.process.returncode, (seen[0] + out).decode(), (seen[1] + err).decode()

    def outcomes(self) -> list[tuple[str, str]]:
        """What is on record about tool calls, once the log has been verified."""
        log = self.state / "demo" / "audit.jsonl"
        assert verify_files([log], [load_or_create_key(self.state / "audit.key")]).problem is None
        records = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        calls = (record for record in records if record.get("method") == "tools/call")
        return [(call["target"], call["outcome"]) for call in calls if "outcome" in call]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    programs: list[Program] = []

    def start(*arguments: str, **env: str) -> Program:
        programs.append(Program(tmp_path / "state", *arguments, **env))
        return programs[-1]

    yield start
    for program in programs:
        program.process.kill()
        program.process.communicate()


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """One on stdio, for all tests that leave it running."""
    program = Program(tmp_path_factory.mktemp("shared"), RINGMAIN_MAX_BODY_BYTES="2048")
    program.shake_hands()
    yield program
    assert program.end() == (0, "", "")


def test_on_stdio_bad_lines_are_answered_and_good_ones_served(program: Program) -> None:
    bad: list[tuple[bytes, int, str]] = [
        (b"{", -32700, "Not a JSON message: Expecting property name enclosed in double quotes"),
        (b"", -32700, "Not a JSON message: Expecting value"),
        (b"\xff\xfe", -32700, "Not a JSON message: not UTF-8 at byte 0."),
        (b'{"id":1,"id":2}', -32700, "Not a JSON message: an object has the same key twice."),
        (b"[" * 100, -32700, "Not a JSON message: "),
        (b"[]", -32600, "Not a JSON-RPC 2.0 request, notification or response."),
        (b'{"id":1,"method":"ping"}', -32600, "Not a JSON-RPC 2.0 request, notification or response."),
        (b'"' + b"x" * 2048 + b'"', -32600, "The message is longer than 2,048 bytes."),
        (b'"' + b"x" * 1_000_000 + b'"', -32600, "The message is longer than 2,048 bytes."),
    ]
    for line, code, said in bad:
        program.send(line)
        answer = program.receive()
        assert (answer["id"], answer["error"]["code"]) == (None, code)
        assert answer["error"]["message"].startswith(said)
    program.call(2, "echo", text="still here")
    assert program.receive()["result"]["content"][0]["text"] == "still here"


def test_on_stdio_what_a_library_prints_stays_off_the_wire(program: Program) -> None:
    program.call(1, "chatty")
    assert program.receive()["result"]["content"][0]["text"] == "said"
    assert {program.said(), program.said()} == {"a stray print", "a stray write"}
    program.call(2, "echo", text="x")
    assert program.receive()["id"] == 2


def test_on_stdio_an_answer_that_cannot_be_written_is_an_error_and_not_the_end(program: Program) -> None:
    program.call(1, "half")
    answer = program.receive()
    assert (answer["id"], answer["error"]) == (
        1,
        {"code": -32603, "message": "The answer cannot be written as JSON."},
    )
    line = json.loads(program.said())
    assert (line["level"], line["message"]) == ("error", "an answer cannot be written as JSON")
    program.call(2, "echo", text="x")
    assert program.receive()["result"]["content"][0]["text"] == "x"


def test_on_stdio_large_answers_arrive_whole(program: Program) -> None:
    program.call(1, "echo", text="é" * 10, times=9_000)
    assert program.receive()["result"]["content"][0]["text"] == "é" * 90_000


def test_on_stdio_the_end_of_input_ends_it_with_its_records_closed(start: Start) -> None:
    program = start()
    program.shake_hands()
    program.call(1, "note", text="x")
    assert program.receive()["id"] == 1
    program.call(2, "wait")
    status, _, err = program.end()
    assert (status, err) == (0, "")
    assert program.outcomes() == [("note", "ok"), ("wait", "cancelled")]


def test_on_stdio_sigterm_ends_it_with_its_records_closed(start: Start) -> None:
    program = start()
    program.shake_hands()
    program.call(1, "wait")
    program.call(2, "echo", text="x")
    assert program.receive()["id"] == 2
    program.process.send_signal(signal.SIGTERM)
    assert program.process.wait(10) == 0
    assert sorted(program.outcomes()) == [("echo", "ok"), ("wait", "cancelled")]
    assert "Traceback" not in program.end()[2]


def test_a_thread_that_hangs_keeps_nobody_from_ending(start: Start) -> None:
    program = start()
    program.shake_hands()
    program.call(1, "hang")
    assert program.receive()["id"] == 1
    program.process.send_signal(signal.SIGTERM)
    assert program.process.wait(10) == 0
    assert program.outcomes() == [("hang", "ok")]
    assert "ended by force: all is closed, but a thread hangs" in program.end()[2]


def test_on_stdio_a_reader_that_went_away_ends_it_quietly(start: Start) -> None:
    program = start()
    program.shake_hands()
    assert program.process.stdout is not None
    program.process.stdout.close()
    program.call(1, "echo", text="x")
    assert program.process.wait(10) == 0
    assert program.process.stderr is not None
    assert "Error" not in program.process.stderr.read().decode()
    assert program.outcomes() == [("echo", "ok")]


def test_sighup_reads_the_policy_again_on_stdio(start: Start, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[roles.r]\nallow = ["demo.echo"]\n[[agents]]\nid = "local"\nroles = ["r"]\n', "utf-8")
    program = start(RINGMAIN_POLICY=str(policy), RINGMAIN_LOG_FORMAT="text")
    program.shake_hands()
    program.call(1, "who")
    assert program.receive()["error"]["code"] == -32602
    policy.write_text(policy.read_text("utf-8").replace("demo.echo", "demo:read"), "utf-8")
    program.process.send_signal(signal.SIGHUP)
    reloaded = rf"\d\d:\d\d:\d\d warning policy reloaded from {policy}, sha256 [0-9a-f]{{12}}"
    assert re.fullmatch(reloaded, program.said())
    program.call(2, "who")
    told = [program.receive()]
    while "result" not in told[-1]:
        told.append(program.receive())
    assert "notifications/tools/list_changed" in [message.get("method") for message in told]
    assert told[-1]["result"]["content"][0]["text"] == "local"


def test_over_http_a_first_key_is_made_and_sigterm_ends_it_in_order(start: Start) -> None:
    program = start("serve", "--port", "0")
    made = re.fullmatch(
        r"API key (\w+), made just now and shown only this once: (rm_\1_[\w-]+)", program.said()
    )
    assert made is not None
    url = program.said()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v2/mcp", url)
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": ABOUT}).encode()
    headers = {
        "Authorization": f"Bearer {made[2]}",
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
    }
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=5) as answer:  # noqa: S310
        session = answer.headers["mcp-session-id"]
        assert b'"ringmain-demo"' in answer.read()
    opened = urllib.request.Request(url, headers=headers | {"Mcp-Session-Id": session})  # noqa: S310
    with urllib.request.urlopen(opened, timeout=5) as stream:  # noqa: S310
        program.process.send_signal(signal.SIGTERM)
        assert stream.read().replace(b": ping", b"").strip() == b""
    status, out, err = program.end()
    assert (status, out, err) == (0, "", "")


def test_stdio_does_not_wait_for_what_only_http_needs() -> None:
    script = (
        "import sys\n"
        "from unit.core.demo import connector\n"
        "import ringmain_core.process, ringmain_core.cli, ringmain_core.transport.stdio\n"
        "print(sorted({'fastapi', 'sqlite3', 'redis'} & set(sys.modules)))\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(DEMO.parents[2])},
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    assert found.stdout == "[]\n"
