"""What an operator does: settings, a policy, keys, the server; with the commands that an operator has."""

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from demo.failed import Failed, expect
from demo.terminal import Terminal

_COMMAND = "ringmain-postgres"
_COMMAND_SECONDS = 60
_READY_WITHIN = 30.0
_STOPPED_WITHIN = 30.0

POLICY = """\
[roles.analyst]
allow  = ["postgres:read"]
limits = { rate = "50/s", burst = 100 }

[roles.intern]
allow  = ["postgres.list_databases", "postgres.search_objects", "postgres.describe_object"]
deny   = ["postgres.query"]
fence  = { "postgres.table" = ["public.airlines", "public.airports", "public.planes", "public.flights"] }

[[agents]]
id    = "analyst"
roles = ["analyst"]

[[agents]]
id    = "intern"
roles = ["intern"]
"""


def command_path(name: str = _COMMAND) -> str:
    """An installed command, beside the Python that runs this."""
    path = Path(sys.executable).with_name(name)
    expect(path.exists(), f"{path} is not there; run `make install`.")
    return str(path)


def desktop_entry(database_url: str) -> dict[str, Any]:
    """The server's entry in `claude_desktop_config.json`."""
    return {"command": command_path(), "args": [], "env": {"RINGMAIN_POSTGRES_URL": database_url}}


class Operator:
    """Runs the real command with settings for this demo.

    Attributes:
        settings: What an operator would put into the server's environment.
        audit_log: Where the audit of the calls is.
    """

    def __init__(self, terminal: Terminal, folder: Path, database_url: str) -> None:
        self._terminal = terminal
        self._log = folder / "server.log"
        self._command = command_path()
        state = folder / "state"
        self.audit_log = state / "postgres" / "audit.jsonl"
        self.settings = {
            "RINGMAIN_POSTGRES_URL": database_url,
            "RINGMAIN_POLICY": str(folder / "policy.toml"),
            "RINGMAIN_STATE_DIR": str(state),
        }
        (folder / "policy.toml").write_text(POLICY, encoding="utf-8")

    def run(self, *arguments: str, status: int = 0, shown: str | None = None) -> str:
        """Run a sub-command to its end, show what it wrote, and return it.

        Args:
            arguments: Of the command.
            status: The exit status that is right.
            shown: What to write as the arguments, where their names are long.
        """
        self._terminal.command(f"{_COMMAND} {shown or shlex.join(arguments)}")
        done = subprocess.run(
            [self._command, *arguments],
            # Unbuffered, so that both streams come in the order in which they are written.
            env={**os.environ, **self.settings, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=_COMMAND_SECONDS,
            check=False,
        )
        self._terminal.answer(done.stdout.strip(), 20, refused=done.returncode != 0)
        expect(
            done.returncode == status,
            f"`{_COMMAND} {shlex.join(arguments)}` ended with status {done.returncode} instead of {status}.",
        )
        return done.stdout

    @contextmanager
    def serving(self) -> Generator["Server"]:
        """The server over HTTP, from when it is ready until it has stopped."""
        self._terminal.command(f"{_COMMAND} serve --port 0")
        with self._log.open("wb") as log:
            process = subprocess.Popen(
                [self._command, "serve", "--port", "0"],
                env={**os.environ, **self.settings},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the demo, which then stops the server in order
            )
        server = Server(process, self._log)
        try:
            server.wait_until_ready()
            yield server
        except Exception:
            self._terminal.say("\nThe server's log:")
            self._terminal.answer(server.log(), 40)
            raise
        finally:
            process.terminate()
            try:
                process.wait(_STOPPED_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        status = process.returncode
        expect(status == 0, f"The server stopped with status {status}. It wrote:\n{server.log()}")


class Server:
    """The server's process, and where it listens."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log
        self.url = ""

    def wait_until_ready(self) -> None:
        """Wait until it says its URL and then that it is ready.

        Raises:
            Failed: With what it wrote to stderr, where that takes too long.
        """
        deadline = time.monotonic() + _READY_WITHIN
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise Failed("The server did not get ready; its log is above.")
            time.sleep(0.05)

    def wait_until_it_ends(self) -> None:
        """Wait, for ever if nothing happens."""
        status = self._process.wait()
        raise Failed(f"The server ended by itself with status {status}; its log is above.")

    def log(self) -> str:
        """The end of what it wrote."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-4_000:]

    def _is_ready(self) -> bool:
        self.url = next((line for line in self.log().splitlines() if line.startswith("http://")), "")
        if not self.url:
            return False
        try:
            ready = httpx2.get(re.sub(r"/v\d/mcp$", "/readyz", self.url), timeout=5, trust_env=False)
        except httpx2.HTTPError:
            return False
        return ready.status_code == 200
