"""Serves the fixture with every gate on, over HTTP (`python -m conformance.serve http`) or stdio."""

import asyncio
import os
import sys
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http import EventCallback, EventMessage, EventStore
from mcp.server.subscriptions import ListenHandler
from starlette.types import ASGIApp, Receive, Scope, Send

from conformance.everything import connector
from conformance.upstream import Everything
from ringmain_core.assembly import assembled
from ringmain_core.cli import run
from ringmain_core.identity.api_keys import ApiKeys
from ringmain_core.identity.credentials import Credentials
from ringmain_core.identity.jwt import Tokens
from ringmain_core.on_disk import PolicyStore, key_file
from ringmain_core.secrets import Secrets
from ringmain_core.settings import ConnectorSettings, CoreSettings
from ringmain_core.transport.http import HttpApp, listen, serve_http

Context = ServerRequestContext[Everything, Any]


class WithKey:
    """Adds the API key, which the suite has no way to send, as a proxy would; changes nothing else."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app = app
        self._header = (b"authorization", f"Bearer {key}".encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and all(name != b"authorization" for name, _ in scope["headers"]):
            scope = {**scope, "headers": [*scope["headers"], self._header]}
        await self._app(scope, receive, send)


class Events(EventStore):
    """Keeps every event of one client, so that it can come back for what it missed."""

    def __init__(self) -> None:
        self._kept: list[tuple[str, types.JSONRPCMessage | None]] = []

    async def store_event(self, stream_id: str, message: types.JSONRPCMessage | None) -> str:
        self._kept.append((stream_id, message))
        return str(len(self._kept))

    async def replay_events_after(self, last_event_id: str, send_callback: EventCallback) -> str | None:
        seen = int(last_event_id)
        stream = self._kept[seen - 1][0]
        for number, (stream_id, message) in enumerate(self._kept[seen:], start=seen + 1):
            if stream_id == stream and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream


def add_what_only_the_suite_needs(server: Server[Any], upstream: Everything) -> None:
    """Methods that connectors do not have, and a stream that is closed under a call."""

    async def accept(_: Context, __: types.RequestParams) -> types.EmptyResult:
        return types.EmptyResult()

    server.add_request_handler("logging/setLevel", types.SetLevelRequestParams, accept)
    server.add_request_handler("resources/subscribe", types.SubscribeRequestParams, accept)
    server.add_request_handler("resources/unsubscribe", types.UnsubscribeRequestParams, accept)
    server.add_request_handler(
        "subscriptions/listen", types.SubscriptionsListenRequestParams, ListenHandler(upstream.bus)
    )
    calls = server.get_request_handler("tools/call")
    assert calls is not None

    async def close_stream_first(ctx: Context, params: types.CallToolRequestParams) -> Any:
        if params.name == "test_reconnection" and ctx.close_sse_stream is not None:
            await ctx.close_sse_stream()
        return await calls.handler(ctx, params)

    server.add_request_handler("tools/call", types.CallToolRequestParams, close_stream_first)


def _announce(url: str) -> None:
    sys.stdout.write(f"{url}\n")
    sys.stdout.flush()


async def serve(core: CoreSettings, key: str) -> None:
    """Like `run_http` of the core, with the additions of this module."""
    secrets = Secrets()
    policies = PolicyStore(connector, core.policy, secrets)
    tokens = Tokens(lambda: policies.current)
    credentials = Credentials(ApiKeys(key_file(core)), tokens, lambda: policies.current)
    listener = listen(core)
    async with assembled(connector, core, ConnectorSettings(), secrets, policies, listener=listener) as parts:
        assert isinstance(parts.upstream, Everything)
        add_what_only_the_suite_needs(parts.server, parts.upstream)
        app = HttpApp(
            connector,
            parts.server,
            parts.upstream,
            core,
            authenticate=credentials.recognise,
            record=parts.record_unserved,
            audit_healthy=lambda: parts.audit.stats.healthy,
            policy=lambda: policies.current,
            event_store=Events(),
        )
        app.asgi = WithKey(app.asgi, key)
        await serve_http(app, core, listener, announce=_announce)


if __name__ == "__main__":
    if sys.argv[1:] == ["http"]:
        asyncio.run(serve(CoreSettings(), os.environ["CONFORMANCE_KEY"]))
    else:
        sys.exit(run(connector))
