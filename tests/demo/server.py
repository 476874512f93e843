"""What an operator does: settings, a policy, keys, the server; with the commands that an operator has."""

import os
import shlex
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from showing.failed import expect
from showing.served import Server, command_path
from showing.terminal import Terminal

_COMMAND = "ringmain-postgres"
_COMMAND_SECONDS = 60

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


def desktop_entry(database_url: str) -> dict[str, Any]:
    """The server's entry in `claude_desktop_config.json`."""
    return {"command": command_path(_COMMAND), "args": [], "env": {"RINGMAIN_POSTGRES_URL": database_url}}


class Operator:
    """Runs the real command with settings for this demo.

    Attributes:
        settings: What an operator would put into the server's environment.
        audit_log: Where the audit of the calls is.
    """

    def __init__(self, terminal: Terminal, folder: Path, database_url: str) -> None:
        self._terminal = terminal
        self._log = folder / "server.log"
        self._command = command_path(_COMMAND)
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
    def serving(self) -> Generator[Server]:
        """The server over HTTP, from when it is ready until it has stopped."""
        self._terminal.command(f"{_COMMAND} serve --port 0")
        server = Server(_COMMAND, self.settings, self._log)
        try:
            server.wait_until_ready()
            yield server
        except Exception:
            self._terminal.say("\nThe server's log:")
            self._terminal.answer(server.log(), 40)
            raise
        finally:
            server.ask_to_stop()
            status = server.wait_until_stopped()
        expect(status == 0, f"The server stopped with status {status}. It wrote:\n{server.log()}")
