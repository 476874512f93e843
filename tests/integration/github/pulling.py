"""Tools called on the stand-in's pull request 4, and what of it was written."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from mcp.client import Client

from integration.github.working import settings_for, text_of
from ringmain_core.testing import bench
from ringmain_github import connector
from standins.github.faults import Fault
from standins.github.state import FakeGitHub

REPO = {"repo": "acme/widgets"}
PULL = {**REPO, "number": 4}
# Nobody is there to confirm; where somebody is, tests say so.
POLICY = """
[roles.all]
allow = ["github:*"]
confirm = []
[[agents]]
id = "local"
roles = ["all"]
"""


@asynccontextmanager
async def client_of(fake: FakeGitHub, policy: str | None = POLICY, **more: Any) -> AsyncGenerator[Client]:
    """A client of the connector; `more` is for `bench`."""
    async with bench(connector, settings=settings_for(fake.url, fake.token()), policy=policy, **more) as at:
        yield at.client


async def call(client: Client, tool: str, arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    result = await client.call_tool(tool, dict(arguments))
    assert not result.is_error, text_of(result)
    return text_of(result), dict(result.structured_content or {})


async def structured(client: Client, tool: str, /, **arguments: Any) -> dict[str, Any]:
    return (await call(client, tool, arguments))[1]


async def refusal(client: Client, tool: str, arguments: Mapping[str, Any]) -> str:
    result = await client.call_tool(tool, dict(arguments))
    assert result.is_error
    return text_of(result)


def head(fake: FakeGitHub) -> str:
    """The head of pull request 4."""
    return fake.repositories["acme/widgets"].sha("feature")


def code_of(result: Any) -> str:
    """What a failed call says to programs."""
    return result.meta["dev.ringmain/error"]["code"]


async def parts_of(client: Client, part: str, most: int = 24_000, **arguments: Any) -> list[str]:
    """A part of a pull request, page by page to its end."""
    pages: list[str] = []
    cursor: str | None = None
    while cursor is not None or not pages:
        more = {} if cursor is None else {"cursor": cursor}
        said, page = await call(client, "get_pull_request", {**PULL, **arguments, "include": [part], **more})
        assert len(said.encode()) <= most
        assert len(json.dumps(page, ensure_ascii=False).encode()) <= most
        pages.append(page["parts"].get(part, ""))
        cursor = page.get("next_cursor")
    return pages


def writes(fake: FakeGitHub) -> list[tuple[str, str]]:
    """What was asked for that changes something."""
    return [
        (one.method, one.path)
        for one in fake.requests
        if one.method != "GET" and not (one.path == "/graphql" and "mutation" not in one.body["query"])
    ]


@dataclass
class Second(Fault):
    """A fault that lets the first fitting request pass, strikes the second, and is over."""

    seen: int = 0
    at: ClassVar[int] = 2

    def take(self, method: str, path: str) -> bool:
        if not self.fits(method, path):
            return False
        self.seen += 1
        return self.seen == self.at


class Third(Second):
    """The same for the third one."""

    at = 3


def lose(fake: FakeGitHub, path: str, method: str, look: str) -> None:
    """Lose the answer of a write, and the look that follows it, once; what came before it is answered."""
    fake.fault(path, method, "done-cut")
    fake.faults.append(Second(look, "GET", "403", None))
