"""npm's `emulate` as GitHub and Slack, in one process, behind the fronts that make up for what it lacks."""

import json
import secrets
import socket
import subprocess
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.fronts import GitHubFront, SlackFront
from sandbox.story import ANNOUNCEMENTS, BOT, INCIDENTS, ORGANISATION, PEOPLE, REPO_NAME, STRANGER
from showing.failed import Failed, expect
from standins.listening import listening
from standins.node import MODULES, node

_STARTS_WITHIN = 30.0
_STOPS_WITHIN = 10.0
_SLACK_SCOPES = (
    "channels:read", "channels:history", "groups:read", "groups:history", "chat:write", "users:read",
    "users:read.email", "reactions:read", "reactions:write", "files:read", "files:write", "team:read",
    "channels:manage", "channels:join", "pins:read", "bookmarks:read",
)  # fmt: skip


class Emulator:
    """Both services.

    Attributes:
        github: Address of GitHub.
        slack: Address of Slack.
        github_tokens: By login; the one of the server is the bot's.
        slack_tokens: Likewise.
    """

    def __init__(self, folder: Path) -> None:
        self.github = self.slack = ""
        everybody = [*(one.login for one in PEOPLE), BOT]
        self.github_tokens = {one: f"ghp_{secrets.token_hex(18)}" for one in [*everybody, STRANGER.login]}
        self.slack_tokens = {one: f"xoxb-{secrets.token_hex(18)}" for one in everybody}
        self._seed = folder / "emulate.json"
        self._log = folder / "emulate.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._ports = _two_ports()

    @contextmanager
    def running(self) -> Generator[None]:
        """From the start of its process, which is not awaited, to its end."""
        of_github, of_slack = self._ports
        github = GitHubFront(f"http://127.0.0.1:{of_github}", self.github_tokens.values())
        slack = SlackFront(f"http://127.0.0.1:{of_slack}", self.slack_tokens.values(), _SLACK_SCOPES)
        with listening(github, "h11") as self.github, listening(slack, "h11") as self.slack:
            self._process = self._started(of_github)
            try:
                yield
            finally:
                self._process.terminate()
                try:
                    self._process.wait(_STOPS_WITHIN)
                except subprocess.TimeoutExpired:
                    self._process.kill()
                    self._process.wait()

    def wait_until_ready(self) -> None:
        """Wait until both answer.

        Raises:
            Failed: Where that takes too long, or it ends.
        """
        deadline = time.monotonic() + _STARTS_WITHIN
        for port in self._ports:
            while not _answers(port):
                if self.has_ended or time.monotonic() > deadline:
                    said = self._log.read_text(encoding="utf-8", errors="replace")[-2_000:]
                    raise Failed(f"The emulator of GitHub and Slack does not start. It wrote:\n{said}")
                time.sleep(0.05)

    @property
    def has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _started(self, port: int) -> "subprocess.Popen[bytes]":
        program = MODULES / "emulate/dist/index.js"
        expect(program.exists(), f"{program} is not there; `make sandbox` installs it from npm.")
        self._seed.write_text(json.dumps(self._content()), encoding="utf-8")  # JSON is YAML, too
        command = [str(node()), str(program), "start", "--service", "github,slack"]
        with self._log.open("wb") as log:
            return subprocess.Popen(
                [*command, "--port", str(port), "--seed", str(self._seed)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the sandbox, which then stops it in order
            )

    def _content(self) -> Mapping[str, Any]:
        """Who and what there is from the start; the rest is made through the API."""
        tokens = {
            token: {"login": login, "scopes": ["repo", "user"]} for login, token in self.github_tokens.items()
        }
        tokens |= {
            token: {"login": login, "scopes": _SLACK_SCOPES} for login, token in self.slack_tokens.items()
        }
        people = [*PEOPLE, STRANGER]
        members = [{"login": one.login, "role": "admin"} for one in PEOPLE]
        github = {
            "baseUrl": self.github,
            "users": [{"login": one.login, "name": one.name, "email": one.email} for one in people]
            + [{"login": BOT, "name": "Ringmain"}],
            "orgs": [{"login": ORGANISATION, "members": [*members, {"login": BOT}]}],
            "repos": [
                {
                    "owner": ORGANISATION,
                    "name": REPO_NAME,
                    "description": "The daily punctuality report",
                    "auto_init": True,
                }
            ],
        }
        slack = {
            "baseUrl": self.slack,
            "team": {"name": "Acme", "domain": "acme"},
            "users": [{"name": one.login, "real_name": one.name, "email": one.email} for one in PEOPLE]
            + [{"name": BOT, "real_name": "Ringmain"}],
            "channels": [
                {"name": ANNOUNCEMENTS, "topic": "For everybody"},
                {"name": INCIDENTS, "is_private": True, "topic": "What is broken, and who is at it"},
            ],
        }
        return {"tokens": tokens, "github": github, "slack": slack}


def _two_ports() -> tuple[int, int]:
    """Two free ports in a row: it takes them in the order of its services."""
    while True:
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            port: int = one.getsockname()[1]
            try:
                other.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port, port + 1


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1.0):
            return True
    except OSError:
        return False
