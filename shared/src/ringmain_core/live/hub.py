"""Puts the parts of live resources together, for one server."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import anyio
import mcp_types as types
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.shared.subscriptions import ResourceUpdated
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from ringmain_core.arguments import Upstream
from ringmain_core.connector import AnyConnector
from ringmain_core.gates.audit import Trail
from ringmain_core.live.admission import Admission
from ringmain_core.live.bus import Bus
from ringmain_core.live.hearing import Hearing
from ringmain_core.live.listen import Listen
from ringmain_core.live.sessions import Sessions
from ringmain_core.live.watchers import Watchers
from ringmain_core.policy import Policy
from ringmain_core.principal import Principal
from ringmain_core.settings import CoreSettings
from ringmain_core.state import State

UpstreamT = TypeVar("UpstreamT", bound=Upstream)

_STOPS_WITHIN = 4.0


def _nothing() -> None: ...


class Live:
    """What a server tells its clients without being asked.

    Args:
        upstream: What is watched.
        local: Who calls where the transport cannot say (stdio); `None` stands for HTTP.
    """

    def __init__(
        self,
        connector: AnyConnector,
        upstream: Upstream,
        core: CoreSettings,
        policy: Callable[[], Policy],
        trail: Trail,
        state: State,
        local: Principal | None,
    ) -> None:
        over_http = local is None
        self.has_watches = bool(connector.watches)
        self.in_streams = not over_http or core.responses == "sse"
        self.in_sessions = not over_http or core.keeps_sessions
        self._running = 0
        self._stop: Callable[[], None] = _nothing
        self.watchers = Watchers(upstream, lambda uri: self._bus.tell(ResourceUpdated(uri)))
        self._bus = Bus(state, self.watchers.uris)
        hearing = Hearing(connector, upstream, policy)
        admission = Admission(hearing, self.watchers, trail, core.call_timeout)
        self.listen = Listen(hearing, admission, self._bus, streaming=self.in_streams)
        self.sessions = Sessions(hearing, admission, self._bus, local)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """What must surround the serving, once or for each of several clients."""
        self._running += 1
        if self._running == 1:
            self._stop = self._bus.open()
        try:
            yield
        finally:
            self._running -= 1
            if self._running == 0:
                self._stop()
                with anyio.move_on_after(_STOPS_WITHIN, shield=True):
                    await self.sessions.close()
                    await self.watchers.close()

    async def publish(self, uri: str) -> None:
        """Say that a resource has changed, which only this process knows; every replica tells its clients."""
        await self._bus.publish(ResourceUpdated(uri))

    def policy_changed(self) -> None:
        """To be called when another policy is in force."""
        self.listen.policy_changed()
        self.sessions.policy_changed()

    def close(self) -> None:
        """End the listen streams: each still gets what waits for it, and its result."""
        self.listen.close()


class LiveServer(Server[UpstreamT]):
    """An MCP server that states what it tells of by itself: no more and no less than it does."""

    live: Live

    def tell(self, live: Live) -> None:
        """Let clients listen; it has to be said before anything is served."""
        self.live = live
        self.add_request_handler("subscriptions/listen", types.SubscriptionsListenRequestParams, live.listen)
        self.add_request_handler("resources/subscribe", types.SubscribeRequestParams, live.sessions.subscribe)
        self.add_request_handler(
            "resources/unsubscribe", types.UnsubscribeRequestParams, live.sessions.unsubscribe
        )
        self.add_notification_handler(
            "notifications/initialized", types.NotificationParams, live.sessions.initialized
        )

    def get_capabilities(
        self,
        notification_options: NotificationOptions | None = None,
        experimental_capabilities: dict[str, dict[str, Any]] | None = None,
        extensions: dict[str, dict[str, Any]] | None = None,
        *,
        protocol_version: str | None = None,
    ) -> types.ServerCapabilities:
        stated = super().get_capabilities(
            notification_options, experimental_capabilities, extensions, protocol_version=protocol_version
        )
        modern = protocol_version in MODERN_PROTOCOL_VERSIONS
        tells = self.live.in_streams if modern else self.live.in_sessions
        for capability in (stated.tools, stated.prompts, stated.resources):
            if capability is not None:
                capability.list_changed = tells
        if stated.resources is not None:
            stated.resources.subscribe = tells and self.live.has_watches
        return stated
