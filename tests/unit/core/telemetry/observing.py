"""Puts telemetry around a server under test, and reads what it has counted."""

from typing import Any

from mcp.server.lowlevel import Server
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,  # pyright: ignore[reportUnknownVariableType]
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from ringmain_core.call import Call
from ringmain_core.gates import Gate
from ringmain_core.gates.adapter import Adapter
from ringmain_core.principal import LOCAL
from ringmain_core.telemetry.exposition import page
from ringmain_core.telemetry.metrics import Metrics

Samples = dict[str, float]
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def put_around(server: Server[Any], *gates: Gate) -> None:
    """Observe a server that was built without: the gates go around its own."""
    adapter = server.middleware[0]
    assert isinstance(adapter, Adapter)
    vars(adapter)["_gates"] = (*gates, *vars(adapter)["_gates"])


def a_call(**values: Any) -> Call:
    """A call for gates that look at nothing else."""
    usual: dict[str, Any] = {
        "principal": LOCAL,
        "connector": "demo",
        "transport": "http",
        "version": "v1",
        "method": "tools/call",
        "target": "echo",
        "params": {},
        "client": None,
        "era": "2026-07-28",
    }
    return Call(**(usual | values))


def samples(text: str) -> Samples:
    """The samples of a page in Prometheus' text format, by name and labels, connector left out."""
    return _flat(parse_text(text))


def openmetrics_samples(text: str) -> Samples:
    return _flat(parse_openmetrics(text))


def counted(metrics: Metrics, *names: str) -> Samples:
    """What has been counted under these names, without series at zero."""
    metrics.look()
    found = samples(page(metrics, "")[0].decode())
    return {name: value for name, value in found.items() if name.partition("{")[0] in names and value}


def sample(name: str, /, **labels: str) -> str:
    """How `samples` spells one."""
    return f"{name}{{{','.join(f'{label}={labels[label]}' for label in sorted(labels))}}}"


def _flat(families: Any) -> Samples:
    found: Samples = {}
    for family in families:
        for each in family.samples:
            labels = {label: value for label, value in each.labels.items() if label != "connector"}
            found[sample(each.name, **labels)] = each.value
    return found
