"""The programs under attack: their policy, keys and secrets are known, and everything they say is kept."""

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ringmain_core.identity.api_keys import hash_key
from ringmain_core.log import Redactor
from standins.serving import clean_environment, command, serving

TESTS = Path(__file__).parents[1]
DEMO = (sys.executable, "-W", "error", str(TESTS / "unit/core/demo.py"))
ANN, BOB = "key-of-ann-3f9c", "key-of-bob-77d1"
POLICY = f"""
[roles.all]
allow = ["*:*"]
limits = {{ rate = "100000/s", burst = 100000 }}
[[agents]]
id = "ann"
key = "{hash_key(ANN)}"
roles = ["all"]
[[agents]]
id = "bob"
key = "{hash_key(BOB)}"
roles = ["all"]
[[agents]]
id = "local"
roles = ["all"]
"""
_WITHIN = 30.0  # seconds to start, and to end
_ANSWERS_WITHIN = 5.0
_ON_RECORD_WITHIN = 2.0


@dataclass
class Target:
    """A server at work.

    Attributes:
        port: On loopback, also where it is bound to every address.
        said: What it wrote to stderr so far.
        folder: Where its state is.
        connector: Its name.
    """

    port: int
    said: list[str]
    folder: Path
    connector: str

    def trail(self) -> list[dict[str, Any]]:
        """The audit so far."""
        return trail(self.folder, self.connector)

    def trail_after(self, before: int) -> list[dict[str, Any]]:
        """What came on record since it had so many; one is waited for, as some come after the answer."""
        deadline = time.monotonic() + _ON_RECORD_WITHIN
        while len(made := self.trail()[before:]) == 0 and time.monotonic() < deadline:
            time.sleep(0.01)
        return made

    def written(self) -> str:
        """Everything it wrote: its log, and its files as far as they are text."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return "".join(self.said) + "".join(path.read_bytes().decode("latin-1") for path in files)


def trail(folder: Path, connector: str) -> list[dict[str, Any]]:
    """The calls on record in a state folder."""
    log = folder / connector / "audit.jsonl"
    records = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return [record for record in records if record["phase"] not in ("anchor", "recovery")]


def settings_in(folder: Path, policy: str = POLICY, **settings: str) -> dict[str, str]:
    """An operator's settings: a policy file and a state folder of their own, no guard against repetition."""
    path = folder / "policy.toml"
    path.write_text(policy, encoding="utf-8")
    return {
        "RINGMAIN_POLICY": str(path),
        "RINGMAIN_STATE_DIR": str(folder / "state"),
        "RINGMAIN_LOOP_GUARD": "off",
    } | settings


@contextmanager
def postgres_target(folder: Path, url: str, **settings: str) -> Generator[Target]:
    """`ringmain-postgres serve`, in front of a database."""
    chosen = settings_in(folder, RINGMAIN_POSTGRES_URL=url, **settings)
    with serving("ringmain-postgres", chosen) as served:
        yield Target(urlsplit(served.url).port or 0, served.log, folder / "state", "postgres")


@contextmanager
def demo_target(folder: Path, policy: str = POLICY, *, umask: int = -1, **settings: str) -> Generator[Target]:
    """The demo connector's `serve`: nothing behind it, so that it is fast."""
    chosen = settings_in(folder, policy, **settings)
    process = start([*DEMO, "serve", "--port", "0"], chosen, umask=umask)
    target = Target(0, [], folder / "state", "demo")
    ready = threading.Event()

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            target.said.append(line.decode())
            if match := re.match(r"http://\S+:(\d+)/v\d/mcp", target.said[-1]):
                target.port = int(match[1])
                ready.set()
        ready.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert ready.wait(_WITHIN), target.said
        assert target.port, "".join(target.said)
        yield target
    finally:
        end(process)
        reader.join()
        close(process)


@contextmanager
def on_stdio(argv: Sequence[str], settings: Mapping[str, str]) -> Generator["Stdio"]:
    """A server that this process is the client of."""
    process = start(argv, settings)
    try:
        yield Stdio(process)
    finally:
        end(process)
        close(process)


class Stdio:
    """Lines to a server, and lines back; what it says on stderr is read at its end, and must be little."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self._lines: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)

    def send(self, *lines: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(b"".join(line + b"\n" for line in lines))
        self._process.stdin.flush()

    def receive(self) -> Any:
        """The next message."""
        return json.loads(self._lines.get(timeout=_ANSWERS_WITHIN))

    def answer(self, line: bytes) -> Any:
        """The answer to one line."""
        self.send(line)
        return self.receive()

    def shake_hands(self) -> None:
        about = {"name": "test", "version": "1"}
        params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": about}
        hello = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
        assert "result" in self.answer(json.dumps(hello).encode())
        self.send(json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}).encode())

    def finish(self) -> tuple[int, str]:
        """End its input; its status, and what it said on stderr."""
        assert self._process.stdin is not None
        assert self._process.stderr is not None
        self._process.stdin.close()
        said = self._process.stderr.read().decode()
        return self._process.wait(_WITHIN), said


def start(argv: Sequence[str], settings: Mapping[str, str], *, umask: int = -1) -> "subprocess.Popen[bytes]":
    """A program with these settings only, and pipes to all its ends."""
    return subprocess.Popen(
        argv,
        env=clean_environment(**settings) | {"PYTHONPATH": str(TESTS)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        umask=umask,
    )


def finished(argv: Sequence[str], settings: Mapping[str, str]) -> tuple[int, str]:
    """Let a command run to its end: its status, and all that it said."""
    process = start(argv, settings)
    try:
        out, err = process.communicate(timeout=_WITHIN)
        return process.returncode, (out + err).decode()
    finally:
        end(process)
        close(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """SIGTERM, and SIGKILL for what does not go."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def close(process: "subprocess.Popen[bytes]") -> None:
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None and not stream.closed:
            try:
                stream.close()
            except BrokenPipeError:
                assert os.name == "posix"


def postgres_command(*arguments: str) -> list[str]:
    return [command("ringmain-postgres"), *arguments]


def unchanged_log(*_: object) -> Redactor:
    """In place of `set_up_logging`, where a command runs in the process of the tests."""
    return Redactor(())
