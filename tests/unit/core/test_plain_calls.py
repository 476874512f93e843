from datetime import UTC, datetime
from typing import Any

import mcp_types as types
import pytest
from mcp_types.methods import serialize_server_result, validate_client_request

from ringmain_core.gates.plain import is_plain_call, plain_answer
from ringmain_core.results import Answer, Structure, success

MODERN, LEGACY = "2026-07-28", "2025-11-25"
PREFIX = "io.modelcontextprotocol/"
META: dict[str, Any] = {f"{PREFIX}protocolVersion": MODERN, f"{PREFIX}clientCapabilities": {}}
CALL: dict[str, Any] = {"name": "who", "arguments": {"text": "x"}}


PLAIN: list[tuple[str, dict[str, Any]]] = [
    (MODERN, CALL | {"_meta": META}),
    (MODERN, CALL | {"_meta": META | {"traceparent": "00-1-2-01", f"{PREFIX}logLevel": "debug"}}),
    (MODERN, CALL | {"_meta": META | {f"{PREFIX}clientInfo": {"name": "c", "version": "1"}}}),
    (LEGACY, CALL),
    (LEGACY, CALL | {"_meta": {"progressToken": 7}}),
    (LEGACY, CALL | {"_meta": {"progressToken": "seven", "x": [1]}}),
]


@pytest.mark.parametrize(("version", "params"), PLAIN)
def test_a_plain_call_is_valid_for_the_protocols_models(version: str, params: dict[str, Any]) -> None:
    assert is_plain_call(params, version)
    validate_client_request("tools/call", version, params)
    assert types.CallToolRequestParams.model_validate(params).arguments == params["arguments"]


OTHER: list[tuple[str, dict[str, Any]]] = [
    (MODERN, CALL),
    (MODERN, CALL | {"_meta": None}),
    (MODERN, CALL | {"_meta": META | {f"{PREFIX}clientCapabilities": []}}),
    (MODERN, CALL | {"_meta": META | {f"{PREFIX}clientInfo": {"name": "c"}}}),
    (MODERN, CALL | {"_meta": META | {f"{PREFIX}clientInfo": {"name": "c" * 3_000, "version": "1"}}}),
    (MODERN, CALL | {"_meta": META | {f"{PREFIX}logLevel": "loud"}}),
    (MODERN, CALL | {"_meta": META | {"progressToken": 1.5}}),
    (MODERN, CALL | {"_meta": META, "requestState": "x"}),
    (MODERN, CALL | {"_meta": META, "inputResponses": {}}),
    (LEGACY, CALL | {"_meta": []}),
    (LEGACY, CALL | {"task": {"ttl": 1}}),
    (LEGACY, {"name": 1, "arguments": {}}),
    (LEGACY, {"name": "who", "arguments": []}),
    (LEGACY, {"name": "who"}),
    (LEGACY, {"arguments": {}}),
    (LEGACY, {}),
]


@pytest.mark.parametrize(("version", "params"), OTHER)
def test_whatever_else_it_says_is_for_the_protocols_models(version: str, params: dict[str, Any]) -> None:
    assert not is_plain_call(params, version)


@pytest.mark.parametrize("text", ["", "abc", "ünï \U0001f600"])
@pytest.mark.parametrize("version", [MODERN, LEGACY, "2024-11-05"])
def test_a_plain_answer_is_what_the_protocols_models_make_of_it(version: str, text: str) -> None:
    result = {"resultType": "complete", "content": [{"type": "text", "text": text}]}
    answer = plain_answer(result)
    assert answer is not None
    sent = answer | ({"resultType": "complete"} if version == MODERN else {})
    assert sent == serialize_server_result("tools/call", version, result)


class Found(Answer):
    facts: dict[str, Any]
    at: datetime
    note: str | None = None

    def text(self) -> str:
        return "found"


@pytest.mark.parametrize("version", [MODERN, LEGACY, "2024-11-05"])
def test_a_structured_answer_is_what_the_protocols_models_make_of_it(version: str) -> None:
    facts = {"n": 1, "none": None, "list": [None, {"x": None}], "text": "ünï", "half": 0.5, "yes": True}
    made = success(Found(facts=facts, at=datetime(2026, 1, 31, tzinfo=UTC)), 1_000)
    result = {"resultType": "complete", **made}
    answer = plain_answer(result)
    assert answer is not None
    sent = answer | ({"resultType": "complete"} if version == MODERN else {})
    assert sent == serialize_server_result("tools/call", version, result)
    assert sent["structuredContent"] == {"facts": facts, "at": "2026-01-31T00:00:00Z"}


OTHER_RESULTS: list[dict[str, Any]] = [
    {"resultType": "complete", "content": []},
    {"resultType": "complete", "content": "text"},
    {"resultType": "complete", "content": [{"type": "text", "text": "half \ud800"}]},
    {"resultType": "complete", "content": [{"type": "text", "text": 1}]},
    {"resultType": "complete", "content": [{"type": "text", "text": "x", "annotations": {}}]},
    {"resultType": "complete", "content": [{"type": "image", "text": "x"}]},
    {"resultType": "complete", "content": [{"type": "text", "text": "x"}] * 2},
    {"resultType": "complete", "content": [{"type": "text", "text": "x"}], "isError": True},
    {"resultType": "complete", "content": [{"type": "text", "text": "x"}], "structuredContent": {}},
    {"resultType": "complete", "structuredContent": Structure()},
    {
        "resultType": "complete",
        "content": [{"type": "text", "text": "x"}],
        "structuredContent": Structure(),
        "isError": False,
    },
    {"resultType": "input_required", "inputRequests": {}},
]


@pytest.mark.parametrize("result", OTHER_RESULTS)
def test_other_answers_go_through_the_protocols_models(result: dict[str, Any]) -> None:
    assert plain_answer(result) is None
