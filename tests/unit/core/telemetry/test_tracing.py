import json
import logging
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from mcp.client import Client
from mcp.shared.exceptions import MCPError
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from ringmain_core.gates.telemetry import Measured, Traced
from ringmain_core.log import JsonFormatter, Redactor
from ringmain_core.telemetry.durations import Durations
from ringmain_core.telemetry.tracing import Tracing
from ringmain_core.testing import Bench, bench
from unit.core.demo import ROW, Demo, connector
from unit.core.telemetry.observing import a_call, put_around

TRACE, SPAN, AMBIENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7"
Attributes = dict[str, Any]


class Traces:
    """Spans as they would go out."""

    def __init__(self, *, principals: bool = False) -> None:
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracing = Tracing(provider.get_tracer("test"), connector, principals=principals)
        self.gate = Traced(self.tracing)

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()

    def of(self, method: str) -> list[ReadableSpan]:
        return [span for span in self.spans if (span.attributes or {}).get("mcp.method.name") == method]


@pytest.fixture
def traces() -> Traces:
    return Traces()


@pytest.fixture
def logged() -> Iterator[list[dict[str, Any]]]:
    """What has been logged meanwhile, line by line."""
    lines: list[dict[str, Any]] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(json.loads(JsonFormatter(Redactor()).format(record)))

    handler = Handler()
    logging.getLogger().addHandler(handler)
    yield lines
    logging.getLogger().removeHandler(handler)


def trace_id(span: ReadableSpan) -> str:
    assert span.context is not None
    return f"{span.context.trace_id:032x}"


def attributes(span: ReadableSpan) -> Attributes:
    return dict(span.attributes or {})


async def call(at: Bench, name: str, meta: Any = None, **arguments: Any) -> Any:
    return await at.client.call_tool(name, arguments, meta=meta)


def of_call(at: Bench) -> dict[str, Any]:
    """The record of the one tool that was called."""
    (record,) = (record for record in at.audit.records if record["method"] == "tools/call")
    return record


@pytest.mark.anyio
async def test_a_call_is_a_span_below_the_one_that_the_message_names(traces: Traces) -> None:
    async with bench(connector, upstream=Demo()) as at:
        put_around(at.server, traces.gate)
        meta = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "rojo=1"}
        await call(at, "echo", meta, text="hello")
    (span,) = traces.of("tools/call")
    record = of_call(at)
    assert (span.name, span.kind, trace_id(span)) == ("tools/call echo", SpanKind.SERVER, TRACE)
    assert span.parent is not None
    assert (f"{span.parent.span_id:016x}", span.parent.is_remote) == (SPAN, True)
    assert span.parent.trace_state.to_header() == "rojo=1"
    assert span.links == ()
    assert span.status.status_code is StatusCode.UNSET
    assert attributes(span) == {
        "jsonrpc.request.id": "2",
        "mcp.method.name": "tools/call",
        "mcp.protocol.version": "2026-07-28",
        "network.transport": "pipe",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "echo",
        "ringmain.call_id": record["id"],
        "ringmain.api_version": record["version"],
        "ringmain.declaration": "echo",
        "ringmain.outcome": "ok",
    }
    assert record["trace_id"] == TRACE


@pytest.mark.anyio
async def test_one_id_links_span_audit_and_log_also_where_no_trace_came_in(
    traces: Traces, logged: list[dict[str, Any]]
) -> None:
    async with bench(connector, upstream=Demo()) as at:
        put_around(at.server, traces.gate)
        await call(at, "crash")
    (span,) = traces.of("tools/call")
    record = of_call(at)
    assert record["trace_id"] == trace_id(span)
    assert attributes(span)["ringmain.call_id"] == record["id"]
    assert [(line["call"], line["trace"]) for line in logged if line["message"] == "crash failed"] == [
        (record["id"], trace_id(span))
    ]


@pytest.mark.anyio
async def test_no_span_shows_what_was_asked_answered_or_said(traces: Traces) -> None:
    secret = "argument-4711"
    async with bench(connector, upstream=Demo()) as at:
        put_around(at.server, traces.gate)
        await call(at, "echo", text=secret)
        await call(at, "crash")
        await call(at, "refuse")
        await call(at, "echo", **{secret: 1})
        await at.client.read_resource(f"demo://item/{secret}")
        for request in (
            at.client.call_tool(secret, {}),
            at.client.read_resource(f"demo://nothing/{secret}"),
            at.client.read_resource("demo://item/crash"),
            at.client.get_prompt(secret),
        ):
            with pytest.raises(MCPError):
                await request
    everything = "".join(span.to_json() for span in traces.spans)
    assert secret not in everything
    assert ROW not in everything
    assert "No such column" not in everything
    assert [span.name for span in traces.of("tools/call")] == [
        *("tools/call echo", "tools/call crash", "tools/call refuse", "tools/call echo", "tools/call")
    ]
    assert [span.name for span in traces.of("resources/read")] == ["resources/read"] * 3
    assert all(not span.events for span in traces.spans)
    assert all(span.status.description is None for span in traces.spans)


@pytest.mark.anyio
async def test_failures_and_refusals_say_how_in_codes(traces: Traces) -> None:
    policy = '[roles.some]\nallow = ["demo.refuse"]\n[[agents]]\nid = "local"\nroles = ["some"]'
    async with bench(connector, upstream=Demo(), policy=policy) as at:
        put_around(at.server, traces.gate)
        await call(at, "refuse")
        with pytest.raises(MCPError):
            await call(at, "wipe")
    told = (
        "error.type",
        "rpc.response.status_code",
        "ringmain.code",
        "ringmain.outcome",
        "ringmain.refused_by",
    )
    failed, refused = traces.of("tools/call")
    assert [attributes(failed).get(name) for name in told] == [
        *("tool_error", None, "upstream_refused", "error", None)
    ]
    assert [attributes(refused).get(name) for name in told] == [
        "-32602",
        "-32602",
        "unknown",
        "refused",
        "access",
    ]
    assert failed.status.status_code is refused.status.status_code is StatusCode.ERROR


async def answer() -> dict[str, Any]:
    return {}


@pytest.mark.anyio
async def test_the_http_requests_trace_is_linked_or_the_parent_where_the_message_has_none(
    traces: Traces,
) -> None:
    ambient = {"traceparent": f"00-{TRACE[::-1]}-{AMBIENT}-01"}
    meta = {"_meta": {"traceparent": f"00-{TRACE}-{SPAN}-01"}}
    await traces.gate(a_call(ambient=ambient, params=meta), answer)
    await traces.gate(a_call(ambient=ambient, request_id="r" * 100), answer)
    linked, below = traces.spans
    assert trace_id(linked) == TRACE
    assert [f"{link.context.span_id:016x}" for link in linked.links] == [AMBIENT]
    assert trace_id(below) == TRACE[::-1]
    assert below.links == ()
    assert attributes(below)["network.transport"] == "tcp"
    assert attributes(below)["jsonrpc.request.id"] == "r" * 64


@pytest.mark.anyio
async def test_a_caller_that_does_not_record_its_trace_is_followed(traces: Traces) -> None:
    asked = a_call(params={"_meta": {"traceparent": f"00-{TRACE}-{SPAN}-00"}})
    await traces.gate(asked, answer)
    assert traces.spans == ()
    assert (asked.trace_id, asked.sampled) == (TRACE, False)


@pytest.mark.anyio
async def test_who_called_is_said_only_where_asked_for() -> None:
    said: list[Any] = []
    for traces in (Traces(), Traces(principals=True)):
        await traces.gate(a_call(), answer)
        said.append(attributes(traces.spans[0]).get("enduser.id"))
    assert said == [None, "local"]


@pytest.mark.anyio
async def test_a_cancelled_call_ends_its_span(traces: Traces) -> None:
    demo = Demo()
    async with bench(connector, upstream=demo) as at:
        put_around(at.server, traces.gate)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call, at, "wait")
            with anyio.fail_after(5):
                await demo.started.wait()
            tasks.cancel_scope.cancel()
        with anyio.fail_after(5):
            while not traces.of("tools/call"):
                await anyio.lowlevel.checkpoint()
    (span,) = traces.of("tools/call")
    assert attributes(span)["ringmain.outcome"] == attributes(span)["error.type"] == "cancelled"


@pytest.mark.anyio
async def test_tries_upstream_are_spans_below_the_calls_with_nothing_of_what_failed(traces: Traces) -> None:
    asked = a_call()

    async def work() -> dict[str, Any]:
        assert asked.tracing is not None
        with pytest.raises(LookupError), asked.tracing.upstream("postgres:crm", "query", 1):
            raise LookupError(ROW)
        with asked.tracing.upstream("postgres:crm", "query", 2):
            return {}

    await traces.gate(asked, work)
    first, second, whole = traces.spans
    assert whole.context is not None
    assert [span.parent.span_id for span in (first, second) if span.parent] == [whole.context.span_id] * 2
    assert (first.name, first.kind) == ("query postgres:crm", SpanKind.CLIENT)
    assert attributes(first) == {
        "peer.service": "postgres:crm",
        "ringmain.operation": "query",
        "ringmain.attempt": 1,
        "error.type": "LookupError",
    }
    assert attributes(second)["ringmain.attempt"] == 2
    assert ROW not in first.to_json()


@pytest.mark.anyio
async def test_durations_are_measured_after_the_conventions() -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    durations = Durations(provider.get_meter("test"), connector)
    async with bench(connector, upstream=Demo()) as at:
        put_around(at.server, Measured([durations]))
        async with Client(at.server, mode="legacy") as client:
            await client.call_tool("echo", {"text": "hello"})
            await client.call_tool("refuse", {})
            with pytest.raises(MCPError):
                await client.call_tool("evil", {})
    data = reader.get_metrics_data()
    provider.shutdown()
    assert data is not None
    found = {metric.name: metric for metric in data.resource_metrics[0].scope_metrics[0].metrics}
    operations = found["mcp.server.operation.duration"]
    assert operations.unit == "s"
    points: list[Any] = list(operations.data.data_points)
    assert set(points[0].explicit_bounds) == {0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300}
    common = {
        "mcp.method.name": "tools/call",
        "mcp.protocol.version": "2025-11-25",
        "network.transport": "pipe",
        "gen_ai.operation.name": "execute_tool",
    }
    tools = [
        dict(point.attributes) for point in points if point.attributes["mcp.method.name"] == "tools/call"
    ]
    assert sorted(tools, key=lambda each: each["gen_ai.tool.name"]) == [
        {
            **common,
            "gen_ai.tool.name": "_other",
            "error.type": "-32602",
            "rpc.response.status_code": "-32602",
        },
        {**common, "gen_ai.tool.name": "echo"},
        {**common, "gen_ai.tool.name": "refuse", "error.type": "tool_error"},
    ]
    (session,) = found["mcp.server.session.duration"].data.data_points
    assert dict(session.attributes or {}) == {
        "mcp.protocol.version": "2025-11-25",
        "network.transport": "pipe",
    }
