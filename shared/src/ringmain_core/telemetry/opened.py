"""Telemetry for a process, as its settings ask for it: what to count with, and the gates that do."""

from collections.abc import Callable, Generator
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ringmain_core.connector import AnyConnector
from ringmain_core.gates import Gate
from ringmain_core.refusals import Refusal
from ringmain_core.settings import CoreSettings, mentions_otel
from ringmain_core.telemetry.signals import NoSignals, Signals

if TYPE_CHECKING:
    from ringmain_core.audit.log import Stats
    from ringmain_core.gates.telemetry import Meter
    from ringmain_core.telemetry.durations import Durations
    from ringmain_core.telemetry.metrics import Metrics
    from ringmain_core.telemetry.scraping import Port
    from ringmain_core.telemetry.tracing import Tracing


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What a process observes itself with; where it does not, nothing happens and nothing is paid for it.

    Attributes:
        gates: To be put around all others.
        signals: For the parts that report of their work.
        metrics: For Prometheus.
    """

    gates: tuple[Gate, ...]
    signals: Signals
    metrics: "Metrics | None"
    _served: Callable[[], AbstractAsyncContextManager[None]]

    def served(self) -> AbstractAsyncContextManager[None]:
        """Let Prometheus read for as long as the body runs."""
        return self._served()

    def unserved(self, refusal: Refusal) -> None:
        """A request was refused before it became a call."""
        if self.metrics is not None:
            self.metrics.unserved(refusal)

    def watch_audit(self, stats: "Callable[[], Stats]") -> None:
        """Show how the audit is."""
        if self.metrics is not None:
            self.metrics.watch_audit(stats)

    def watch_meters(self, count: Callable[[], int]) -> None:
        """Show how many meters the rate limit keeps in this process."""
        if self.metrics is not None:
            self.metrics.watch_meters(count)


@contextmanager
def opened_telemetry(
    connector: AnyConnector, core: CoreSettings, port: "Port | None" = None
) -> Generator[Telemetry]:
    """Telemetry while the body runs; what is left to send is sent at its end, for two seconds at most.

    In a process that forks workers, each of them opens its own, after the fork.

    Args:
        connector: What is observed.
        core: Says whether principals are named.
        port: Where Prometheus reads; without one nothing is counted for it.

    Raises:
        ConfigurationError: Where OTEL_* variables ask for what cannot be done.
    """
    with ExitStack() as stack:
        tracing, durations = _otlp(stack, connector, core)
        metrics, served = _counted(stack, connector, core, port) if port is not None else (None, _nothing)
        meters: list[Meter] = [meter for meter in (durations, metrics) if meter is not None]
        gates: list[Gate] = []
        if tracing is not None or meters:
            from ringmain_core.gates.telemetry import Measured, Traced

            gates += [Traced(tracing)] if tracing is not None else []
            gates += [Measured(meters)] if meters else []
        yield Telemetry(tuple(gates), metrics if metrics is not None else NoSignals(), metrics, served)


def _otlp(
    stack: ExitStack, connector: AnyConnector, core: CoreSettings
) -> "tuple[Tracing | None, Durations | None]":
    if not mentions_otel():
        return None, None
    from ringmain_core.telemetry.otel_settings import read_otel_settings
    from ringmain_core.telemetry.otlp import start_otlp

    otlp = start_otlp(connector, read_otel_settings())
    if otlp is None:
        return None, None
    from ringmain_core.telemetry.durations import Durations
    from ringmain_core.telemetry.tracing import Tracing

    stack.callback(otlp.close)
    tracing = Tracing(otlp.tracer, connector, principals=core.trace_principals) if otlp.tracer else None
    return tracing, Durations(otlp.meter, connector) if otlp.meter else None


def _counted(
    stack: ExitStack, connector: AnyConnector, core: CoreSettings, port: "Port"
) -> "tuple[Metrics, Callable[[], AbstractAsyncContextManager[None]]]":
    from ringmain_core.telemetry.metrics import Metrics
    from ringmain_core.telemetry.scraping import metrics_served

    metrics = Metrics(connector, principals=core.metrics_principals, folder=port.folder)
    stack.callback(metrics.close)
    return metrics, partial(metrics_served, metrics, core, port)


def _nothing() -> AbstractAsyncContextManager[None]:
    return nullcontext()
