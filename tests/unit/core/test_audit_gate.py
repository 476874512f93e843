from typing import Any

import anyio
import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPError

from ringmain_core.audit import AuditKey, AuditLog
from ringmain_core.gates.audit import Trail
from ringmain_core.principal import ANONYMOUS, Principal
from ringmain_core.refusals import NotOnRecord, Unauthenticated
from ringmain_core.testing import CapturedAudit, bench
from unit.core.demo import ROW, Demo, connector

pytestmark = pytest.mark.anyio

COMMON = {
    "principal": "local",
    "auth": "local",
    "connector": "demo",
    "transport": "stdio",
    "method": "tools/call",
    "version": "v2",
}


ONE_CALL_AN_HOUR = """
[roles.all]
allow = ["*:*"]
[[agents]]
id = "local"
roles = ["all"]
[limits]
"demo.echo" = { rate = "1/h", burst = 1 }
"""


def known(record: dict[str, Any]) -> dict[str, Any]:
    """A record without what differs from run to run, and without what all records here share."""
    assert record.items() >= COMMON.items()
    shown = {key: value for key, value in record.items() if key not in (*COMMON, "id", "latency_ms")}
    if "result" in shown:
        shown["result"] = {key: value for key, value in shown["result"].items() if key != "hmac"}
    return shown


async def records_of(tool: str, **arguments: Any) -> list[dict[str, Any]]:
    async with bench(connector, upstream=Demo()) as at:
        at.audit.records.clear()
        await at.client.session.call_tool(tool, arguments)
        return [record for record in at.audit.records if record["method"] == "tools/call"]


async def test_a_read_is_one_record() -> None:
    [record] = await records_of("echo", text="hi")
    assert known(record) == {
        "phase": "call",
        "target": "echo",
        "arguments": {"text": "hi"},
        "result": {"bytes": 2, "text": "hi"},
        "outcome": "ok",
    }
    assert 0 < record["latency_ms"] < 5_000


async def test_a_write_is_an_intent_before_and_an_outcome_after_with_one_id() -> None:
    intent, outcome = await records_of("note", text="hi")
    assert known(intent) == {"phase": "intent", "target": "note", "arguments": {"text": "hi"}}
    assert known(outcome) == {
        "phase": "outcome",
        "target": "note",
        "result": {"bytes": 4, "text": "kept"},
        "outcome": "ok",
    }
    assert intent["id"] == outcome["id"]


async def test_a_failure_as_planned_is_an_error_with_its_code() -> None:
    [record] = await records_of("refuse")
    assert known(record) == {
        "phase": "call",
        "target": "refuse",
        "result": {"bytes": 15, "text": "No such column."},
        "outcome": "error",
        "code": "upstream_refused",
    }


async def test_a_crash_is_an_error_without_its_text() -> None:
    [record] = await records_of("crash")
    assert (record["outcome"], record["code"]) == ("error", "internal")
    assert ROW not in str(record)


async def test_a_read_that_took_too_long_is_an_error_and_a_write_is_unknown() -> None:
    [read] = await records_of("hurry")
    assert (read["outcome"], read["code"]) == ("error", "deadline_exceeded")
    _, write = await records_of("hurry_write")
    assert (write["phase"], write["outcome"], write["code"]) == ("outcome", "unknown", "outcome_unknown")


async def test_arguments_that_do_not_fit_are_on_record() -> None:
    [record] = await records_of("echo", text=5, picky=7, other="never kept", secret=["s", "t"])
    assert known(record)["arguments"] == {
        "text": 5,
        "secret": "<withheld, 10 characters>",
        "picky": "<not shown, TypeError>",
        "other": "<unknown argument>",
    }
    assert (record["outcome"], record["code"]) == ("error", "invalid_arguments")


async def test_arguments_are_kept_as_the_declaration_says() -> None:
    [record] = await records_of("echo", text="a", secret="hush", picky="loud")
    assert record["arguments"] == {
        "text": "a",
        "secret": "<withheld, 6 characters>",
        "picky": "LOUD",
    }


async def test_of_an_unknown_tools_arguments_only_the_names_are_kept() -> None:
    async with bench(connector, upstream=Demo()) as at:
        with pytest.raises(MCPError):
            await at.client.session.call_tool("nope", {"a" * 100: "hush"})
        assert known(at.audit.records[-1]) == {
            "phase": "call",
            "target": "nope",
            "arguments": {"a" * 64: "<not read, 4 characters>"},
            "outcome": "refused",
            "code": "unknown",
            "gate": "access",
        }


async def test_a_hidden_tools_arguments_are_kept_as_it_declares() -> None:
    async with bench(connector, upstream=Demo(), policy='[[agents]]\nid = "local"') as at:
        with pytest.raises(MCPError):
            await at.client.session.call_tool("echo", {"secret": "hush"})
        assert at.audit.records[-1]["arguments"] == {"secret": "<withheld, 6 characters>"}


async def test_a_refused_write_leaves_no_intent() -> None:
    async with bench(connector, upstream=Demo(), policy='[[agents]]\nid = "local"') as at:
        at.audit.records.clear()
        with pytest.raises(MCPError):
            await at.client.session.call_tool("note", {"text": "x"})
        assert [record["phase"] for record in at.audit.records] == ["call"]


async def test_what_the_sdk_finds_wrong_is_on_record() -> None:
    async with bench(connector, upstream=Demo()) as at:
        request = types.CallToolRequest.model_construct(
            method="tools/call", params=types.CallToolRequestParams.model_construct(name="echo", arguments=5)
        )
        with pytest.warns(UserWarning, match="Pydantic"), pytest.raises(MCPError):
            await at.client.session.send_request(request, types.CallToolResult)
        assert (at.audit.records[-1]["outcome"], at.audit.records[-1]["code"]) == ("error", "invalid_params")


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize(
    ("tool", "phases"),
    [("wait", [("call", "cancelled")]), ("wait_write", [("intent", None), ("outcome", "cancelled")])],
)
async def test_a_cancelled_call_is_on_record(mode: str, tool: str, phases: list[Any]) -> None:
    demo = Demo()
    async with bench(connector, upstream=demo, mode=mode) as at:
        at.audit.records.clear()
        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(lambda: at.client.session.call_tool(tool, {}))
                await demo.started.wait()
                tasks.cancel_scope.cancel()
            await demo.ended.wait()
            await at.client.list_prompts()
        found = [(record["phase"], record.get("outcome")) for record in at.audit.records]
        assert found[: len(phases)] == phases


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_write_whose_intent_cannot_be_recorded_is_not_tried(mode: str) -> None:
    demo = Demo()
    async with bench(connector, upstream=demo, mode=mode) as at:
        at.audit.broken = True
        with pytest.raises(MCPError) as caught:
            await at.client.session.call_tool("note", {"text": "x"})
        assert demo.notes == []
        data = caught.value.error.data
        assert (caught.value.code, data.pop("call_id") != "") == (-32006, True)
        assert data == {"code": "audit_unavailable", "retryable": True, "retry_after_ms": 5000}
        at.audit.broken = False
        await at.client.session.call_tool("note", {"text": "y"})
        assert demo.notes == ["y"]


async def test_a_read_that_cannot_be_recorded_is_not_answered() -> None:
    async with bench(connector, upstream=Demo()) as at:
        at.audit.broken = True
        with pytest.raises(MCPError) as caught:
            await at.client.session.call_tool("echo", {"text": ROW})
        assert caught.value.error.data["code"] == "audit_unavailable"
        assert ROW not in str(caught.value.error)


async def test_a_write_whose_outcome_cannot_be_recorded_is_not_called_undone() -> None:
    demo = Demo()
    async with bench(connector, upstream=demo) as at, anyio.create_task_group() as tasks:

        async def break_it() -> None:
            await demo.started.wait()
            at.audit.broken = True
            demo.go_on.set()

        tasks.start_soon(break_it)
        with anyio.fail_after(5), pytest.raises(MCPError) as caught:
            await at.client.session.call_tool("wait_write", {})
        data = caught.value.error.data
        assert (data["code"], data["retryable"]) == ("outcome_not_on_record", False)
        assert caught.value.error.message == (
            "This was tried, but how it ended could not be put on record. Check whether it has happened "
            "before you try again, and tell the operator."
        )


async def test_resources_and_prompts_are_on_record() -> None:
    async with bench(connector, upstream=Demo()) as at:
        await at.client.read_resource("demo://item/7")
        await at.client.get_prompt("greet", {"name": "Ann"})
        read, got = at.audit.records[-2:]
        assert (read["method"], read["target"], read["result"]["text"]) == (
            "resources/read",
            "demo://item/7",
            "item 7",
        )
        assert (got["target"], got["arguments"], got["result"]["text"]) == (
            "greet",
            {"name": "Ann"},
            "Greet Ann.",
        )


async def test_a_resource_that_crashes_tells_the_caller_nothing() -> None:
    for mode in ("auto", "legacy"):
        async with bench(connector, upstream=Demo(), mode=mode) as at:
            with pytest.raises(MCPError) as caught:
                await at.client.read_resource("demo://item/crash")
            assert ROW not in str(caught.value.error)
            assert at.audit.records[-1]["code"] == "internal"


async def test_a_trace_id_is_kept_where_it_is_one() -> None:
    async with bench(connector, upstream=Demo()) as at:
        good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        for parent in (good, "00-" + "\n" * 32 + "-b7ad6b7169203331-01"):
            await at.client.session.call_tool("echo", {"text": "x"}, meta={"traceparent": parent})
        traces = [record.get("trace_id") for record in at.audit.records if record.get("target") == "echo"]
        assert traces == ["0af7651916cd43dd8448eb211c80319c", None]


@pytest.mark.parametrize("flooding", [ANONYMOUS, Principal("bob", "api_key")], ids=["stranger", "known"])
def test_refusals_of_one_caller_are_counted_where_they_are_too_many_to_record(flooding: Principal) -> None:
    sink = CapturedAudit()
    with AuditLog(sink, 1.0) as log:
        trail = Trail("demo", log, AuditKey(b"k" * 32).mac_of_answer)
        for _ in range(5_000):
            trail.write_unserved(Unauthenticated("no"), flooding, None)
        assert 200 <= len(sink.records) < 300
        written = len(sink.records)
        for _ in range(2):
            trail.write_unserved(Unauthenticated("no"), Principal("ann", "api_key"), None)
    assert len(sink.records) == written + 2
    counted = [record["detail"]["left_out"] for record in sink.records if "detail" in record]
    assert [set(each) for each in counted] == [{flooding.owner}] * len(counted)
    assert sum(each[flooding.owner] for each in counted) == 5_000 - written


async def test_of_what_is_over_the_limit_only_names_and_sizes_are_kept_and_only_so_often() -> None:
    async with bench(connector, upstream=Demo(), policy=ONE_CALL_AN_HOUR) as at:
        at.audit.records.clear()
        await at.client.session.call_tool("echo", {"text": "x" * 2_000})
        given = {"text": "x" * 900_000, "more": [ROW], **{f"n{number}": 1 for number in range(100)}}
        for _ in range(500):
            with pytest.raises(MCPError):
                await at.client.session.call_tool("echo", given)
    first, *refused = [record for record in at.audit.records if record["method"] == "tools/call"]
    assert first["arguments"] == {"text": "x" * 2_000}
    assert 200 <= len(refused) < 300
    assert refused[0]["arguments"] == {
        "text": "<not read, 900,000 characters>",
        "more": "<not read>",
        **{f"n{number}": "<not read>" for number in range(18)},
    }
    assert (refused[0]["outcome"], refused[0]["code"], refused[0]["gate"]) == (
        "refused",
        "rate_limited",
        "rate_limit",
    )


def test_a_refusal_that_cannot_be_recorded_is_not_given() -> None:
    sink = CapturedAudit()
    sink.broken = True
    with AuditLog(sink, 1.0) as log:
        trail = Trail("demo", log, AuditKey(b"k" * 32).mac_of_answer)
        with pytest.raises(NotOnRecord):
            trail.write_unserved(Unauthenticated("no"), ANONYMOUS, None)


@pytest.mark.parametrize(
    ("result", "kept"),
    [
        ({"content": [{"type": "text", "text": "é"}]}, 2),
        ({"contents": [{"uri": "x", "blob": "QUJD"}]}, 4),
        ({"messages": [{"role": "user", "content": {"type": "text", "text": "abc"}}]}, 3),
        ({"content": ["odd", {"text": 5}, None, {"content": "x"}]}, 1),
        ({"content": "odd"}, None),
        ({}, None),
    ],
)
def test_the_size_of_every_kind_of_answer_is_kept(result: dict[str, Any], kept: int | None) -> None:
    trail = Trail("demo", AuditLog.none(), AuditKey(b"k" * 32).mac_of_answer)
    summary = trail.summary(result)
    assert (summary["bytes"] if summary else None) == kept
