"""Traces and metrics over OTLP, taken by a collector of our own."""

import gzip
import os
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ringmain_core.settings import CoreSettings
from ringmain_core.telemetry.opened import opened_telemetry
from ringmain_core.testing import bench
from unit.core.demo import Demo, connector
from unit.core.telemetry.observing import put_around

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Collector:
    """What has come in over OTLP/HTTP."""

    def __init__(self) -> None:
        self.traces: list[ExportTraceServiceRequest] = []
        self.metrics: list[ExportMetricsServiceRequest] = []
        self.headers: list[dict[str, str]] = []
        self.answering = threading.Event()
        self.answering.set()

    @property
    def spans(self) -> list[Any]:
        return [
            span
            for request in self.traces
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        self.headers.append(headers)
        self.answering.wait(30)
        if path == "/v1/traces":
            self.traces.append(ExportTraceServiceRequest.FromString(body))
        elif path == "/v1/metrics":
            self.metrics.append(ExportMetricsServiceRequest.FromString(body))
        else:
            return 404
        return 200


@pytest.fixture(autouse=True)
def nobodys_opentelemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("OTEL_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@contextmanager
def listening(collector: Collector) -> Generator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(collector.take(self.path, headers, body))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class names it)
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        collector.answering.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    collector = Collector()
    with listening(collector) as url:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        yield collector


def plain(attributes: Any) -> dict[str, str]:
    return {each.key: each.value.string_value for each in attributes}


@pytest.mark.anyio
async def test_traces_and_metrics_reach_a_collector_and_say_whose_they_are(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=acme")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    with opened_telemetry(connector, CoreSettings()) as telemetry:
        async with bench(connector, upstream=Demo()) as at:
            put_around(at.server, *telemetry.gates)
            await at.client.call_tool(
                "echo", {"text": "secret-4711"}, meta={"traceparent": f"00-{TRACE}-{SPAN}-01"}
            )
            await at.client.call_tool("refuse", {})
    record = next(record for record in at.audit.records if record.get("target") == "echo")

    (echo,) = (span for span in collector.spans if span.name == "tools/call echo")
    assert (echo.trace_id.hex(), echo.parent_span_id.hex()) == (TRACE, SPAN)
    assert (record["trace_id"], plain(echo.attributes)["ringmain.call_id"]) == (TRACE, record["id"])
    (refuse,) = (span for span in collector.spans if span.name == "tools/call refuse")
    assert plain(refuse.attributes)["error.type"] == "tool_error"
    assert refuse.status.message == ""
    about = plain(collector.traces[0].resource_spans[0].resource.attributes)
    assert {
        name: about[name] for name in ("service.name", "service.version", "deployment.environment.name")
    } == {
        "service.name": "ringmain-demo",
        "service.version": "1.2.3",
        "deployment.environment.name": "test",
    }
    assert {headers["x-tenant"] for headers in collector.headers} == {"acme"}
    assert not any(b"secret-4711" in request.SerializeToString() for request in collector.traces)

    (resource,) = collector.metrics[-1].resource_metrics
    (metric,) = resource.scope_metrics[0].metrics
    assert (metric.name, metric.unit) == ("mcp.server.operation.duration", "s")
    counts = {
        plain(point.attributes).get("gen_ai.tool.name"): point.count for point in metric.histogram.data_points
    }
    assert (counts["echo"], counts["refuse"]) == (1, 1)


@pytest.mark.anyio
async def test_a_sampler_of_the_operator_is_asked(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_always_off")
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
    with opened_telemetry(connector, CoreSettings()) as telemetry:
        async with bench(connector, upstream=Demo()) as at:
            put_around(at.server, *telemetry.gates)
            await at.client.call_tool("echo", {"text": "not recorded"})
            await at.client.call_tool(
                "echo", {"text": "recorded"}, meta={"traceparent": f"00-{TRACE}-{SPAN}-01"}
            )
    assert [span.trace_id.hex() for span in collector.spans if span.name == "tools/call echo"] == [TRACE]
    assert collector.metrics == []


@pytest.mark.anyio
async def test_a_collector_that_hangs_holds_nothing_up(collector: Collector) -> None:
    collector.answering.clear()
    with opened_telemetry(connector, CoreSettings()) as telemetry:
        async with bench(connector, upstream=Demo()) as at:
            put_around(at.server, *telemetry.gates)
            result = await at.client.call_tool("echo", {"text": "still here"})
        ended = time.monotonic()
    assert result.is_error is False
    assert 1.5 < time.monotonic() - ended < 15
