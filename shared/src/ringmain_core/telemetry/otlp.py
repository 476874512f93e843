"""OpenTelemetry's SDK, set up as its standard variables say: traces and metrics go out over OTLP/HTTP."""

import logging
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ringmain_core.connector import AnyConnector
from ringmain_core.errors import ConfigurationError
from ringmain_core.telemetry.otel_settings import OtelSettings

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.trace import Tracer

_SCOPE = "ringmain"
_PROTOCOL = "http/protobuf"
_FLUSH_WITHIN = 2.0
_log = logging.getLogger(__name__)

Signal = Literal["traces", "metrics"]


@dataclass(frozen=True, slots=True)
class Otlp:
    """What goes out: a tracer where traces do, a meter where metrics do.

    Attributes:
        shutdowns: Each sends what is left of one of them.
    """

    tracer: "Tracer | None"
    meter: "Meter | None"
    shutdowns: tuple[Callable[[], None], ...]

    def close(self) -> None:
        """Send what is left, for two seconds at most."""
        threads = [
            threading.Thread(target=_shut_down, args=(shutdown,), name="ringmain-otlp", daemon=True)
            for shutdown in self.shutdowns
        ]
        for thread in threads:
            thread.start()
        until = time.monotonic() + _FLUSH_WITHIN
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        if any(thread.is_alive() for thread in threads):
            _log.warning("the OTLP endpoint did not take all traces and metrics in time")


def start_otlp(connector: AnyConnector, settings: OtelSettings) -> Otlp | None:
    """Start what the settings ask for; `None` where they ask for nothing.

    Raises:
        ConfigurationError: Where the libraries are missing, or an exporter is asked for that is not here.
    """
    traces, metrics = _wanted("traces", settings), _wanted("metrics", settings)
    if not traces and not metrics:
        return None
    try:
        resource = _resource(connector)
        tracer, end_traces = _tracer(resource, connector) if traces else (None, None)
        meter, end_metrics = _meter(resource, connector) if metrics else (None, None)
    except ImportError as error:
        raise ConfigurationError(
            "OTEL_* variables ask for traces or metrics over OTLP, and the libraries for that are missing. "
            "Install ringmain-core[otel] beside the server (`uvx --with 'ringmain-core[otel]' "
            f"{connector.distribution}`), or set OTEL_SDK_DISABLED=true."
        ) from error
    return Otlp(tracer, meter, tuple(end for end in (end_traces, end_metrics) if end is not None))


def _wanted(signal: Signal, settings: OtelSettings) -> bool:
    if settings.sdk_disabled.strip().lower() == "true":
        return False
    exporter = settings.traces_exporter if signal == "traces" else settings.metrics_exporter
    own_endpoint, own_protocol = (
        (settings.exporter_otlp_traces_endpoint, settings.exporter_otlp_traces_protocol)
        if signal == "traces"
        else (settings.exporter_otlp_metrics_endpoint, settings.exporter_otlp_metrics_protocol)
    )
    if exporter not in (None, "otlp", "none"):
        raise ConfigurationError(f"OTEL_{signal.upper()}_EXPORTER={exporter}: only otlp and none are here.")
    endpoint = own_endpoint or settings.exporter_otlp_endpoint
    if exporter == "none" or (exporter is None and endpoint is None):
        return False
    protocol = own_protocol or settings.exporter_otlp_protocol or _PROTOCOL
    if protocol != _PROTOCOL:
        raise ConfigurationError(
            f"OTEL_EXPORTER_OTLP_PROTOCOL={protocol} for {signal}: only {_PROTOCOL} is here. Collectors "
            "take it on port 4318."
        )
    return True


def _resource(connector: AnyConnector) -> "Resource":
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource

    ours = {
        "service.name": connector.distribution,
        "service.version": connector.version,
        "service.instance.id": str(uuid.uuid4()),
    }
    said = dict(OTELResourceDetector().detect().attributes)  # OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES
    return Resource.create({**ours, **said})


def _tracer(resource: "Resource", connector: AnyConnector) -> "tuple[Tracer, Callable[[], None]]":
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.metrics import NoOpMeterProvider
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    unmeasured = NoOpMeterProvider()
    provider = TracerProvider(resource=resource, shutdown_on_exit=False, meter_provider=unmeasured)
    exporter = OTLPSpanExporter(meter_provider=unmeasured)
    provider.add_span_processor(BatchSpanProcessor(exporter, meter_provider=unmeasured))
    return provider.get_tracer(_SCOPE, connector.version), provider.shutdown


def _meter(resource: "Resource", connector: AnyConnector) -> "tuple[Meter, Callable[[], None]]":
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    reader = PeriodicExportingMetricReader(OTLPMetricExporter())
    provider = MeterProvider([reader], resource, shutdown_on_exit=False)
    return provider.get_meter(_SCOPE, connector.version), provider.shutdown


def _shut_down(shutdown: Callable[[], None]) -> None:
    try:
        shutdown()
    except Exception:  # noqa: BLE001 (the SDK raises a bare one; at the end nobody is there to be told but the log)
        _log.warning("the last traces or metrics could not be sent", exc_info=True)
