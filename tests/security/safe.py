"""A connector with a bit of everything that belongs to whoever made it: kept answers, keys, questions."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from mcp.client import Client

from ringmain_core.arguments import DryRun, IdempotencyKey, Upstream
from ringmain_core.call import Call
from ringmain_core.connector import Check, Connector
from ringmain_core.principal import Principal
from ringmain_core.server import build_server
from ringmain_core.services import Services
from ringmain_core.settings import ConnectorSettings
from ringmain_core.testing import Bench
from ringmain_core.tooling import tool
from ringmain_core.upstream.cache import Cache

ANN, BOB = Principal("ann", "api_key"), Principal("bob", "api_key")
POLICY = """
[roles.all]
allow = ["*:*"]
fence = { "safe.box" = ["*"] }
[roles.few]
allow = ["*:*"]
fence = { "safe.box" = ["low-*"] }
[[agents]]
id = "ann"
roles = ["all"]
[[agents]]
id = "bob"
roles = ["few"]
"""


class Safe(Upstream):
    """Counts how often it is really asked.

    Attributes:
        kept: What was put into it, by whom.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.kept: list[tuple[str, str]] = []


@tool(access="read", title="Look", cache=Cache(ttl=600))
async def look(safe: Safe, call: Call, box: str) -> str:
    """Look into a box."""
    safe.asked.append(call.principal.id)
    return f"{box}, as {call.principal.id} sees it ({call.fence('box').describe()})"


@tool(access="write", title="Keep")
async def keep(
    safe: Safe,
    call: Call,
    text: str,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core acts on it)
) -> str:
    """Put something in."""
    if not dry_run:
        safe.kept.append((call.principal.id, text))
    return f"kept for {call.principal.id}"


@asynccontextmanager
async def _connect(_: ConnectorSettings, __: Services) -> AsyncGenerator[Safe]:
    yield Safe()


async def _ready(_: Safe) -> None: ...


async def _diagnose(_: Safe) -> AsyncIterator[Check]:
    yield Check("safe", "ok", "locked")


class SafeConnector(Connector[ConnectorSettings, Safe]):
    @property
    def version(self) -> str:
        return "1.2.3"


connector = SafeConnector(
    name="safe",
    title="Safe",
    instructions="",
    fences=("box",),
    settings=ConnectorSettings,
    connect=_connect,
    ready=_ready,
    diagnose=_diagnose,
    tools=(look, keep),
)


@asynccontextmanager
async def beside(at: Bench, safe: Safe, principal: Principal) -> AsyncGenerator[Client]:
    """Another caller of the same process: same state, same kept answers, same keys."""
    async with Client(build_server(connector, safe, replace(at.runtime, local=principal))) as client:
        yield client
