"""The five servers, as an operator starts them: settings in the environment, one policy, keys in files."""

import json
import secrets
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from string import Template

from showing.failed import expect
from showing.served import Server
from showing.terminal import Terminal

AGENT, PERSON = "investigator", "you"
POLICY = Path(__file__).with_name("policy.toml").read_text(encoding="utf-8")


class Operator:
    """Writes the policy and the keys.

    Attributes:
        common: What is in the environment of every server.
    """

    def __init__(self, folder: Path, reports: str) -> None:
        self._state = folder / "state"
        self._folder = folder
        self._keys = folder / "keys"
        self._keys.mkdir()
        for agent in (AGENT, PERSON):
            _write_secret(self.key_file(agent), f"rm_{secrets.token_hex(4)}_{secrets.token_urlsafe(32)}")
        policy = folder / "policy.toml"
        filled = Template(POLICY).substitute(KEYS=self._keys, REPORTS=reports)
        policy.write_text(filled, encoding="utf-8")
        self.common = {"RINGMAIN_POLICY": str(policy), "RINGMAIN_STATE_DIR": str(self._state)}

    def log(self, connector: str) -> Path:
        """The audit of a connector."""
        return self._state / connector / "audit.jsonl"

    def key_file(self, agent: str) -> Path:
        return self._keys / agent

    def key(self, agent: str) -> str:
        return self.key_file(agent).read_text(encoding="utf-8")

    def entries(self, urls: Mapping[str, str]) -> Path:
        """A file with the entries of all servers, as clients read them, for a person."""
        bearer = {"Authorization": f"Bearer {self.key(PERSON)}"}
        entries = {name: {"type": "http", "url": url, "headers": bearer} for name, url in urls.items()}
        path = self._folder / "clients.json"
        _write_secret(path, json.dumps({"mcpServers": entries}, indent=2))
        return path


@contextmanager
def serving(
    terminal: Terminal, operator: Operator, settings: Iterable[tuple[str, Mapping[str, str]]], logs: Path
) -> Generator[Mapping[str, Server]]:
    """All servers, from when they are ready until they have stopped; started and stopped side by side."""
    started: dict[str, Server] = {}
    terminal.say(f"\nAll of them have {' and '.join(operator.common)} set; and each its own:")
    try:
        for name, own in settings:
            terminal.command(
                f"{' '.join(f'{variable}=…' for variable in own)} ringmain-{name} serve --port 0"
            )
            started[name] = Server(f"ringmain-{name}", {**operator.common, **own}, logs / f"{name}.log")
        terminal.say("")
        for server in started.values():
            server.wait_until_ready()
            terminal.checked(f"{server.command} is ready at {server.url}")
        yield started
    except Exception:
        for server in started.values():
            if server.has_ended or not server.was_ready:
                terminal.say(f"\nThe log of {server.command}:")
                terminal.answer(server.log(), 40)
        raise
    finally:
        for server in started.values():
            server.ask_to_stop()
        statuses = {server.command: server.wait_until_stopped() for server in started.values()}
    expect(not any(statuses.values()), f"The servers did not stop in order; their exit statuses: {statuses}.")


def _write_secret(path: Path, text: str) -> None:
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(text, encoding="utf-8")
