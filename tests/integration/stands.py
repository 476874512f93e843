"""What the examples in the READMEs are asked of: each connector before its stand-in, with a story in it."""

import json
import os
import time
from argparse import ArgumentParser
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from mcp.client import Client

from contract.discover import connectors
from ringmain_core.connector import AnyConnector
from ringmain_core.cursors import Cursors
from ringmain_core.services import Services
from ringmain_core.testing import bench
from standins.gdrive.serve import serving as serving_drive
from standins.gdrive.state import FakeDrive
from standins.github.seeded import seeded as seeded_github
from standins.github.serve import serving as serving_github
from standins.postgres import running_postgres, url_of
from standins.slack.serve import serving as serving_slack
from standins.slack.state import FakeSlack

Stand = Callable[[AnyConnector, Path], AbstractAsyncContextManager[Client]]
"""A client of a connector, for as long as it is needed; the folder is free to be used."""

_DATA = Path(__file__).parents[1] / "data"
_THEN = 1_767_605_400.0  # 2026-01-05, 09:30 UTC: what is said then reads the same on every day
_HOUR = 3_600.0

_ADA, _BO = "ada@acme.example", "bo@acme.example"
_SCOPES = ("drive.readonly", "drive.file")
_PLAN = """# Launch plan

We ship on **Friday**, after the review.

## Risks

- The cache may be cold
- Nobody is on call
"""
_BUDGET = {
    "2026": [["Item", "Cost"], ["Servers", 1500], ["Coffee", 95]],
    "Notes": [["All costs are in euros"]],
}
_PAGES = {
    "runbooks/checkout.md": """# Checkout is down

## The payment pool is exhausted

Drain the node with the most connections, then set `pool_size` to 40.
The pool is full when checkout answers 502.

## The cache is cold

Warm it before traffic comes back: `make warm`.
""",
    "handbook/oncall.md": """# On call

Whoever is on call answers within ten minutes. A postmortem is written within two days of every incident.
""",
}

# Nobody is there to confirm anything, and what was read may be told.
_POLICY = """
[roles.all]
allow = ["*:*"]
confirm = []
flow = "off"
[[agents]]
id = "local"
roles = ["all"]
"""


@asynccontextmanager
async def _slack(connector: AnyConnector, _: Path) -> AsyncGenerator[Client]:
    fake = FakeSlack(time=lambda: _THEN)
    fake.user("ringmain", "Ringmain", bot=True)
    fake.user("ada", "Ada Moss", title="Engineer")
    fake.user("bo", "Bo Reyes", title="Support")
    members = ["ada", "bo", "ringmain"]
    general = fake.channel("general", members=members, general=True, topic="Everything")
    general.post("Release 4.2 goes out on Tuesday", "ada", ago=30 * _HOUR)
    incidents = fake.channel("incidents", members=members, topic="What is broken now")
    broken = incidents.post("Checkout answers 502 since 08:10", "bo", ago=1.3 * _HOUR)
    incidents.reply(broken, "The payment pool is exhausted, I am draining node 3", "ada", ago=1.2 * _HOUR)
    incidents.reply(broken, "Checkout works again", "ada", ago=0.5 * _HOUR)
    incidents.react(broken, "eyes", "ada")
    incidents.post("Postmortem on Wednesday at ten", "bo", ago=0.2 * _HOUR)
    token = fake.token("bot", "xoxb", user="ringmain")
    fake.time = time.time
    with serving_slack(fake):
        async with _client(connector, url=fake.url, token=token) as client:
            yield client
    assert fake.violations == []


@asynccontextmanager
async def _gdrive(connector: AnyConnector, _: Path) -> AsyncGenerator[Client]:
    fake = FakeDrive()
    fake.time = lambda: _THEN
    fake.user(_ADA, "Ada Moss")
    fake.user(_BO, "Bo Reyes")
    plans = fake.folder("Plans", _ADA, ago=300 * _HOUR)
    plan = fake.document("Launch plan", _PLAN, _ADA, parent=plans, ago=50 * _HOUR)
    fake.comment(plan, _BO, "Is Friday safe?", quoted="Friday", ago=20 * _HOUR)
    fake.sheet("Budget", _BUDGET, _ADA, parent=plans, ago=100 * _HOUR)
    fake.share(plans, _BO, "writer")
    fake.time = time.time
    with serving_drive(fake):
        key = fake.service_account("robot@project.example", delegated=[_ADA], scopes=_SCOPES)
        settings = {"service_account_key": json.dumps(key), "subject": _ADA, "token_url": f"{fake.url}/token"}
        async with _client(connector, url=fake.url, **settings) as client:
            yield client
    assert fake.violations == []


@asynccontextmanager
async def _github(connector: AnyConnector, _: Path) -> AsyncGenerator[Client]:
    fake = seeded_github()
    with serving_github(fake):
        async with _client(connector, url=fake.url, token=fake.token()) as client:
            yield client
    assert fake.violations == []


@asynccontextmanager
async def _postgres(connector: AnyConnector, _: Path) -> AsyncGenerator[Client]:
    asyncpg: Any = import_module("asyncpg")  # it ships no types
    with running_postgres() as server:
        for database, sql in (
            ("postgres", "CREATE DATABASE shop"),
            ("shop", (_DATA / "shop.sql").read_text("utf-8")),
        ):
            connection = await asyncpg.connect(url_of(server, database))
            await connection.execute(sql)
            await connection.close()
        async with _client(connector, url=url_of(server, "shop"), writes=True) as client:
            yield client


@asynccontextmanager
async def _vector(connector: AnyConnector, folder: Path) -> AsyncGenerator[Client]:
    for name, text in _PAGES.items():
        (folder / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "docs" / name).write_text(text, encoding="utf-8")
    settings = connector.settings.model_validate({"store": f"edge://{folder}/store"})
    async with connector.connect(settings, Services(Cursors(os.urandom(32)))) as upstream:
        index = next(one for one in connector.commands if one.name == "index")
        parser = ArgumentParser()
        index.arguments(parser)
        options = parser.parse_args([str(folder / "docs"), "--base-url", "https://docs.example.com"])
        assert await index.run(upstream, options, print) == 0
        async with bench(
            connector.configured(settings), settings=settings, upstream=upstream, policy=_POLICY
        ) as at:
            yield at.client


_STANDS: Mapping[str, Stand] = {
    "slack": _slack,
    "gdrive": _gdrive,
    "github": _github,
    "postgres": _postgres,
    "vector": _vector,
}


def stand_of(name: str, folder: Path) -> AbstractAsyncContextManager[Client]:
    """A client of the connector of this name."""
    return _STANDS[name](connectors()[name], folder)


@asynccontextmanager
async def _client(connector: AnyConnector, **settings: Any) -> AsyncGenerator[Client]:
    made = connector.settings.model_validate(settings)
    async with bench(connector.configured(made), settings=made, policy=_POLICY) as at:
        yield at.client
