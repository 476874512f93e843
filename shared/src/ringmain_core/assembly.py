"""Puts a server together with all that a process has around it: opened in order, closed in reverse."""

import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringmain_core.arguments import Upstream
from ringmain_core.audit import AuditKey, AuditLog
from ringmain_core.connector import AnyConnector
from ringmain_core.cursors import Cursors
from ringmain_core.gates.audit import Trail
from ringmain_core.log import Redactor, secrets_in
from ringmain_core.on_disk import PolicyStore, audit_key, key_ring, opened_audit, opened_state
from ringmain_core.principal import Principal
from ringmain_core.refusals import Refusal
from ringmain_core.sealing import KeyRing
from ringmain_core.secrets import Secrets
from ringmain_core.server import Runtime, build_server
from ringmain_core.services import Services
from ringmain_core.settings import ConnectorSettings, CoreSettings
from ringmain_core.state import State
from ringmain_core.state.local import LocalState
from ringmain_core.telemetry.opened import Telemetry, opened_telemetry
from ringmain_core.upstream.opened import opened_resilience

if TYPE_CHECKING:
    from starlette.routing import Route as Page

    from ringmain_core.identity.accounts.accounts import Accounts
    from ringmain_core.live.hub import LiveServer
    from ringmain_core.telemetry.scraping import Port
    from ringmain_core.transport.front import Route


@dataclass(frozen=True)
class Assembly:
    """A server and its surroundings.

    Attributes:
        server: What answers.
        upstream: The connector's client.
        audit: Where everything goes on record.
        state: What replicas agree on.
        telemetry: What is counted and traced.
        trail: Turns calls into records.
        pages: For browsers, beside those that every server has.
    """

    server: "LiveServer[Upstream]"
    upstream: Upstream
    audit: AuditLog
    state: State
    telemetry: Telemetry
    trail: Trail
    pages: "Sequence[Page]"

    def record_unserved(self, refusal: Refusal, principal: Principal, route: "Route | None") -> None:
        """Put on record, and count, a request that was refused before it became a call."""
        self.telemetry.unserved(refusal)
        self.trail.write_unserved(refusal, principal, route)


@asynccontextmanager
async def assembled(
    connector: AnyConnector,
    core: CoreSettings,
    settings: ConnectorSettings,
    secrets: Secrets,
    policies: PolicyStore,
    *,
    local: Principal | None = None,
    listener: socket.socket | None = None,
    metrics: "Port | None" = None,
) -> AsyncGenerator[Assembly]:
    """Put together a server for as long as the block runs.

    Args:
        connector: What is served.
        core: Settings that every connector has.
        settings: The connector's own.
        secrets: Those that the settings refer to.
        policies: The policy in force.
        local: Who calls where the transport cannot say.
        listener: What takes connections, where the server is reached over HTTP.
        metrics: Where Prometheus reads.

    Raises:
        ConfigurationError: Where some setting cannot be used.
    """
    keys = key_ring(core)
    async with AsyncExitStack() as stack:
        telemetry = stack.enter_context(opened_telemetry(connector, core, metrics))
        audit = stack.enter_context(opened_audit(connector, core))
        await stack.enter_async_context(secrets.kept_fresh(core.secrets_refresh))
        state = await stack.enter_async_context(opened_state(connector, core))
        resilience = await stack.enter_async_context(
            opened_resilience(connector.name, core, state, keys, telemetry.signals)
        )
        trail = _trail(connector, core, settings, secrets, keys, audit)
        accounts, pages = await _opened_accounts(stack, connector, core, settings, keys, trail, listener)
        services = Services(
            Cursors(*keys.derive("cursors")),
            state=state,
            secrets=secrets,
            accounts=accounts,
            guards=resilience.guards,
        )
        upstream = await stack.enter_async_context(connector.connect(settings, services))
        secrets.on_change(policies.keys_changed)
        telemetry.watch_audit(lambda: audit.stats)
        if isinstance(state, LocalState):
            telemetry.watch_meters(lambda: state.meters.count)
        runtime = Runtime(
            core=core,
            policy=lambda: policies.current,
            trail=trail,
            local=local,
            keys=keys,
            state=state,
            answers=resilience.answers,
            observers=telemetry.gates,
        )
        server = build_server(connector, upstream, runtime)
        yield Assembly(server, upstream, audit, state, telemetry, trail, pages)


async def _opened_accounts(
    stack: AsyncExitStack,
    connector: AnyConnector,
    core: CoreSettings,
    settings: ConnectorSettings,
    keys: KeyRing,
    trail: Trail,
    listener: socket.socket | None,
) -> "tuple[Accounts | None, Sequence[Page]]":
    if connector.provider(settings) is None:
        return None, ()
    from ringmain_core.identity.accounts.opened import local_accounts, served_accounts

    if listener is None:
        return await stack.enter_async_context(
            local_accounts(connector, core, settings, keys, trail.write_account)
        ), ()
    port = listener.getsockname()[1]
    return await stack.enter_async_context(
        served_accounts(connector, core, settings, keys, port, trail.write_account)
    )


def _trail(
    connector: AnyConnector,
    core: CoreSettings,
    settings: ConnectorSettings,
    secrets: Secrets,
    keys: KeyRing,
    audit: AuditLog,
) -> Trail:
    key = AuditKey(keys.derive("audit answers")[0]) if core.audit == "off" else audit_key(core)
    keep = None
    if core.audit_results == "text":
        keep = Redactor(secrets_in(core, settings))
        secrets.teach(keep.learn)
    return Trail(connector.name, audit, key.mac_of_answer, keep)
