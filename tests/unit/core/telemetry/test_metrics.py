import re

import anyio
import pytest
from mcp.shared.exceptions import MCPError

from ringmain_core.ending import OK, Ending
from ringmain_core.gates.telemetry import Measured, text_bytes
from ringmain_core.principal import Principal
from ringmain_core.refusals import Unauthenticated
from ringmain_core.settings import CoreSettings
from ringmain_core.telemetry import families
from ringmain_core.telemetry.exposition import page
from ringmain_core.telemetry.metrics import Metrics
from ringmain_core.testing import bench
from unit.core.demo import Demo, connector, echo
from unit.core.telemetry.observing import (
    OPENMETRICS,
    a_call,
    counted,
    openmetrics_samples,
    put_around,
    sample,
)

POLICY = """
[roles.some]
allow = ["demo.echo", "demo.crash", "demo.refuse", "demo.item", "demo.greet", "demo.hurry_write"]
limits = { rate = "1000/s", burst = 1000 }
[[agents]]
id = "local"
roles = ["some"]
"""


def bucketless(samples: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in samples.items() if "_bucket" not in name}


@pytest.mark.anyio
async def test_every_call_is_counted_by_what_it_was_about_and_how_it_ended() -> None:
    metrics = Metrics(connector)
    async with bench(connector, upstream=Demo(), policy=POLICY) as at:
        put_around(at.server, Measured([metrics]))
        await at.client.call_tool("echo", {"text": "hä"})
        await at.client.call_tool("echo", {"text": "x" * 300})
        await at.client.call_tool("echo", {"wrong": 1})
        await at.client.call_tool("refuse", {})
        await at.client.call_tool("crash", {})
        await at.client.call_tool("hurry_write", {})
        for refused in ("wipe", "no such tool"):
            with pytest.raises(MCPError):
                await at.client.call_tool(refused, {})
        await at.client.read_resource("demo://item/7")
        with pytest.raises(MCPError):
            await at.client.read_resource("demo://hidden/7")
        await at.client.get_prompt("greet", {"name": "Ann"})

    version = at.audit.records[-1]["version"]

    def ended(method: str, target: str, outcome: str, code: str = "") -> str:
        name = "ringmain_calls_total"
        return sample(name, method=method, target=target, version=version, outcome=outcome, code=code)

    calls = counted(metrics, "ringmain_calls_total")
    assert {
        name: value for name, value in calls.items() if not re.search("method=[a-z]+/(list|discover)", name)
    } == {
        ended("tools/call", "echo", "ok"): 2,
        ended("tools/call", "echo", "error", "invalid_arguments"): 1,
        ended("tools/call", "refuse", "error", "upstream_refused"): 1,
        ended("tools/call", "crash", "error", "internal"): 1,
        ended("tools/call", "hurry_write", "unknown", "outcome_unknown"): 1,
        ended("tools/call", "wipe", "refused", "unknown"): 1,
        ended("tools/call", "_other", "refused", "unknown"): 1,
        ended("resources/read", "item", "ok"): 1,
        ended("resources/read", "_other", "refused", "unknown_resource"): 1,
        ended("prompts/get", "greet", "ok"): 1,
    }
    assert counted(metrics, "ringmain_refusals_total") == {
        sample("ringmain_refusals_total", gate="access", code="unknown"): 2,
        sample("ringmain_refusals_total", gate="access", code="unknown_resource"): 1,
    }
    answers = counted(metrics, "ringmain_answer_bytes_sum", "ringmain_answer_bytes_count")
    assert answers[sample("ringmain_answer_bytes_count", method="tools/call", target="echo")] == 3
    assert answers[sample("ringmain_answer_bytes_sum", method="resources/read", target="item")] == len(
        "item 7"
    )
    assert counted(metrics, "ringmain_calls_running") == {}
    took = counted(metrics, "ringmain_call_duration_seconds_sum", "ringmain_call_duration_seconds_count")
    assert (
        took[sample("ringmain_call_duration_seconds_count", method="tools/call", target="echo", outcome="ok")]
        == 2
    )
    slow = took[
        sample(
            "ringmain_call_duration_seconds_sum", method="tools/call", target="hurry_write", outcome="unknown"
        )
    ]
    assert 0.02 <= slow < 5


def test_ten_thousand_hostile_names_add_no_series() -> None:
    metrics = Metrics(connector, principals=True)

    def attack(number: int) -> None:
        evil = f'evil"\n{number}'
        for call in (
            a_call(target=evil),
            a_call(method="prompts/get", target=evil),
            a_call(method="resources/read", target=f"demo://item/{evil}"),
            a_call(method="completion/complete", target=evil),
            a_call(method=evil, target=evil),
        ):
            metrics.begin(call)
            metrics.end(call, Ending("refused", evil, -32602), 0.001, None)
        metrics.upstream(f"system {number}", "ok", 0.001)
        metrics.cache(evil, "hit")

    for number in range(100):
        attack(number)
    metrics.upstream("one more", "ok", 0.001)
    before = list(metrics.series.values())
    for number in range(100, 10_100):
        attack(number)
    after = list(metrics.series.values())
    assert [(family.name, labels) for family, labels, _ in after] == [
        (family.name, labels) for family, labels, _ in before
    ]
    assert b"evil" not in page(metrics, OPENMETRICS)[0]
    assert len(vars(metrics)["_kinds"]) == 5


def test_principals_are_labels_only_where_asked_for_and_only_two_hundred() -> None:
    plain, asked = Metrics(connector), Metrics(connector, principals=True)
    for number in range(300):
        call = a_call(principal=Principal(f"agent-{number}", "api_key"), declaration=echo)
        for metrics in (plain, asked):
            metrics.begin(call)
            metrics.end(call, OK, 0.001, 1)
    name = "ringmain_calls_total"
    labels = {"method": "tools/call", "target": "echo", "version": "v1", "outcome": "ok", "code": ""}
    assert counted(plain, name) == {sample(name, **labels): 300}
    assert counted(asked, name) == {
        **{sample(name, **labels, principal=f"agent-{number}"): 1.0 for number in range(200)},
        sample(name, **labels, principal="_other"): 100.0,
    }


@pytest.mark.anyio
async def test_running_calls_are_seen_and_cancelled_ones_end() -> None:
    metrics, demo = Metrics(connector), Demo()
    async with bench(connector, upstream=demo) as at:
        put_around(at.server, Measured([metrics]))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(at.client.call_tool, "wait")
            with anyio.fail_after(5):
                await demo.started.wait()
            assert counted(metrics, "ringmain_calls_running") == {sample("ringmain_calls_running"): 1}
            tasks.cancel_scope.cancel()
        with anyio.fail_after(5):
            await demo.ended.wait()
            while counted(metrics, "ringmain_calls_running"):
                await anyio.lowlevel.checkpoint()
    ended = [name for name in counted(metrics, "ringmain_calls_total") if "target=wait," in name]
    version = at.audit.records[-1]["version"]
    assert ended == [
        sample(
            "ringmain_calls_total",
            method="tools/call",
            target="wait",
            version=version,
            outcome="cancelled",
            code="",
        )
    ]


def test_a_listen_stream_is_a_stream_and_not_a_slow_call() -> None:
    metrics = Metrics(connector)
    call = a_call(method="subscriptions/listen", target="demo://about")
    metrics.begin(call)
    assert counted(metrics, "ringmain_listen_streams", "ringmain_calls_running") == {
        sample("ringmain_listen_streams"): 1
    }
    metrics.end(call, OK, 3600.0, None)
    assert counted(metrics, "ringmain_listen_streams", "ringmain_call_duration_seconds_count") == {}
    assert counted(metrics, "ringmain_calls_total") == {
        sample(
            "ringmain_calls_total",
            method="subscriptions/listen",
            target="",
            version="v1",
            outcome="ok",
            code="",
        ): 1
    }


def test_what_the_parts_of_a_server_report_is_counted() -> None:
    metrics = Metrics(connector)
    metrics.upstream("postgres:crm", "ok", 0.3)
    metrics.upstream("postgres:crm", "timeout", 4)
    metrics.retry("postgres:crm")
    metrics.breaker("postgres:crm", "open")
    metrics.breaker("postgres:crm", "half_open")
    metrics.cache("echo", "stale")
    metrics.unserved(Unauthenticated("Who?"))
    written, healthy = 3, True
    metrics.watch(families.AUDIT_RECORDS, lambda: written)
    metrics.watch(families.AUDIT_HEALTHY, lambda: healthy)
    metrics.look()
    written, healthy = 5, False
    found = counted(
        metrics,
        "ringmain_upstream_duration_seconds_sum",
        "ringmain_upstream_retries_total",
        "ringmain_upstream_breaker",
        "ringmain_cache_lookups_total",
        "ringmain_refusals_total",
        "ringmain_audit_records_total",
        "ringmain_audit_healthy",
    )
    assert found == {
        sample("ringmain_upstream_duration_seconds_sum", system="postgres:crm", outcome="ok"): 0.3,
        sample("ringmain_upstream_duration_seconds_sum", system="postgres:crm", outcome="timeout"): 4,
        sample("ringmain_upstream_retries_total", system="postgres:crm"): 1,
        sample("ringmain_upstream_breaker", system="postgres:crm", state="half_open"): 1,
        sample("ringmain_cache_lookups_total", name="echo", result="stale"): 1,
        sample("ringmain_refusals_total", gate="front", code="unauthenticated"): 1,
        sample("ringmain_audit_records_total"): 5,
    }


@pytest.mark.anyio
async def test_calls_that_fail_for_want_of_the_audit_are_counted() -> None:
    metrics = Metrics(connector)
    async with bench(connector, upstream=Demo()) as at:
        put_around(at.server, Measured([metrics]))
        at.audit.broken = True
        with pytest.raises(MCPError):
            await at.client.call_tool("echo", {"text": "x"})
        at.audit.broken = False
    assert counted(metrics, "ringmain_audit_failed_total") == {sample("ringmain_audit_failed_total"): 1}


def test_both_formats_are_valid_and_openmetrics_has_exemplars() -> None:
    metrics = Metrics(connector)
    call = a_call(declaration=echo, trace_id="0af7651916cd43dd8448eb211c80319c", sampled=True)
    metrics.begin(call)
    metrics.end(call, OK, 0.3, 10)
    text, kind = page(metrics, "text/plain;version=0.0.4")
    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    assert b"trace_id" not in text
    more, kind = page(metrics, OPENMETRICS)
    assert kind == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    seen = openmetrics_samples(more.decode())
    labels = {"method": "tools/call", "target": "echo", "outcome": "ok"}
    assert [
        seen[sample("ringmain_call_duration_seconds_bucket", **labels, le=le)]
        for le in ("0.2", "0.5", "+Inf")
    ] == [0, 1, 1]
    assert [value for name, value in seen.items() if name.startswith("ringmain_build_info")] == [1]
    assert "process_cpu_seconds_total{}" in seen
    exemplars = [line for line in more.decode().splitlines() if " # {" in line]
    assert len(exemplars) == 1
    assert 'le="0.5"' in exemplars[0]
    assert '# {trace_id="0af7651916cd43dd8448eb211c80319c"} 0.3 ' in exemplars[0]


def test_text_is_measured_as_it_goes_over_the_wire() -> None:
    assert (
        text_bytes({"content": [{"type": "text", "text": "hä\ud83d"}, {"type": "image", "data": "abcd"}]})
        == 10
    )
    assert text_bytes({"contents": [{"uri": "x", "blob": "abc"}]}) == 3
    assert text_bytes({"messages": [{"role": "user", "content": {"type": "text", "text": "ab"}}]}) == 2
    assert text_bytes({"tools": []}) == 0


def test_the_settings_that_name_principals_are_off_unless_said() -> None:
    core = CoreSettings()
    assert (core.metrics_principals, core.trace_principals, core.metrics_port) == (False, False, None)
