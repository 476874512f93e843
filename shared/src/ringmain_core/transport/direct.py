"""Plain tool calls of 2026-07-28: the SDK's checks and kernel, without what it builds for streams."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from copy import copy
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

import anyio
from mcp.server.connection import Connection
from mcp.server.lowlevel.server import Server
from mcp.server.runner import ServerRunner, modern_error_data
from mcp.server.streamable_http import check_accept_headers
from mcp.shared.dispatcher import CallOptions
from mcp.shared.exceptions import NoBackChannelError
from mcp.shared.inbound import ERROR_CODE_HTTP_STATUS, InboundModernRoute, classify_inbound_request
from mcp.shared.message import ServerMessageMetadata
from mcp.shared.transport_context import TransportContext
from mcp_types import LOG_LEVEL_META_KEY, PROTOCOL_VERSION_META_KEY, RequestId
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic_core import PydanticSerializationError, from_json, to_json
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from ringmain_core.gates.adapter import EXCHANGE, Exchange

_MEMBERS = frozenset({"jsonrpc", "id", "method", "params"})
_LOOKED_AT = frozenset({b"accept", b"content-type", b"mcp-protocol-version", b"mcp-method", b"mcp-name"})
_PING_EVERY = 15.0
_MOST_REMEMBERED = 2_000  # bytes
_STREAM = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"connection", b"keep-alive"),
    (b"x-accel-buffering", b"no"),
]


class Direct:
    """Serves calls that send nothing but their answer; all else, and all that is wrong, goes to the SDK.

    Args:
        otherwise: The SDK's app.
        streaming: Whether an answer that is long in coming becomes a stream that is kept alive.
    """

    def __init__(self, server: Server[Any], upstream: object, otherwise: ASGIApp, *, streaming: bool) -> None:
        self._server = server
        self._upstream = upstream
        self._otherwise = otherwise
        self._streaming = streaming

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = _plain_message(scope)
        headers = None if message is None else _headers(scope)
        route = None if message is None or headers is None else self._route(message, headers)
        if message is None or route is None:
            await self._otherwise(scope, receive, send)
            return
        pings = _Pings(send) if self._streaming else None
        try:
            status, body = await self._answer(message, route, scope)
        finally:
            in_stream = await pings.end() if pings is not None else False
        if in_stream:
            await send({"type": "http.response.body", "body": b"event: message\r\ndata: %b\r\n\r\n" % body})
            return
        sent = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": sent})
        await send({"type": "http.response.body", "body": body})

    def _route(self, message: dict[str, Any], headers: Mapping[str, str]) -> InboundModernRoute | None:
        """What the SDK makes of the request; `None` for it to say itself what is wrong."""
        has_json, has_stream = _accepted(headers.get("accept", ""))
        typed = headers.get("content-type", "").lower().startswith("application/json")
        if not typed or not has_json or not (has_stream or not self._streaming):
            return None
        route = classify_inbound_request(message, headers=headers)
        if not isinstance(route, InboundModernRoute):
            return None
        meta = message["params"]["_meta"]
        tells_more = meta.get("progressToken") is not None or meta.get(LOG_LEVEL_META_KEY) is not None
        return None if tells_more or self._has_header_arguments(message["params"].get("name")) else route

    def _has_header_arguments(self, name: object) -> bool:
        schema_of = self._server.get_tool_input_schema
        return not isinstance(name, str) or schema_of is None or schema_of(name) is not None

    async def _answer(
        self, message: dict[str, Any], route: InboundModernRoute, scope: Scope
    ) -> tuple[int, bytes]:
        """The status and body of the answer."""
        request = Request(scope)
        context = _Alone(
            message["id"],
            TransportContext(kind="streamable-http", can_send_request=False, headers=request.headers),
            ServerMessageMetadata(request_context=request),
        )
        connection = _connection(route)
        runner = ServerRunner(self._server, connection, self._upstream)
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": message["id"]}
        try:
            async with connection.exit_stack:
                result = await runner.on_request(context, message["method"], message["params"])
            return 200, _encoded(answer | {"result": result})
        except Exception as error:  # noqa: BLE001 (the edge: every failure has a form on the wire)
            failed = modern_error_data(error)
        answer["error"] = failed.model_dump(by_alias=True, mode="json", exclude_none=True)
        return ERROR_CODE_HTTP_STATUS.get(failed.code, 200), _encoded(answer)


@dataclass(slots=True)
class _Alone:
    """The SDK's `DispatchContext` of a request to whose client nothing is sent but the answer."""

    request_id: RequestId
    transport: TransportContext
    message_metadata: ServerMessageMetadata
    can_send_request: bool = False
    cancel_requested: anyio.Event = field(default_factory=anyio.Event)

    async def send_raw_request(
        self,
        method: str,
        params: Mapping[str, Any] | None,  # noqa: ARG002 (the protocol's names)
        opts: CallOptions | None = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        raise NoBackChannelError(method)

    async def notify(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> None:
        """Drop it: there is no stream."""

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Nobody has asked for it."""


class _Pings:
    """Makes a stream of an answer that is long in coming, so that no proxy on the way gives it up."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(_PING_EVERY, self._begin)
        self._task: asyncio.Task[None] | None = None
        self._has_begun = False

    def _begin(self) -> None:
        self._task = self._loop.create_task(self._ping())

    async def _ping(self) -> None:
        self._has_begun = True
        await self._send({"type": "http.response.start", "status": 200, "headers": _STREAM})
        while True:
            await self._send({"type": "http.response.body", "body": b": ping\r\n\r\n", "more_body": True})
            await asyncio.sleep(_PING_EVERY)

    async def end(self) -> bool:
        """Stop.

        Returns:
            Whether a stream has begun.
        """
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()  # perhaps before it has run at all
            await asyncio.gather(self._task, return_exceptions=True)
        return self._has_begun


def _encoded(answer: Mapping[str, Any]) -> bytes:
    try:
        return to_json(answer)
    except PydanticSerializationError:  # half a surrogate pair, which only an escape can say
        return json.dumps(answer, separators=(",", ":")).encode()


def _plain_message(scope: Scope) -> dict[str, Any] | None:
    """The request of a tool call since 2026-07-28; `None` for whatever else it is."""
    exchange: Exchange = scope[EXCHANGE]
    message = exchange.message
    if not isinstance(message, dict) or message.keys() != _MEMBERS:
        return None
    message = cast("dict[str, Any]", message)
    params = message["params"]
    if message["jsonrpc"] != "2.0" or message["method"] != "tools/call" or not isinstance(params, dict):
        return None
    meta = cast("dict[str, Any]", params).get("_meta")
    return message if isinstance(meta, dict) and PROTOCOL_VERSION_META_KEY in meta else None


def _headers(scope: Scope) -> dict[str, str] | None:
    """The headers that decide; `None` before 2026-07-28, and where one came twice or repeats an argument."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        if name in _LOOKED_AT:
            key = name.decode()
            if key in found:
                return None
            found[key] = value.decode("latin-1")
        elif name.startswith(b"mcp-param-"):
            return None
    return found if found.get("mcp-protocol-version") in MODERN_PROTOCOL_VERSIONS else None


def _connection(route: InboundModernRoute) -> Connection:
    """What the SDK makes of what the client says of itself, which is the same in all of its requests."""
    said = to_json([route.client_info, route.client_capabilities])
    if len(said) > _MOST_REMEMBERED:
        return Connection.from_envelope(route.protocol_version, route.client_info, route.client_capabilities)
    connection = copy(_known_client(route.protocol_version, said))
    connection.state, connection.exit_stack = {}, AsyncExitStack()
    return connection


@lru_cache(maxsize=256)
def _known_client(version: str, said: bytes) -> Connection:
    return Connection.from_envelope(version, *from_json(said))


@lru_cache(maxsize=256)
def _accepted(accept: str) -> tuple[bool, bool]:
    """Whether the client takes JSON, and streams; the same clients say the same in every request."""
    return check_accept_headers(Request({"type": "http", "headers": [(b"accept", accept.encode("latin-1"))]}))
