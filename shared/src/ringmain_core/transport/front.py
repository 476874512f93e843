"""What stands in front of every HTTP route: who may connect, who is calling, what is too large."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ringmain_core.call import Transport
from ringmain_core.gates.adapter import EXCHANGE, KNOWN_FOR, Exchange
from ringmain_core.principal import ANONYMOUS, Principal
from ringmain_core.refusals import (
    Draining,
    InvalidToken,
    RateLimited,
    Refusal,
    Rejected,
    Unauthenticated,
)
from ringmain_core.room import Room
from ringmain_core.transport.bodies import Bodies
from ringmain_core.transport.neighbours import Neighbours
from ringmain_core.transport.posts import Headers, answer_post, with_headers
from ringmain_core.transport.refusals import Challenge, answer

_FIRST_ERROR = 400
_STREAMS_EACH, _STREAMS = 1_000, 10_000


@dataclass(frozen=True, slots=True)
class Route:
    """A path that speaks MCP: the app behind it, and what a call that came this way is told about itself."""

    app: ASGIApp
    transport: Transport
    version: str


_Headers = Mapping[str, Sequence[str]]
_LOOKED_AT = {
    name.encode(): name for name in ("host", "origin", "authorization", "x-api-key", "content-length")
}
_SEEN = "ringmain.headers"


def _headers(scope: Scope) -> _Headers:
    """The headers that are looked at here, each as often as it came; one pass, for every request takes it."""
    if _SEEN in scope:
        return scope[_SEEN]
    found: dict[str, list[str]] = {name: [] for name in _LOOKED_AT.values()}
    for raw, value in scope["headers"]:
        if raw in _LOOKED_AT:
            found[_LOOKED_AT[raw]].append(value.decode("latin-1"))
    scope[_SEEN] = found
    return found


class Front:
    """The outermost ASGI app. Paths that speak MCP need a principal; all others are the public pages.

    Args:
        routes: The paths that speak MCP.
        pages: Everything else; it must hold nothing that is not for everybody.
        neighbours: Whose requests are taken at all.
        authenticate: Turns a credential into a principal, or `None`.
        challenge: What a refused client is told about tokens for a path, from the Host header it used.
        record: Told of every request refused here, for the audit; it may refuse in turn.
        max_body: Bytes.
        resumable: Whether clients in a session can fetch an answer that a lost connection kept from them.
        about_version: Headers that answers of an API version carry.
    """

    def __init__(
        self,
        *,
        routes: Mapping[str, Route],
        pages: ASGIApp,
        neighbours: Neighbours,
        authenticate: Callable[[str], Awaitable[Principal | None]],
        record: Callable[[Refusal, Principal, Route | None], None],
        max_body: int,
        resumable: bool = False,
        challenge: Callable[[str, str], Challenge] = lambda _, __: (),
        about_version: Callable[[str], Headers] = lambda _: (),
    ) -> None:
        self._about_version = about_version
        self._routes = routes
        self._pages = pages
        self._neighbours = neighbours
        self._authenticate = authenticate
        self._challenge = challenge
        self._record = record
        self._bodies = Bodies(max_body)
        self._resumable = resumable
        self._serve_neighbours = neighbours.with_cors(self._serve)
        self._closing = False
        self._streams: set[Callable[[], None]] = set()
        self._open = Room("streams", each=_STREAMS_EACH, total=_STREAMS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._pages(scope, receive, send)
            return
        if scope["type"] != "http":  # no route takes web sockets
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            headers = _headers(scope)
            self._neighbours.check(headers["host"], headers["origin"])
        except Refusal as refusal:
            await answer(self._recorded(refusal, ANONYMOUS, self._routes.get(scope["path"])), send)
            return
        await self._serve_neighbours(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._routes.get(scope["path"])
        if route is None:
            await self._pages(scope, receive, send)
            return
        if said := self._about_version(route.version):
            send = with_headers(said, send)
        principal = ANONYMOUS
        headers = _headers(scope)
        try:
            principal = await self._identify(headers, scope)
            if self._closing and scope["method"] != "POST":
                raise Draining("This server is about to stop. Connect again.")
            body, message = b"", None
            if scope["method"] == "POST":
                declared = "".join(headers["content-length"])
                body, message = await self._bodies.read(principal, declared, receive)
        except Refusal as refusal:
            await answer(self._recorded(refusal, principal, route), send, self._challenge_for(scope))
            return
        still_known = partial(self._is_still, principal, headers, scope)
        exchange = Exchange(principal, route.transport, route.version, message, self._resumable, still_known)
        await self._exchange(scope, body, receive, send, route, exchange)

    def close_streams(self) -> None:
        """End the streams that clients hold open to be told things, so that the server can stop."""
        self._closing = True
        for end in self._streams:
            end()

    def _recorded(self, refusal: Refusal, principal: Principal, route: Route | None) -> Refusal:
        try:
            self._record(refusal, principal, route)
        except Refusal as unavailable:
            return unavailable
        return refusal

    def _challenge_for(self, scope: Scope) -> Challenge:
        """What to say about tokens; there is one Host header, for the neighbours have been looked at."""
        path: str = scope["path"]
        return self._challenge(path, _headers(scope)["host"][0])

    async def _identify(self, headers: _Headers, scope: Scope) -> Principal:
        authorization, api_key = headers["authorization"], headers["x-api-key"]
        scheme, _, credential = "".join(authorization).partition(" ")
        if scheme.lower() != "bearer":
            credential = "".join(api_key)
        # Of two, a proxy in front may have checked the other one.
        once = len(authorization) <= 1 and len(api_key) <= 1
        credential = credential.strip() if once else ""
        principal = await self._authenticate(credential) if credential else None
        if principal is not None:
            return principal
        if credential:
            raise InvalidToken("This API key is not known here. An operator makes one with `keys create`.")
        if self._challenge_for(scope):
            raise Unauthenticated(
                "Send an access token as `Authorization: Bearer <token>`: the header WWW-Authenticate says "
                "where to get one. An API key will do as well."
            )
        raise Unauthenticated(
            "Send an API key as `Authorization: Bearer <key>`. An operator makes one with `keys create`."
        )

    async def _is_still(self, principal: Principal, headers: _Headers, scope: Scope) -> bool:
        """Whether the credential of a request still is that principal's: not revoked, not over."""
        try:
            return (await self._identify(headers, scope)).owner == principal.owner
        except Refusal:
            return False

    async def _exchange(
        self, scope: Scope, body: bytes, receive: Receive, send: Send, route: Route, exchange: Exchange
    ) -> None:
        principal = exchange.principal
        # The user is the SDK's way to tie a session to the credential that opened it.
        owner = _session_owner(principal.auth, principal.id)
        # Space around a value is not part of it, but httptools leaves it there; the SDK compares exactly.
        headers = [(name, value.strip(b" \t")) for name, value in scope["headers"]]
        scope = {**scope, EXCHANGE: exchange, "user": owner, "headers": headers}
        if scope["method"] == "POST":
            status = await answer_post(
                route.app, scope, body, receive, send, exchange, partial(self._challenge_for, scope)
            )
            if status >= _FIRST_ERROR and not exchange.on_record:
                # Already answered: what the record says is all that can still be done.
                self._recorded(Rejected(f"The protocol's checks answered {status}."), principal, route)
            return
        try:
            self._open.take(principal.owner)
        except RateLimited as refusal:
            await answer(self._recorded(refusal, principal, route), send)
            return
        try:
            status = await self._serve_stream(route.app, scope, receive, send, exchange)
        finally:
            self._open.give(principal.owner)
        if status >= _FIRST_ERROR and not exchange.on_record:
            self._recorded(Rejected(f"The protocol's checks answered {status}."), principal, route)

    async def _serve_stream(
        self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, exchange: Exchange
    ) -> int:
        """Serve what may stay open for ever.

        `close_streams` and the end of its credential end it as if it were complete.

        Returns:
            The status of the answer; 0 where there was none.
        """
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 (ASGI apps run in tasks)
        status = 0
        is_over = False

        def end() -> None:
            nonlocal is_over
            if not is_over:
                is_over = True
                task.cancel()

        async def send_while_known(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.body" and not await exchange.still_known():
                end()
                await asyncio.Future()  # cancelled with the app
            status = message.get("status", status)
            await send(message)

        async def watch() -> None:
            while await exchange.still_known():  # noqa: ASYNC110 (nothing says so when it is known no more)
                await asyncio.sleep(KNOWN_FOR)
            end()

        self._streams.add(end)
        watching = asyncio.create_task(watch())
        try:
            await app(scope, receive, send_while_known)
        except asyncio.CancelledError:
            if not is_over or not status:
                raise
            task.uncancel()
            await send({"type": "http.response.body", "body": b""})
        finally:
            watching.cancel()
            self._streams.discard(end)
        return status


@lru_cache(maxsize=1024)
def _session_owner(auth: str, name: str) -> AuthenticatedUser:
    return AuthenticatedUser(AccessToken(token="", client_id=f"{auth}:{name}", scopes=[]))
