"""The protocol's own conformance suite, both requirement sets, against the core with every gate on."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx2
import pytest

from conformance.everything import connector
from conformance.suite import KEY, Run, Trail, read_trail, required_scenarios, run_suite, serving
from conformance.wire import call_tool

# What the sets hold today; the suite may grow, and must not shrink unnoticed.
_SCENARIOS = {"2026-07-28": 37, "2025-11-25": 30}
_PASSED_CHECKS = {"2026-07-28": 120, "2025-11-25": 70}

# Not counted by the suite, and passed all the same. Not among them: the tasks extension, which is not served.
_ALSO = {
    "2026-07-28": ["json-schema-2020-12", "http-header-validation", "http-custom-header-server-validation"],
    "2025-11-25": ["json-schema-2020-12", "server-session-lifecycle", "server-sse-polling"],
}


class Outcome(NamedTuple):
    run: Run
    trail: Trail
    stranger: httpx2.Response
    forbidden: httpx2.Response


@pytest.fixture(scope="module", params=sorted(_SCENARIOS))
def outcome(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("conformance")
    with serving(folder) as url:
        run = run_suite(url, request.param, folder)
        stranger = call_tool(url, "test_simple_text", key="rm_stranger_nothing")
        forbidden = call_tool(url, "forbidden", key=KEY)
    return Outcome(run, read_trail(folder), stranger, forbidden)


def test_every_required_scenario_passes(outcome: Outcome) -> None:
    run = outcome.run
    scenarios = required_scenarios(run.revision) + _ALSO[run.revision]
    faults = run.of(scenarios, "FAILURE", "WARNING")
    assert not faults, "\n".join(map(str, faults))
    assert run.exit_status == 0, run.output


def test_no_scenario_is_left_out(outcome: Outcome) -> None:
    run = outcome.run
    required = required_scenarios(run.revision)
    assert len(required) >= _SCENARIOS[run.revision]
    assert [name for name in required + _ALSO[run.revision] if not run.of([name], "SUCCESS")] == []
    assert run.of(required + _ALSO[run.revision], "SKIPPED") == []
    assert len(run.of(required, "SUCCESS")) >= _PASSED_CHECKS[run.revision]


def test_the_audit_is_genuine_and_has_every_call(outcome: Outcome) -> None:
    report, records = outcome.trail.report, outcome.trail.records
    assert (report.problem, report.notes, report.records) == (None, (), len(records))
    called = {
        record.get("target")
        for record in records
        if _is(record, method="tools/call") and record.get("outcome") in ("ok", "asked")
    }
    methods = {record.get("method") for record in records}
    if outcome.run.revision == "2026-07-28":
        assert called >= {tool.name for tool in connector.tools if "input_required" in tool.name}
        assert methods >= {"server/discover", "subscriptions/listen", "prompts/get", "resources/read"}
    else:
        assert called >= {"test_sampling", "test_elicitation", "test_reconnection", "test_simple_text"}
        assert methods >= {"initialize", "ping", "resources/subscribe", "logging/setLevel"}
    assert {record["principal"] for record in records if "method" in record} == {"suite"}


def test_the_gates_were_on_all_the_while(outcome: Outcome) -> None:
    records = outcome.trail.records
    assert outcome.stranger.status_code == 401
    assert any(_is(each, outcome="refused", code="invalid_token", gate="front") for each in records)
    assert any(_is(each, outcome="refused", code="forbidden_host", gate="front") for each in records)
    assert outcome.forbidden.json()["error"]["message"].startswith("Unknown tool `forbidden`.")
    assert any(_is(each, outcome="refused", target="forbidden", gate="access") for each in records)
    if outcome.run.revision == "2026-07-28":
        phases = [each["phase"] for each in records if each.get("target") == "test_trigger_tool_change"]
        assert phases[:2] == ["intent", "outcome"]


def _is(record: Mapping[str, Any], **values: str) -> bool:
    return all(record.get(name) == value for name, value in values.items())
