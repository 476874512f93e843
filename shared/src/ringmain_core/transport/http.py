"""MCP over HTTP: the app with its routes, and the process that serves it."""

import logging
import signal
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

import anyio
import uvicorn
from fastapi import FastAPI, Response
from fastapi_offline import FastAPIOffline
from mcp.server.runner import serve_dual_era_loop
from mcp.server.sse import SseServerTransport
from mcp.server.streamable_http import EventStore
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from pydantic import BaseModel
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from ringmain_core.connector import AnyConnector
from ringmain_core.errors import ConfigurationError
from ringmain_core.last_resort import GONE_WITHIN, exit_after
from ringmain_core.live.hub import LiveServer
from ringmain_core.policy import Policy
from ringmain_core.principal import Principal
from ringmain_core.refusals import Refusal
from ringmain_core.settings import CoreSettings
from ringmain_core.transport.direct import Direct
from ringmain_core.transport.front import Front, Route
from ringmain_core.transport.metadata import ResourceMetadata
from ringmain_core.transport.neighbours import Neighbours
from ringmain_core.versions import LATEST, VERSIONS, headers_of

_log = logging.getLogger(__name__)

_READY_WITHIN = 3.0
_READY_FOR = 1.0
_DRAIN_SECONDS = 20
_RECONNECT_AFTER_MS = 1_000


class Health(BaseModel):
    """How the process stands."""

    status: str
    reason: str = ""


class HttpApp:
    """The ASGI app of one connector.

    Args:
        server: What answers on the MCP paths.
        upstream: Handed to the connector's own readiness check.
        authenticate: Turns a credential into a principal, or `None`.
        record: Told of every request that is refused before it becomes a call.
        audit_healthy: Whether the audit can be written.
        policy: The policy in force at this moment: it says whose tokens are taken.
        trouble: What else is wrong, in words; empty where nothing is.
        event_store: Lets clients of 2025-11-25 resume a broken stream; without it they start again.
        pages: Further routes that need no credential, as those where accounts are connected.
    """

    def __init__(
        self,
        connector: AnyConnector,
        server: LiveServer[Any],
        upstream: object,
        core: CoreSettings,
        *,
        authenticate: Callable[[str], Awaitable[Principal | None]],
        record: Callable[[Refusal, Principal, Route | None], None],
        audit_healthy: Callable[[], bool],
        policy: Callable[[], Policy],
        trouble: Callable[[], str] = str,
        event_store: EventStore | None = None,
        pages: Sequence[BaseRoute] = (),
    ) -> None:
        self._connector = connector
        self._server = server
        self._upstream = upstream
        self._audit_healthy = audit_healthy
        self._trouble = trouble
        self._draining = False
        self._asking = anyio.Lock()
        self._asked_at = -_READY_FOR
        self._out_of_reach = ""
        self._manager = StreamableHTTPSessionManager(
            server,
            json_response=core.responses == "json",
            stateless=not core.keeps_sessions,
            event_store=event_store,
            retry_interval=_RECONNECT_AFTER_MS if event_store is not None else None,
            max_request_body_size=core.max_body_bytes,
        )
        streaming = core.responses != "json"
        manager = self._manager.asgi_app.app  # without its limit: the front has already kept ours
        direct = Direct(server, upstream, manager, streaming=streaming)
        routes = {f"/{version}/mcp": Route(direct, "http", version) for version in VERSIONS}
        if core.legacy_sse:
            sse = SseServerTransport("/v1/messages", max_request_body_size=core.max_body_bytes)
            routes["/v1/sse"] = Route(self._serve_sse(sse), "sse", "v1")
            routes["/v1/messages"] = Route(sse.handle_post_message, "sse", "v1")
        metadata = ResourceMetadata(connector, routes, core.public_url, policy)
        public_host = [urlsplit(core.public_url).netloc] if core.public_url is not None else []
        self.front = Front(
            routes=routes,
            pages=self._pages([*pages, *metadata.routes()]),
            neighbours=Neighbours([*core.allowed_hosts, *public_host], core.allowed_origins),
            challenge=metadata.challenge,
            authenticate=authenticate,
            record=record,
            max_body=core.max_body_bytes,
            resumable=event_store is not None,
            about_version=lambda version: headers_of(version, policy().content.versions),
        )
        self.asgi: ASGIApp = self.front

    def running(self) -> AbstractAsyncContextManager[None]:
        """What must surround all requests; an ASGI server enters it as the app's lifespan."""
        return self._manager.run()

    def _lifespan(self, _: FastAPI) -> AbstractAsyncContextManager[None]:
        return self.running()

    def drain(self) -> None:
        """Take no new work: readiness says so, and streams that would stay open for ever are ended."""
        self._draining = True
        self._server.live.close()
        self.front.close_streams()

    def _pages(self, more: Sequence[BaseRoute]) -> FastAPI:
        app = FastAPIOffline(
            title=self._connector.distribution,
            version=self._connector.version,
            description=f"{self._connector.title} over MCP: clients connect to `/{LATEST}/mcp`.",
            lifespan=self._lifespan,
            redoc_url=None,
        )
        app.router.routes.extend(more)

        @app.get("/healthz", tags=["health"])
        async def healthz() -> Health:  # pyright: ignore[reportUnusedFunction]
            """Whether the process lives. It never asks the system behind the connector."""
            return Health(status="ok")

        @app.get("/readyz", tags=["health"], responses={503: {"model": Health}})
        async def readyz(  # pyright: ignore[reportUnusedFunction]
            response: Response, own: bool = False
        ) -> Health:
            """Whether calls can be served now: not draining, audit writable, the system behind reachable.

            With `own=true` only what is this process's own: who sends requests elsewhere where one is not
            ready should ask so, for what all share is away from all of them, and they still have answers.
            """
            reason = self._own_trouble() if own else await self._reason_not_ready()
            if reason:
                response.status_code = 503
            return Health(status="not ready" if reason else "ok", reason=reason)

        return app

    def _own_trouble(self) -> str:
        if self._draining:
            return "draining"
        return "" if self._audit_healthy() else "the audit cannot be written"

    async def _reason_not_ready(self) -> str:
        if reason := self._own_trouble() or self._trouble():
            return reason
        async with self._asking:  # anybody may ask, but the system behind is asked once a second at most
            if time.monotonic() - self._asked_at >= _READY_FOR:
                self._out_of_reach = await self._ask_upstream()
                self._asked_at = time.monotonic()
        return self._out_of_reach

    async def _ask_upstream(self) -> str:
        try:
            with anyio.fail_after(_READY_WITHIN):
                await self._connector.ready(self._upstream)
        except Exception as error:  # noqa: BLE001 (whatever the reason, it is not ready)
            _log.warning("not ready: %s", type(error).__name__)
            return f"{self._connector.title} cannot be reached"
        return ""

    def _serve_sse(self, sse: SseServerTransport) -> ASGIApp:
        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["method"] != "GET":
                await Response(status_code=405, headers={"Allow": "GET"})(scope, receive, send)
                return
            async with sse.connect_sse(scope, receive, send) as (incoming, outgoing):
                await serve_dual_era_loop(self._server, incoming, outgoing, lifespan_state=self._upstream)

        return serve


class _DrainingServer(uvicorn.Server):
    """uvicorn, told to drain before it waits for its connections."""

    def __init__(self, config: uvicorn.Config, drain: Callable[[], None]) -> None:
        super().__init__(config)
        self._drain = drain

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.should_exit:
            exit_after(GONE_WITHIN, 1, "calls or connections do not come to an end")
        self._drain()
        super().handle_exit(sig, frame)


def listen(core: CoreSettings) -> socket.socket:
    """Take the address that the settings name; connections wait until `serve_http` answers them.

    Raises:
        ConfigurationError: Where it cannot be had.
    """
    family = socket.AF_INET6 if ":" in core.host else socket.AF_INET
    try:
        return socket.create_server((core.host, core.port), family=family, backlog=2048)
    except OSError as error:
        raise ConfigurationError(
            f"{core.host} port {core.port} cannot be listened on: {error.strerror}. "
            "Set RINGMAIN_HOST or RINGMAIN_PORT."
        ) from error


async def serve_http(
    app: HttpApp, core: CoreSettings, listener: socket.socket, *, announce: Callable[[str], None]
) -> None:
    """Listen until SIGTERM or SIGINT, then finish what is running.

    Args:
        app: What answers.
        core: Says what the address is called.
        listener: From `listen`, perhaps shared with other processes.
        announce: Told the URL once connections are taken.
    """
    config = uvicorn.Config(
        app.asgi,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        lifespan="on",
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )
    server = _DrainingServer(config, app.drain)
    if threading.current_thread() is threading.main_thread():
        # uvicorn raises the signal again at its end, which would end the process with everything still open.
        signal.signal(signal.SIGTERM, server.handle_exit)
    host = f"[{core.host}]" if listener.family == socket.AF_INET6 else core.host
    announce(f"http://{host}:{listener.getsockname()[1]}/{LATEST}/mcp")
    await server.serve(sockets=[listener])
