"""The one place that knows the SDK's provisional middleware: it makes a `Call` of a request."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

import anyio
from mcp.server.connection import Connection
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import SERVER_INFO_META_KEY
from mcp_types.methods import serialize_server_result
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError
from starlette.requests import Request

from ringmain_core.call import NOTIFICATIONS, Call, Transport, current_call
from ringmain_core.errors import Unexpected
from ringmain_core.gates import Gate, Result, pass_through
from ringmain_core.gates.audit import Audit
from ringmain_core.gates.lifetime import VersionLifetime
from ringmain_core.gates.plain import is_plain_call, plain_answer
from ringmain_core.gates.rate_limit import RateLimit
from ringmain_core.principal import Principal
from ringmain_core.refusals import (
    InsufficientScope,
    RateLimited,
    Refusal,
    Unauthenticated,
    UnknownResource,
    VersionGone,
)
from ringmain_core.room import Room
from ringmain_core.telemetry.w3c import parent_in
from ringmain_core.versions import LATEST

EXCHANGE = "ringmain.exchange"
"""Where the HTTP transport leaves its `Exchange` in the ASGI scope."""

KNOWN_FOR = 5.0
"""Seconds after which the credential behind something that stays open is looked at again."""

_TARGET_KEYS = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
_SESSIONS_EACH, _SESSIONS = 1_000, 10_000
_COUNTED = "ringmain.counted"
_LEGACY_RESOURCE_NOT_FOUND = -32002
_CANCELLED = -32010
_INTERNAL = -32603
_log = logging.getLogger(__name__)


async def always() -> bool:
    """The answer to `still_known` where there is no credential."""
    return True


@dataclass(slots=True)
class Exchange:
    """What the HTTP transport knows of a request, and what the gates tell it to say in its answer.

    Attributes:
        principal: Who sent it.
        transport: `http`, or `sse` for the transport of 2024-11-05.
        version: The API version of the path it came to.
        message: The JSON of its body, as far as the transport has read it.
        resumable: Whether a client in a session can fetch the answer after a lost connection.
        still_known: Whether its credential still is that principal's, to be asked while something stays open.
        refusal: Set by a refusal, for the status line and headers.
        gone: Whether the client went away before it was answered.
        on_record: Whether a call has come of it, which puts itself on record.
        handshake_failed: Whether the client tried to open a session, and could not.
        on_disconnect: Called when it does.
    """

    principal: Principal
    transport: Transport
    version: str
    message: object = None
    resumable: bool = False
    still_known: Callable[[], Awaitable[bool]] = always
    refusal: Refusal | None = None
    gone: bool = False
    on_record: bool = False
    handshake_failed: bool = False
    on_disconnect: Callable[[], None] | None = None


class Adapter:
    """The SDK middleware: outside of it there are wire messages, inside there are calls.

    Args:
        connector: The connector's name, for the record.
        gates: Outermost first.
        local: Who calls where there is no HTTP request; `None` refuses such calls.
    """

    def __init__(self, connector: str, gates: Sequence[Gate], local: Principal | None) -> None:
        self._connector = connector
        self._gates = tuple(gates)
        counting = Audit | VersionLifetime | RateLimit
        self._for_notifications = tuple(gate for gate in gates if isinstance(gate, counting))
        self._sessions = Room("sessions", each=_SESSIONS_EACH, total=_SESSIONS)
        self._local = local

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if ctx.request_id is None:
            return await self._notified(ctx, call_next)
        exchange = exchange_of(ctx.request)
        call = self._call(ctx, exchange)
        if exchange is not None:
            exchange.on_record = True
        token = current_call.set(call)
        scope = anyio.CancelScope()
        answered = False
        if exchange is not None and not (call.in_session and exchange.resumable):
            exchange.on_disconnect = scope.cancel  # nobody can get the answer any more
            if exchange.gone:
                scope.cancel()
        try:
            with scope:
                result = await pass_through(self._gates, call, lambda: self._handle(call, ctx, call_next))
                answered = True
                return result
        except Refusal as refusal:
            on_status_line = refusal.retryable or isinstance(refusal, InsufficientScope | VersionGone)
            if exchange is not None and (on_status_line or not call.in_session):
                exchange.refusal = refusal  # in a session no 404, for that would end it
            raise _as_protocol_error(refusal, call) from refusal
        except (MCPError, ValidationError):
            raise  # the SDK puts these in words that are meant for the caller
        except Exception as error:
            _log.exception("%s failed", call.method)
            data = {"code": Unexpected.code, "retryable": False, "call_id": call.id}
            words = f"Failed unexpectedly. The operator finds the reason in the log under {call.id}."
            raise MCPError(_INTERNAL, words, data) from error
        finally:
            current_call.reset(token)
            if exchange is not None and call.method == "initialize":
                exchange.handshake_failed = not answered
        raise MCPError(_CANCELLED, "The client went away; the call was cancelled.")

    async def _notified(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Pass a notification on; of a caller that sends too many, or of what is none, nobody hears."""
        if not ctx.method.startswith(NOTIFICATIONS):
            return None
        call = self._call(ctx, exchange_of(ctx.request))
        with suppress(Refusal):
            await pass_through(self._for_notifications, call, lambda: self._handle(call, ctx, call_next))
        return None

    async def _handle(self, call: Call, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> Result:
        if call.method == "initialize":
            self._count_session(call, connection_of(ctx))
        # `call_next` has already given the result its wire form; it is a dict for every request.
        return cast("Result", await call_next(ctx))

    def _count_session(self, call: Call, connection: Connection) -> None:
        """Count a session, once, until it ends; raise where its caller has too many."""
        if _COUNTED in connection.state:
            return
        owner = call.principal.owner
        try:
            self._sessions.take(owner)
        except RateLimited:
            call.refused_by = "rate_limit"
            raise
        connection.state[_COUNTED] = True
        connection.exit_stack.callback(self._sessions.give, owner)

    def _call(self, ctx: ServerRequestContext[Any, Any], exchange: Exchange | None) -> Call:
        principal = exchange.principal if exchange is not None else self._local
        if principal is None:
            raise MCPError(Unauthenticated.rpc_code, "Nobody is known to be calling.")
        params: Mapping[str, Any] = ctx.params if ctx.params is not None else {}
        ambient = _ambient(ctx.request)
        return Call(
            principal=principal,
            connector=self._connector,
            transport=exchange.transport if exchange is not None else "stdio",
            version=exchange.version if exchange is not None else LATEST,
            method=ctx.method,
            target=_target(ctx.method, params),
            params=params,
            client=ctx.session,
            era=ctx.protocol_version,
            trace_id=_trace_id(params, ambient),
            ambient=ambient,
            request_id=str(ctx.request_id),
        )


class PlainCalls:
    """The innermost SDK middleware: hands plain tool calls to their handler, all others to the SDK.

    What is sure to be valid need not go through the models of two revisions, nor its plain answer.

    Args:
        call: Calls the tool that the gates have found, with these arguments.
        server_info: What answers since 2026-07-28 say of the server.
    """

    def __init__(
        self,
        call: Callable[[ServerRequestContext[Any, Any], Mapping[str, Any]], Awaitable[Result]],
        server_info: Mapping[str, Any],
    ) -> None:
        self._call = call
        self._meta = {SERVER_INFO_META_KEY: server_info}

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        version, params = ctx.protocol_version, ctx.params
        modern = version in MODERN_PROTOCOL_VERSIONS
        met = modern or ctx.session.client_params is not None  # who has not shaken hands is refused there
        if ctx.method != "tools/call" or not met or params is None or not is_plain_call(params, version):
            return await call_next(ctx)
        result = await self._call(ctx, params["arguments"])
        sent = plain_answer(result)
        if sent is not None:
            return {**sent, "resultType": "complete", "_meta": self._meta} if modern else sent
        try:
            sent = serialize_server_result(ctx.method, version, result)
        except ValidationError:
            _log.exception("%s returned what the protocol does not know", params["name"])
            raise MCPError(_INTERNAL, "Handler returned an invalid result") from None
        return {**sent, "_meta": {**self._meta, **sent.get("_meta", {})}} if modern else sent


def exchange_of(request: object) -> Exchange | None:
    """The HTTP exchange that a message came in, `None` on stdio."""
    return request.scope.get(EXCHANGE) if isinstance(request, Request) else None


def connection_of(ctx: ServerRequestContext[Any, Any]) -> Connection:
    """The connection that a message came over: in revisions that have them, the session."""
    # There is no public way to it, and only the connection knows when a session ends.
    return ctx.session._connection  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def _target(method: str, params: Mapping[str, Any]) -> str | None:
    target = params.get(_TARGET_KEYS.get(method, "uri"))
    return target if isinstance(target, str) else None


def _ambient(request: object) -> dict[str, str] | None:
    """The W3C trace context of the HTTP request."""
    if not isinstance(request, Request) or "traceparent" not in request.headers:
        return None
    return {name: request.headers.get(name, "") for name in ("traceparent", "tracestate")}


def _trace_id(params: Mapping[str, Any], ambient: Mapping[str, str] | None) -> str | None:
    """The W3C trace id, from the message where it has one, else from the HTTP request."""
    meta = params.get("_meta")
    said = parent_in(cast("Mapping[str, object]", meta)) if isinstance(meta, Mapping) else None
    parent = said or parent_in(ambient)
    return parent.trace_id if parent is not None else None


def _as_protocol_error(refusal: Refusal, call: Call) -> MCPError:
    data = refusal.fields() | {"call_id": call.id}
    code = refusal.rpc_code
    if isinstance(refusal, UnknownResource):
        data["uri"] = call.target
        if call.in_session:
            code = _LEGACY_RESOURCE_NOT_FOUND
    return MCPError(code, refusal.message, data)
