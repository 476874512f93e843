"""The five systems that the servers stand in front of, started side by side and filled with the story."""

import json
import secrets
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sandbox.emulator import Emulator
from sandbox.seeding import AGENT_EMAIL, seed_drive, seed_github, seed_slack
from sandbox.store import Store
from sandbox.story import BOT, REPO
from showing.database import READER, FlightsDatabase, flights_database
from showing.failed import expect
from showing.interrupts import run
from showing.terminal import Terminal
from standins.gdrive.serve import serving
from standins.gdrive.state import FakeDrive

_READER = """
CREATE SCHEMA hr;
CREATE TABLE hr.payroll (login text PRIMARY KEY, salary integer NOT NULL);
INSERT INTO hr.payroll VALUES ('ada', 83000), ('bo', 61000), ('cleo', 72000);
CREATE ROLE {role} LOGIN PASSWORD '{password}';
GRANT USAGE ON SCHEMA public, hr TO {role};
GRANT SELECT ON ALL TABLES IN SCHEMA public, hr TO {role};
"""


class Systems:
    """What runs, and how a server reaches it.

    Attributes:
        reports: Id of the folder on Drive that reports go to.
    """

    def __init__(self, terminal: Terminal, emulator: Emulator, store: Store) -> None:
        self.reports = ""
        self._terminal = terminal
        self._emulator = emulator
        self._store = store
        self._settings: dict[str, Mapping[str, str]] = {}

    def settings(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """What the server of each connector needs; the last one is waited for, as it takes longest."""
        yield from self._settings.items()
        said = self._store.wait_until_filled()
        self._terminal.checked(f"An embedded vector store, model included: {said}")
        yield "vector", self._store.settings

    def take_in_the_rest(self) -> Iterator[str]:
        """Take in the connectors' pages; what there is to say of it, and an empty text while it goes on."""
        self._store.take_in_the_rest()
        while self._store.is_filling:
            yield ""
        yield f"The connectors' pages are in the vector store now, too: {self._store.wait_until_filled()}"

    def require_running(self) -> None:
        """Go on while what can end by itself has not.

        Raises:
            Failed: Where it has.
        """
        expect(not self._emulator.has_ended, "The emulator of GitHub and Slack has ended.")

    def fill_drive(self, drive: FakeDrive) -> None:
        """Folders and reports, and a service account."""
        begin = time.monotonic()
        self.reports = seed_drive(drive)
        scopes = ("drive.readonly", "drive.file")
        key = drive.service_account("robot@acme.example", delegated=[AGENT_EMAIL], scopes=scopes)
        self._settings["gdrive"] = {
            "RINGMAIN_GDRIVE_URL": drive.url,
            "RINGMAIN_GDRIVE_SERVICE_ACCOUNT_KEY": json.dumps(dict(key)),
            "RINGMAIN_GDRIVE_SUBJECT": AGENT_EMAIL,
        }
        self._ready("Drive with a folder of reports (a fake, held against Google's own description)", begin)

    def fill_database(self, database: FlightsDatabase) -> None:
        """The flights, something that is not for everybody, and a role that only reads."""
        begin = time.monotonic()
        said: list[str] = []
        version = run(database.load(said.append))
        password = secrets.token_hex(16)
        run(database.run(_READER.format(role=READER, password=password)))
        self._settings["postgres"] = {"RINGMAIN_POSTGRES_URL": database.url(READER, password)}
        self._ready(f"Postgres {version}, the real one: {said[-1]}", begin)

    def fill_emulator(self) -> None:
        """A repository with its history, and what people say of it."""
        begin = time.monotonic()
        self._emulator.wait_until_ready()
        seed_github(self._emulator)
        seed_slack(self._emulator)
        self._settings["github"] = {
            "RINGMAIN_GITHUB_URL": self._emulator.github,
            "RINGMAIN_GITHUB_TOKEN": self._emulator.github_tokens[BOT],
        }
        self._settings["slack"] = {
            "RINGMAIN_SLACK_URL": self._emulator.slack,
            "RINGMAIN_SLACK_TOKEN": self._emulator.slack_tokens[BOT],
            "RINGMAIN_SLACK_CONVERSATIONS": "public,private",
        }
        self._ready(f"GitHub with {REPO}, and Slack (npm's emulate, behind fronts of our own)", begin)

    def _ready(self, what: str, begin: float) -> None:
        self._terminal.checked(f"{what}; {time.monotonic() - begin:.1f} s")


@contextmanager
def running(terminal: Terminal, folder: Path) -> Generator[Systems]:
    """All of them, filled, until they are gone; what takes longest begins first, and may still be at it."""
    with ExitStack() as opened:
        emulator = Emulator(folder)
        opened.enter_context(emulator.running())
        store = Store(folder)
        opened.callback(store.stop)
        systems = Systems(terminal, emulator, store)
        drive = FakeDrive()
        opened.enter_context(serving(drive))
        systems.fill_drive(drive)
        systems.fill_database(opened.enter_context(flights_database()))
        systems.fill_emulator()
        yield systems
