"""A client of the Slack connector in front of a fake Slack."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from mcp.client import Client
from mcp_types import CallToolResult, TextContent

from ringmain_core.testing import Bench, bench
from ringmain_slack import connector
from ringmain_slack.settings import SlackSettings
from standins.slack.channel import Channel
from standins.slack.state import FakeSlack

EVERYTHING = "public,private,dm,group"


def token_of(fake: FakeSlack, label: str) -> str:
    return next(one.value for one in fake.tokens.values() if one.label == label)


def settings_for(fake: FakeSlack, label: str = "bot", **more: Any) -> SlackSettings:
    """Settings of one workspace, with every kind of conversation."""
    return SlackSettings.model_validate(
        {"url": fake.url, "token": token_of(fake, label), "conversations": EVERYTHING, **more}
    )


@asynccontextmanager
async def bench_of(
    fake: FakeSlack, label: str = "bot", *, settings: SlackSettings | None = None, **more: Any
) -> AsyncGenerator[Bench]:
    """The connector and a client of it; `more` is for `bench`."""
    async with bench(connector, settings=settings or settings_for(fake, label), **more) as at:
        yield at


@asynccontextmanager
async def client_of(fake: FakeSlack, label: str = "bot", **more: Any) -> AsyncGenerator[Client]:
    """A client of the connector, with the token of this label; `more` is for `bench_of`."""
    async with bench_of(fake, label, **more) as at:
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


def named(fake: FakeSlack, name: str) -> Channel:
    found = fake.team.named_channel(name)
    assert found is not None
    return found
