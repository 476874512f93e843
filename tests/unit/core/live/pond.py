"""A connector whose resources change when a test stirs them, and servers of it under a policy to change."""

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import anyio
from mcp.client import Client
from mcp.client.subscriptions import ServerEvent, Subscription

from ringmain_core.arguments import Upstream
from ringmain_core.call import Call
from ringmain_core.connector import Check, Connector
from ringmain_core.errors import NotFound, UpstreamUnavailable
from ringmain_core.live.hub import LiveServer
from ringmain_core.live.watch import Variables, Watch
from ringmain_core.policy import Grant, Policy
from ringmain_core.policy_file import parse_policy
from ringmain_core.principal import LOCAL, Principal
from ringmain_core.server import build_server
from ringmain_core.services import Services
from ringmain_core.settings import ConnectorSettings, CoreSettings
from ringmain_core.testing import CapturedAudit, bench
from ringmain_core.tooling import resource, tool

SOON = 5.0
"""Seconds in which everything here must have happened."""


class Pond(Upstream):
    """Waters that are known, and how they are watched.

    Attributes:
        watched: How many watch each water now.
        begun: How often each has been begun to be watched.
        seen: How often each was seen to have changed.
        broken: While it is true, nothing can be watched.
        frozen: Where there is one, watching begins when it is set.
    """

    def __init__(self) -> None:
        self.known = {f"w{number}" for number in range(300)} | {"secret"}
        self.watched: Counter[str] = Counter()
        self.begun: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.broken = False
        self.frozen: anyio.Event | None = None
        self.reachable = True
        self._bells: dict[str, anyio.Event] = {}
        self._moved = anyio.Event()

    def stir(self, name: str) -> None:
        if name in self._bells:
            self._bells[name].set()

    def break_down(self) -> None:
        self.broken = True
        for bell in self._bells.values():
            bell.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something about the watching has become true."""
        with anyio.fail_after(SOON):
            while not condition():
                self._moved = anyio.Event()
                await self._moved.wait()

    async def changes(self, name: str) -> AsyncGenerator[None]:
        self.begun[name] += 1
        if self.broken:
            raise ConnectionError("no water")
        if self.frozen is not None:
            await self.frozen.wait()
        bell = self._bells[name] = anyio.Event()
        self.watched[name] += 1
        self._moved.set()
        try:
            while True:
                yield
                await bell.wait()
                bell = self._bells[name] = anyio.Event()
                self.seen[name] += 1
                self._moved.set()
                if self.broken:
                    raise ConnectionError("no water")
        finally:
            self.watched[name] -= 1
            self._moved.set()


@tool(access="read", title="Fish")
async def fish() -> str:
    """Catch one."""
    return "a fish"


@resource("pond://about", title="About")
async def about() -> str:
    """What this is."""
    return "a pond"


@resource("pond://water/{name}", title="Water")
async def water(name: str) -> str:
    """How the water is."""
    return name


def _changes(pond: Pond, variables: Variables) -> AsyncGenerator[None]:
    return pond.changes(variables["name"])


def _permits(_: Pond, grant: Grant, variables: Variables) -> bool:
    return grant.fence("pond.water").admits(variables["name"])


async def _check(pond: Pond, call: Call, variables: Variables) -> None:
    assert call.fence("water").admits(variables["name"])
    if not pond.reachable:
        raise UpstreamUnavailable("The pond cannot be reached. Try again.", retry_after_ms=100)
    if variables["name"] not in pond.known:
        raise NotFound("no such water")


@asynccontextmanager
async def _connect(_: ConnectorSettings, __: Services) -> AsyncGenerator[Pond]:
    yield Pond()


async def _ready(_: Pond) -> None: ...


async def _diagnose(_: Pond) -> AsyncIterator[Check]:
    yield Check("pond", "ok", "wet")


class PondConnector(Connector[ConnectorSettings, Pond]):
    @property
    def version(self) -> str:
        return "1.2.3"


connector = PondConnector(
    name="pond",
    title="Pond",
    instructions="Try it.",
    settings=ConnectorSettings,
    connect=_connect,
    ready=_ready,
    diagnose=_diagnose,
    tools=(fish,),
    resources=(about, water),
    fences=("water",),
    watches={"water": Watch(_changes, _permits, _check)},
)

POLICY = """
[roles.all]
allow = ["pond:read"]
limits = { rate = "1000/s", burst = 1000 }

[[agents]]
id = "local"
roles = ["all"]
"""


def parsed(policy: str) -> Policy:
    return parse_policy(policy, "policy.toml", connector.vocabulary())


def uri(name: str) -> str:
    return f"pond://water/{name}"


@dataclass
class AtPond:
    """A pond, its server, and the policy in force."""

    pond: Pond
    server: LiveServer[Any]
    audit: CapturedAudit
    stack: AsyncExitStack
    policy: list[Policy]
    told: list[Any] = field(default_factory=list[Any])
    _something: anyio.Event = field(default_factory=anyio.Event)

    async def client(self, **options: Any) -> Client:
        return await self.stack.enter_async_context(Client(self.server, **options))

    async def old_client(self) -> Client:
        """One of 2025-11-25; what it is told beside its requests is in `told`."""

        async def note(message: Any) -> None:
            self.told.append(message)
            self._something.set()

        client = await self.client(mode="legacy", message_handler=note)
        await client.list_tools()  # what came before it has been seen to: the session is known
        return client

    async def told_of(self, count: int) -> list[tuple[str, str]]:
        """The first things that old clients are told: method and URI."""
        with anyio.fail_after(SOON):
            while len(self.told) < count:
                self._something = anyio.Event()
                await self._something.wait()
        return [(each.method, getattr(each.params, "uri", "")) for each in self.told[:count]]

    def reload(self, policy: str) -> None:
        """Put another policy in force, as after SIGHUP."""
        self.policy[0] = parsed(policy)
        self.server.live.policy_changed()


@asynccontextmanager
async def at_pond(
    policy: str = POLICY, *, principal: Principal = LOCAL, core: CoreSettings | None = None, **runtime: Any
) -> AsyncGenerator[AtPond]:
    """A server without waiting times worth mentioning."""
    pond = Pond()
    first = parsed(policy)
    async with bench(connector, upstream=pond, principal=principal, policy=first, core=core) as at:
        in_force = [first]
        changed = replace(at.runtime, policy=lambda: in_force[0], **runtime)
        server = build_server(connector, pond, changed)
        server.live.watchers.grace = 0.02
        server.live.watchers.quiet = 0.01
        async with AsyncExitStack() as stack:
            yield AtPond(pond, server, at.audit, stack, in_force)


async def events(subscription: Subscription, count: int) -> list[ServerEvent]:
    """The next events of a stream."""
    with anyio.fail_after(SOON):
        return [await anext(subscription) for _ in range(count)]


async def to_the_end(subscription: Subscription) -> list[ServerEvent]:
    """What a stream still says before the server ends it."""
    with anyio.fail_after(SOON):
        return [event async for event in subscription]
