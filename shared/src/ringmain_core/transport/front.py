"""What stands in front of every HTTP route: who may connect, who is calling, what is too large."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ringmain_core.call import Transport
from ringmain_core.errors import (
    ForbiddenHost,
    ForbiddenOrigin,
    MalformedRequest,
    PayloadTooLarge,
    Refusal,
    Unauthenticated,
)
from ringmain_core.gates.adapter import EXCHANGE, Exchange
from ringmain_core.principal import ANONYMOUS, Principal
from ringmain_core.transport.strict_json import NotStrictJson, check_strict

_LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
_NOTICE_DISCONNECT_AFTER = 0.2  # seconds; shorter calls are over before it would help


@dataclass(frozen=True, slots=True)
class Route:
    """A path that speaks MCP: the app behind it, and what a call that came this way is told about itself."""

    app: ASGIApp
    transport: Transport
    version: str


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Whose requests are taken: Host headers (DNS rebinding) and Origin headers (web pages).

    Entries are `host:port`, `host:*` or, for origins, `https://app.example.com`.
    """

    hosts: Sequence[str]
    origins: Sequence[str]

    def check(self, headers: Headers) -> None:
        """Raise where the request names a host that is not us, or comes from a page that is not on the list."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not _listed(hosts[0], self.hosts, _LOOPBACK_HOSTS):
            raise ForbiddenHost(
                "The Host header does not name this server. An operator adds names to RINGMAIN_ALLOWED_HOSTS."
            )
        origins = headers.getlist("origin")
        pages = [f"{scheme}://{host}" for scheme in ("http", "https") for host in _LOOPBACK_HOSTS]
        if origins and (len(origins) != 1 or not _listed(origins[0], self.origins, pages)):
            raise ForbiddenOrigin(
                "Pages of this origin may not call. An operator adds origins to RINGMAIN_ALLOWED_ORIGINS."
            )


def _listed(value: str, entries: Sequence[str], loopback: Sequence[str]) -> bool:
    if value in entries or value in loopback:
        return True
    name, _, port = value.rpartition(":")
    return port.isdigit() and (name in loopback or f"{name}:*" in entries)


class Front:
    """The outermost ASGI app. Paths that speak MCP need a principal; all others are the public pages.

    Args:
        routes: The paths that speak MCP.
        pages: Everything else; it must hold nothing that is not for everybody.
        neighbours: Whose requests are taken at all.
        authenticate: Turns a credential into a principal, or `None`.
        record: Told of every request refused here, for the audit; it may refuse in turn.
        max_body: Bytes.
    """

    def __init__(
        self,
        *,
        routes: Mapping[str, Route],
        pages: ASGIApp,
        neighbours: Neighbours,
        authenticate: Callable[[str], Principal | None],
        record: Callable[[Refusal, Principal, Route | None], None],
        max_body: int,
    ) -> None:
        self._routes = routes
        self._pages = pages
        self._neighbours = neighbours
        self._authenticate = authenticate
        self._record = record
        self._max_body = max_body
        self._streams: set[asyncio.Task[Any]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._pages(scope, receive, send)
            return
        if scope["type"] != "http":  # no route takes web sockets
            await send({"type": "websocket.close", "code": 1008})
            return
        route = self._routes.get(scope["path"])
        principal = ANONYMOUS
        try:
            headers = Headers(scope=scope)
            self._neighbours.check(headers)
            if route is None:
                await self._pages(scope, receive, send)
                return
            principal = self._identify(headers)
            body = await self._read(headers, receive) if scope["method"] == "POST" else b""
        except Refusal as refusal:
            await _answer(self._recorded(refusal, principal, route), send)
            return
        await self._exchange(scope, body, receive, send, route, principal)

    def close_streams(self) -> None:
        """End the streams that clients hold open to be told things, so that the server can stop."""
        for task in self._streams:
            task.cancel()

    def _recorded(self, refusal: Refusal, principal: Principal, route: Route | None) -> Refusal:
        try:
            self._record(refusal, principal, route)
        except Refusal as unavailable:
            return unavailable
        return refusal

    def _identify(self, headers: Headers) -> Principal:
        scheme, _, credential = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            credential = headers.get("x-api-key", "")
        principal = self._authenticate(credential.strip()) if credential else None
        if principal is None:
            raise Unauthenticated(
                "Send an API key as `Authorization: Bearer <key>`. An operator makes one with `keys create`."
            )
        return principal

    async def _read(self, headers: Headers, receive: Receive) -> bytes:
        too_large = f"The body is larger than {self._max_body:,} bytes."
        declared = headers.get("content-length", "0")
        if declared.isdigit() and int(declared) > self._max_body:
            raise PayloadTooLarge(too_large)
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if len(body) > self._max_body:
                raise PayloadTooLarge(too_large)
            if not message.get("more_body", False):
                break
        try:
            check_strict(bytes(body))
        except NotStrictJson as error:
            raise MalformedRequest(f"Not a JSON message: {error}.") from error
        return bytes(body)

    async def _exchange(
        self, scope: Scope, body: bytes, receive: Receive, send: Send, route: Route, principal: Principal
    ) -> None:
        exchange = Exchange(principal, route.transport, route.version)
        # The user is the SDK's way to tie a session to the credential that opened it.
        scope = {**scope, EXCHANGE: exchange, "user": _session_owner(principal.auth, principal.id)}
        if scope["method"] == "POST":
            await _answer_post(route.app, scope, body, receive, send, exchange)
            return
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 (ASGI apps run in tasks)
        self._streams.add(task)
        try:
            await route.app(scope, receive, send)
        finally:
            self._streams.discard(task)


async def _answer_post(
    app: ASGIApp, scope: Scope, body: bytes, receive: Receive, send: Send, exchange: Exchange
) -> None:
    """Serve one POST: replay the body, notice when the client leaves, give a refusal its status line."""
    replayed = False
    start: Message | None = None
    watching: list[asyncio.Task[None]] = []

    async def replay() -> Message:
        nonlocal replayed
        if replayed:
            return await receive()
        replayed = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send_with_status(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            start = message  # held until there is a body: only then is it known whether a gate refused
            return
        if start is not None:
            await send(_restated(start, exchange.refusal) if exchange.refusal is not None else start)
            start = None
        await send(message)

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        if exchange.on_disconnect is not None:
            exchange.on_disconnect()

    timer = None
    if exchange.transport == "http":  # the 2024 transport answers a POST at once and works on
        loop = asyncio.get_running_loop()
        timer = loop.call_later(_NOTICE_DISCONNECT_AFTER, lambda: watching.append(loop.create_task(watch())))
    try:
        await app(scope, replay, send_with_status)
    finally:
        exchange.on_disconnect = None
        if timer is not None:
            timer.cancel()
        for task in watching:
            task.cancel()


@lru_cache(maxsize=1024)
def _session_owner(auth: str, name: str) -> AuthenticatedUser:
    return AuthenticatedUser(AccessToken(token="", client_id=f"{auth}:{name}", scopes=[]))


def _headers_of(refusal: Refusal) -> list[tuple[bytes, bytes]]:
    headers: list[tuple[bytes, bytes]] = []
    if refusal.retry_after_ms is not None:
        headers.append((b"retry-after", str(-(-refusal.retry_after_ms // 1000)).encode()))
    if isinstance(refusal, Unauthenticated):
        headers.append((b"www-authenticate", b'Bearer realm="ringmain"'))
    return headers


def _restated(start: Message, refusal: Refusal) -> Message:
    return {
        **start,
        "status": refusal.http_status,
        "headers": [*start.get("headers", ()), *_headers_of(refusal)],
    }


async def _answer(refusal: Refusal, send: Send) -> None:
    error = {"code": refusal.rpc_code, "message": refusal.message, "data": refusal.fields()}
    body = json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *_headers_of(refusal),
    ]
    await send({"type": "http.response.start", "status": refusal.http_status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
