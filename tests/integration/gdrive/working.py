"""A client of the Drive connector in front of a fake Drive."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from mcp.client import Client, ClientRequestContext
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult, TextContent

from ringmain_core.testing import Bench, bench
from ringmain_gdrive import connector
from ringmain_gdrive.permissions import LEAST
from ringmain_gdrive.settings import GDriveSettings
from standins.gdrive.state import FakeDrive

_WRITING = frozenset({"create", "update", "copy", "delete", "emptyTrash", "resolve"})
ADA, BO, CLEO, ZOE = "ada@acme.example", "bo@acme.example", "cleo@acme.example", "zoe@other.example"


def settings_for(fake: FakeDrive, who: str = ADA, **more: Any) -> GDriveSettings:
    """Settings with a service account that acts for somebody, and may do everything."""
    info = fake.service_account("robot@project.example", delegated=[ADA, BO, CLEO], scopes=LEAST)
    return GDriveSettings.model_validate(
        {
            "url": fake.url,
            "service_account_key": json.dumps(info),
            "subject": who,
            "access": "full",
            "token_url": f"{fake.url}/token",
            **more,
        }
    )


@asynccontextmanager
async def bench_of(fake: FakeDrive, who: str = ADA, **more: Any) -> AsyncGenerator[Bench]:
    """The connector and a client of it; `settings` are of `settings_for`, all else is for `bench`."""
    changed: dict[str, Any] = more.pop("settings", {})
    async with bench(connector, settings=settings_for(fake, who, **changed), **more) as at:
        yield at


@asynccontextmanager
async def client_of(fake: FakeDrive, who: str = ADA, **more: Any) -> AsyncGenerator[Client]:
    """A client of the connector that works for somebody; `more` is for `bench_of`."""
    async with bench_of(fake, who, **more) as at:
        yield at.client


async def call(client: Client, tool: str, /, **arguments: Any) -> tuple[str, dict[str, Any]]:
    """What a tool says, and its structured content."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    return text_of(result), dict(result.structured_content or {})


async def refusal(client: Client, tool: str, /, **arguments: Any) -> tuple[str, Mapping[str, Any]]:
    """What a tool says when it fails: the text, and the error's fields."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error, text_of(result)
    meta: Mapping[str, Any] = result.meta or {}
    return text_of(result), meta["dev.ringmain/error"]


def text_of(result: CallToolResult) -> str:
    return "\n".join(part.text for part in result.content if isinstance(part, TextContent))


def fenced(*patterns: str, access: str = "*") -> str:
    """A policy for whoever runs the process, with a fence of folders."""
    return f"""
[roles.agent]
allow = ["gdrive:{access}"]
fence = {{ "gdrive.folder" = {json.dumps(list(patterns))} }}
[[agents]]
id = "local"
roles = ["agent"]
"""


class Person:
    """Answers what the client is asked, and remembers it."""

    def __init__(self, *, says_yes: bool = True) -> None:
        self.asked: list[str] = []
        self._says_yes = says_yes

    async def __call__(self, _: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        self.asked.append(params.message)
        return ElicitResult(action="accept", content={"confirm": self._says_yes})


def writes(fake: FakeDrive) -> list[str]:
    """The methods by which something was changed, or was to be, in their order."""
    paths = [one.method.removeprefix("drive.") for one in fake.requests]
    return [one for one in paths if one.rpartition(".")[2] in _WRITING]
