"""Spans after OpenTelemetry's conventions for MCP: one for each call, one for each try upstream.

They carry names, codes and ids; never arguments, answers, URIs or the texts of errors.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import anyio

from ringmain_core.call import Call
from ringmain_core.connector import AnyConnector
from ringmain_core.ending import Ending
from ringmain_core.telemetry.names import OTHER, Names, known_codes
from ringmain_core.telemetry.w3c import Parent, parent_in

if TYPE_CHECKING:
    from opentelemetry.trace import Span, SpanContext, Tracer

_NAMED_BY = {"tools/call": "gen_ai.tool.name", "prompts/get": "gen_ai.prompt.name"}
_LONGEST_REQUEST_ID = 64


class Tracing:
    """Makes the spans of a server.

    Args:
        tracer: Where they go.
        connector: Its declarations are the only targets that spans name.
        principals: Say in each span who called, as `enduser.id`.
    """

    def __init__(self, tracer: "Tracer", connector: AnyConnector, *, principals: bool = False) -> None:
        self._tracer = tracer
        self._names = Names(connector)
        self._codes = known_codes()
        self._principals = principals

    def begin(self, call: Call) -> "Span":
        """Start the span of a call, below its sender's; the call learns the id of its trace.

        A message can say in `_meta` where it comes from, and so can the HTTP request around it: then the
        message is right, and the request's span is linked.
        """
        from opentelemetry.trace import Link, NonRecordingSpan, SpanKind, set_span_in_context

        meta = call.params.get("_meta")
        said = parent_in(cast("Mapping[str, object]", meta)) if isinstance(meta, Mapping) else None
        around = parent_in(call.ambient)
        parent = said or around
        method, target = self._names.method(call), self._names.target(call)
        named = target if method in _NAMED_BY and target != OTHER else ""
        span = self._tracer.start_span(
            f"{method} {named}" if named else method,
            set_span_in_context(NonRecordingSpan(_context(parent))) if parent is not None else None,
            SpanKind.SERVER,
            self._attributes(call, method, target),
            [Link(_context(around))] if said is not None and around is not None else None,
            record_exception=False,
            set_status_on_exception=False,
        )
        context = span.get_span_context()
        call.trace_id = f"{context.trace_id:032x}"
        call.sampled = context.trace_flags.sampled
        call.tracing = self
        return span

    def end(self, span: "Span", call: Call, ending: Ending) -> None:
        """End a call's span."""
        from opentelemetry.trace import StatusCode

        if span.is_recording():
            found: dict[str, Any] = {"ringmain.outcome": ending.outcome}
            if call.declaration is not None:
                found["ringmain.declaration"] = call.declaration.name
            if ending.is_failure:
                found |= error_attributes(ending)
                found["ringmain.code"] = ending.code if ending.code in self._codes else OTHER
                if call.refused_by is not None:
                    found["ringmain.refused_by"] = call.refused_by
                span.set_status(StatusCode.ERROR)
            span.set_attributes(found)
        span.end()

    @contextmanager
    def upstream(self, system: str, operation: str, attempt: int) -> Generator[None]:
        """A span around one try of a call to the system behind, below the call's own.

        Args:
            system: As in `Signals`.
            operation: What is asked of it, in words of the code's own.
            attempt: Counts from 1.
        """
        from opentelemetry.trace import SpanKind, StatusCode

        with self._tracer.start_as_current_span(
            f"{operation} {system}",
            kind=SpanKind.CLIENT,
            attributes={"peer.service": system, "ringmain.operation": operation, "ringmain.attempt": attempt},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except BaseException as error:
                cancelled = isinstance(error, anyio.get_cancelled_exc_class())
                span.set_attribute("error.type", "cancelled" if cancelled else type(error).__qualname__)
                span.set_status(StatusCode.ERROR)
                raise

    def _attributes(self, call: Call, method: str, target: str) -> dict[str, Any]:
        attributes: dict[str, Any] = common_attributes(call, method, target)
        attributes["ringmain.call_id"] = call.id
        attributes["ringmain.api_version"] = call.version
        if call.request_id is not None:
            attributes["jsonrpc.request.id"] = call.request_id[:_LONGEST_REQUEST_ID]
        if self._principals:
            attributes["enduser.id"] = call.principal.id
        return attributes


def common_attributes(call: Call, method: str, target: str) -> dict[str, Any]:
    """What spans and measurements say of a call."""
    attributes = {
        "mcp.method.name": method,
        "mcp.protocol.version": call.era,
        "network.transport": "pipe" if call.transport == "stdio" else "tcp",
    }
    if method == "tools/call":
        attributes["gen_ai.operation.name"] = "execute_tool"
    if method in _NAMED_BY and target:
        attributes[_NAMED_BY[method]] = target
    return attributes


def error_attributes(ending: Ending) -> dict[str, Any]:
    """What spans and measurements say of a call that did not end well."""
    if ending.rpc_code is not None:
        return {"error.type": str(ending.rpc_code), "rpc.response.status_code": str(ending.rpc_code)}
    return {"error.type": "cancelled" if ending.outcome == "cancelled" else "tool_error"}


def _context(parent: Parent) -> "SpanContext":
    from opentelemetry.trace import SpanContext, TraceFlags, TraceState

    return SpanContext(
        int(parent.trace_id, 16),
        int(parent.span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(parent.flags),
        trace_state=TraceState(parent.state),
    )
