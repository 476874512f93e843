"""For tests of connectors: `bench()` puts a connector, its gates and a real client together in memory."""

import errno
import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from mcp.client import Client
from mcp.server.lowlevel import Server

from ringmain_core.arguments import Upstream
from ringmain_core.audit import AuditKey, AuditLog
from ringmain_core.audit.chain import Chain
from ringmain_core.connector import AnyConnector
from ringmain_core.cursors import Cursors
from ringmain_core.gates.audit import Trail
from ringmain_core.policy import Policy, open_to
from ringmain_core.policy_file import parse_policy
from ringmain_core.principal import LOCAL, Principal
from ringmain_core.sealing import KeyRing
from ringmain_core.server import Runtime, build_server
from ringmain_core.services import Services
from ringmain_core.settings import ConnectorSettings, CoreSettings
from ringmain_core.state.local import LocalState


class CapturedAudit:
    """An audit sink that keeps the records, and can be broken.

    Attributes:
        records: What was written so far, as the log's lines would have it, without number, time and seal.
        broken: While it is true, nothing can be written, as on a full disk.
    """

    def __init__(self) -> None:
        self.chain: Chain | None = None
        self.records: list[dict[str, Any]] = []
        self.broken = False

    def write(self, values: dict[str, Any]) -> None:
        if self.broken:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.records.append(values)

    def sync(self) -> None:
        pass

    def close(self) -> None:
        pass

    def head(self) -> bytes:
        return b""


@dataclass(frozen=True, slots=True)
class Bench:
    """A connector at work.

    Attributes:
        client: Connected; what it calls passes every gate.
        audit: What the calls left on record.
        runtime: What the process would have provided.
        server: The server itself, for further clients.
    """

    client: Client
    audit: CapturedAudit
    runtime: Runtime
    server: Server[Any]


@asynccontextmanager
async def bench(
    connector: AnyConnector,
    *,
    upstream: Upstream | None = None,
    principal: Principal = LOCAL,
    policy: Policy | str | None = None,
    settings: ConnectorSettings | None = None,
    core: CoreSettings | None = None,
    **client: Any,
) -> AsyncGenerator[Bench]:
    """Serve a connector to a client in the same process: no sockets, no files, nothing to clean up.

    ```python
    async with bench(connector, upstream=FakeSlack(), policy=POLICY, principal=BOT) as at:
        result = await at.client.call_tool("search", {"query": "outage"})
        assert at.audit.records[-1]["outcome"] == "ok"
    ```

    Args:
        connector: What is tested.
        upstream: A stand-in for the connector's client; without one, `connector.connect` makes a real one.
        principal: Who calls.
        policy: A policy file's text, or a policy; without one the principal may use everything.
        settings: The connector's settings, for `connect`; by default from the environment.
        core: The settings that every connector has; by default from the environment.
        client: Options of `mcp.client.Client`; `mode="legacy"` speaks 2025-11-25.
    """
    if policy is None:
        policy = open_to(principal.id)
    elif isinstance(policy, str):
        policy = parse_policy(policy, "policy.toml", connector.vocabulary())
    in_force = policy
    audit = CapturedAudit()
    secret = os.urandom(32)
    async with AsyncExitStack() as stack:
        log = stack.enter_context(AuditLog(audit, sync_interval=1.0))
        trail = Trail(connector.name, log, AuditKey(secret).mac_of_answer, str)
        state = LocalState()
        stack.push_async_callback(state.close)
        keys = KeyRing([secret])
        runtime = Runtime(core or CoreSettings(), lambda: in_force, trail, principal, keys, state)
        behind = upstream
        if behind is None:
            connecting = connector.connect(
                settings or connector.settings(), Services(Cursors(secret), state=state)
            )
            behind = cast("Upstream", await stack.enter_async_context(connecting))
        server = build_server(connector, behind, runtime)
        connected = await stack.enter_async_context(Client(server, **client))
        yield Bench(connected, audit, runtime, server)
