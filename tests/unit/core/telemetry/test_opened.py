import os
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from ringmain_core.audit.log import Stats
from ringmain_core.errors import ConfigurationError
from ringmain_core.gates.telemetry import Measured
from ringmain_core.refusals import Unauthenticated
from ringmain_core.settings import CoreSettings
from ringmain_core.telemetry.opened import opened_telemetry
from ringmain_core.telemetry.scraping import metrics_port
from ringmain_core.telemetry.signals import NoSignals
from unit.core.demo import connector
from unit.core.telemetry.observing import sample, samples


@pytest.fixture(autouse=True)
def nobodys_opentelemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("OTEL_"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {
            "OTEL_TRACES_EXPORTER": "none",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x",
        },
        {"OTEL_SDK_DISABLED": "TRUE", "OTEL_TRACES_EXPORTER": "otlp"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
    ],
)
def test_where_nothing_is_asked_for_there_are_no_gates(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with opened_telemetry(connector, CoreSettings()) as telemetry:
        assert (telemetry.gates, telemetry.metrics) == ((), None)
        assert isinstance(telemetry.signals, NoSignals)


@pytest.mark.anyio
async def test_with_a_port_there_is_a_gate_that_counts_and_a_page_that_shows_it() -> None:
    core = CoreSettings(metrics_port=0)
    with metrics_port(core) as port, opened_telemetry(connector, core, port) as telemetry:
        assert [type(gate) for gate in telemetry.gates] == [Measured]
        assert telemetry.signals is telemetry.metrics
        telemetry.watch_audit(lambda: Stats(7, 7, healthy=True, reason=""))
        telemetry.watch_meters(lambda: 3)
        telemetry.unserved(Unauthenticated("Who?"))
        telemetry.signals.retry("postgres:crm")
        assert port is not None
        async with telemetry.served(), httpx2.AsyncClient() as client:
            shown = samples((await client.get(port.url)).text)
    assert shown[sample("ringmain_audit_records_total")] == 7
    assert shown[sample("ringmain_audit_healthy")] == 1
    assert shown[sample("ringmain_rate_limit_meters")] == 3
    assert shown[sample("ringmain_refusals_total", gate="front", code="unauthenticated")] == 1
    assert shown[sample("ringmain_upstream_retries_total", system="postgres:crm")] == 1


@pytest.mark.anyio
async def test_without_a_port_the_same_does_nothing() -> None:
    with opened_telemetry(connector, CoreSettings()) as telemetry:
        telemetry.watch_audit(lambda: Stats(7, 7, healthy=True, reason=""))
        telemetry.watch_meters(lambda: 3)
        telemetry.unserved(Unauthenticated("Who?"))
        telemetry.signals.retry("postgres:crm")
        async with telemetry.served():
            pass


GRPC = (
    "OTEL_EXPORTER_OTLP_PROTOCOL=grpc for traces: only http/protobuf is here. "
    "Collectors take it on port 4318."
)
NAMELESS = (
    "OTEL_EXPORTER_OTLP_HEADERS: Value error, write it like name=value,other=value, with what is "
    "special as %XX"
)


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"OTEL_TRACES_EXPORTER": "console"}, "OTEL_TRACES_EXPORTER=console: only otlp and none are here."),
        ({"OTEL_METRICS_EXPORTER": "file"}, "OTEL_METRICS_EXPORTER=file: only otlp and none are here."),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, GRPC),
        ({"OTEL_EXPORTER_OTLP_HEADERS": "authorization=fine,a-secret-without-a-name"}, NAMELESS),
    ],
    ids=["console", "file", "grpc", "headers"],
)
def test_what_is_not_here_is_refused_with_the_variable_and_without_secrets(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], complaint: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with (
        pytest.raises(ConfigurationError) as raised,
        opened_telemetry(connector, CoreSettings()),
    ):
        pass
    assert str(raised.value) == complaint


def test_missing_libraries_are_named_with_the_extra_that_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.resources", None)
    with (
        pytest.raises(ConfigurationError, match=r"Install ringmain-core\[otel\] .*OTEL_SDK_DISABLED=true"),
        opened_telemetry(connector, CoreSettings()),
    ):
        pass


def test_what_is_not_asked_for_is_not_loaded() -> None:
    program = (
        "import sys\n"
        "from ringmain_core.settings import CoreSettings\n"
        "from ringmain_core.telemetry.opened import opened_telemetry\n"
        "from unit.core.demo import connector\n"
        "with opened_telemetry(connector, CoreSettings()): pass\n"
        "heavy = ('prometheus_client', 'opentelemetry.sdk', 'opentelemetry.exporter', 'uvicorn',"
        " 'ringmain_core.telemetry.metrics', 'ringmain_core.telemetry.otlp')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True)
    assert done.stdout == b"[]\n"
