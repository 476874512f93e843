"""The metrics as Prometheus reads them, in its text format or in OpenMetrics."""

import platform
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from itertools import accumulate
from typing import TYPE_CHECKING, cast

from ringmain_core.telemetry.families import DURATION
from ringmain_core.telemetry.metrics import Exemplars, Metrics
from ringmain_core.telemetry.series import Family, Labels, Total, total

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric


def page(metrics: Metrics, accept: str) -> tuple[bytes, str]:
    """All metrics, in the format that an Accept header asks for; its content type."""
    from prometheus_client import CollectorRegistry, exposition
    from prometheus_client.openmetrics import exposition as openmetrics

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(metrics))
    if "application/openmetrics-text" in accept:
        # It has no types.
        write = cast("Callable[[CollectorRegistry], bytes]", openmetrics.generate_latest)  # pyright: ignore[reportUnknownMemberType]
        return write(registry), openmetrics.CONTENT_TYPE_LATEST
    return exposition.generate_latest(registry), exposition.CONTENT_TYPE_PLAIN_0_0_4


class _Collector:
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator["Metric"]:
        metrics = self._metrics
        constant = {"connector": metrics.connector.name}
        if metrics.folder is None:
            own = {(family, labels): cells for family, labels, cells in metrics.series.values()}
            found = Total(own, {})
        else:
            found = total(metrics.folder, metrics.families)
        by_family: dict[Family, dict[Labels, list[float]]] = {}
        for (family, labels), cells in found.values.items():
            by_family.setdefault(family, {})[labels] = cells
        for family, series in by_family.items():
            exemplars = metrics.exemplars if family is DURATION else {}
            yield _metric(family, series, constant, exemplars)
        yield _build_info(metrics, constant)
        if metrics.folder is None:
            yield from _process("self", constant)
        for number, pid in found.alive.items():
            yield from _process(str(pid), constant | {"worker": str(number)})


def _metric(
    family: Family,
    series: Mapping[Labels, list[float]],
    constant: Mapping[str, str],
    exemplars: Exemplars,
) -> "Metric":
    from prometheus_client.metrics_core import Metric
    from prometheus_client.samples import Exemplar

    metric = Metric(family.name, family.text, family.kind)
    for values, cells in series.items():
        labels = {**constant, **dict(zip(family.labels, values, strict=True))}
        if family.kind != "histogram":
            suffix = "_total" if family.kind == "counter" else ""
            metric.add_sample(family.name + suffix, labels, cells[0])
            continue
        *buckets, total_seen = cells
        for index, count in enumerate(accumulate(buckets)):
            bound = str(float(family.bounds[index])) if index < len(family.bounds) else "+Inf"
            seen = exemplars.get((values, index))
            exemplar = Exemplar({"trace_id": seen[0]}, seen[1], seen[2]) if seen is not None else None
            metric.add_sample(f"{family.name}_bucket", labels | {"le": bound}, count, exemplar=exemplar)
        metric.add_sample(f"{family.name}_count", labels, sum(buckets))
        metric.add_sample(f"{family.name}_sum", labels, total_seen)
    return metric


def _build_info(metrics: Metrics, constant: Mapping[str, str]) -> "Metric":
    from prometheus_client.metrics_core import Metric

    metric = Metric("ringmain_build_info", "What is running.", "gauge")
    running = {
        "version": metrics.connector.version,
        "core": version("ringmain-core"),
        "mcp": version("mcp"),
        "python": platform.python_version(),
    }
    metric.add_sample(metric.name, {**constant, **running}, 1.0)
    return metric


def _process(pid: str, constant: Mapping[str, str]) -> Iterator["Metric"]:
    """Memory, CPU time, open files and start of a process, where /proc tells."""
    from prometheus_client import ProcessCollector
    from prometheus_client.metrics_core import Metric

    for found in ProcessCollector(pid=lambda: pid, registry=None).collect():
        metric = Metric(found.name, found.documentation, found.type)
        for sample in found.samples:
            metric.add_sample(sample.name, {**constant, **sample.labels}, sample.value)
        yield metric
