"""What stands behind each connector while its image is tested, and the calls that show that it is reached."""

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from standins.gdrive.seeded import seeded as seeded_drive
from standins.gdrive.serve import serving as serving_drive
from standins.github.seeded import seeded as seeded_github
from standins.github.serve import serving as serving_github
from standins.postgres import running_postgres, url_of
from standins.slack.seeded import seeded as seeded_slack
from standins.slack.serve import serving as serving_slack


@dataclass(frozen=True, slots=True)
class Asked:
    """A call, and a part of its answer."""

    tool: str
    arguments: Mapping[str, Any]
    says: str


@dataclass(frozen=True, slots=True)
class Behind:
    """What a container is told to find its system.

    Attributes:
        secrets: Settings that nobody may learn.
        volumes: As for `--volume`.
    """

    calls: Sequence[Asked] = ()
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    secrets: Mapping[str, str] = field(default_factory=dict[str, str])
    volumes: Sequence[str] = ()


@contextmanager
def _slack() -> Generator[Behind]:
    fake = seeded_slack()
    with serving_slack(fake):
        yield Behind(
            [Asked("read_channel", {"channel": "#general"}, "Shall we deploy today?")],
            {"RINGMAIN_SLACK_URL": fake.url},
            {"RINGMAIN_SLACK_TOKEN": fake.token("bot")},
        )
    assert fake.violations == []


@contextmanager
def _github() -> Generator[Behind]:
    fake = seeded_github()
    token = fake.token()
    with serving_github(fake) as url:
        yield Behind(
            [Asked("list_issues", {"repo": "acme/widgets"}, "It wobbles")],
            {"RINGMAIN_GITHUB_URL": url},
            {"RINGMAIN_GITHUB_TOKEN": token},
        )
    assert fake.violations == []


@contextmanager
def _gdrive() -> Generator[Behind]:
    fake = seeded_drive()
    with serving_drive(fake):
        key = fake.service_account("robot@project.example", delegated=["ada@acme.example"])
        yield Behind(
            [
                Asked("read_file", {"file": "/Plans/Launch plan"}, "We ship on **Friday**"),
                Asked("read_table", {"file": "/Plans/Budget", "sheet": "2026"}, "Servers | 1500"),
            ],
            {
                "RINGMAIN_GDRIVE_URL": fake.url,
                "RINGMAIN_GDRIVE_SUBJECT": "ada@acme.example",
                "RINGMAIN_GDRIVE_ACCESS": "full",
            },
            {"RINGMAIN_GDRIVE_SERVICE_ACCOUNT_KEY": json.dumps(dict(key))},
        )
    assert fake.violations == []


@contextmanager
def _postgres() -> Generator[Behind]:
    with running_postgres() as server:
        folder = Path(server.get_postmaster_info().socket_dir)
        (socket,) = folder.glob(".s.PGSQL.*[0-9]")  # alone, for only the server's user may enter its folder
        yield Behind(
            [Asked("query", {"sql": "SELECT 6 * 7 AS answer"}, "42")],
            {},
            {"RINGMAIN_POSTGRES_URL": url_of(server).replace(str(folder), "/postgres")},
            [f"{socket}:/postgres/{socket.name}"],
        )


@contextmanager
def _vector() -> Generator[Behind]:
    """Nothing: the store is in the container's volume, and the model in its image."""
    document = {"document_id": "prices", "text": "Servers cost 1500 a month. Coffee costs 95."}
    other = {"document_id": "lunch", "text": "Lunch is at noon, in the kitchen."}
    yield Behind(
        [
            Asked("add_documents", {"documents": [document, other]}, "2"),
            Asked("search_documents", {"query": "What do we pay for machines?", "top_k": 1}, "1500 a month"),
        ]
    )


_KNOWN: Mapping[str, Callable[[], AbstractContextManager[Behind]]] = {
    "gdrive": _gdrive,
    "github": _github,
    "postgres": _postgres,
    "slack": _slack,
    "vector": _vector,
}


@contextmanager
def behind(connector: str) -> Generator[Behind]:
    """Start what a connector needs; another one than these is only asked for its tools."""
    with _KNOWN[connector]() if connector in _KNOWN else _nothing() as found:
        yield found


@contextmanager
def _nothing() -> Generator[Behind]:
    yield Behind()
