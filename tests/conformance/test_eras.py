"""What the suite does not look at: whose state a request brings, and how sessions survive refusals."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from conformance.suite import KEY, OTHER_KEY, serving
from conformance.wire import Session, call_tool

_ASKS = "test_input_required_result_request_state"
_ANSWERS = {"confirm": {"action": "accept", "content": {"ok": True}}}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("eras")) as url:
        yield url


def test_state_serves_only_the_agent_it_was_given_to(url: str) -> None:
    asked = call_tool(url, _ASKS, key=KEY).json()["result"]
    again = {"inputResponses": _ANSWERS, "requestState": asked["requestState"]}

    stolen = call_tool(url, _ASKS, key=OTHER_KEY, **again).json()
    mine = call_tool(url, _ASKS, key=KEY, **again).json()

    assert stolen["error"] == {
        "code": -32602,
        "message": "Invalid or expired requestState",
        "data": {"reason": "invalid_request_state"},
    }
    assert mine["result"]["content"] == [{"type": "text", "text": "state-ok"}]


def test_a_question_is_refused_where_the_client_cannot_answer(url: str) -> None:
    answer = call_tool(url, "test_missing_capability", key=KEY)

    assert answer.status_code == 400
    assert answer.json()["error"] == {
        "code": -32021,
        "message": "This asks the client with `sampling/createMessage`, and the client has not said that it "
        "can answer.",
        "data": {"requiredCapabilities": {"sampling": {}}},
    }


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("tools/call", {"name": "test_simple_txt"}, -32602),
        ("resources/read", {"uri": "test://nothing"}, -32002),
        ("no/such/method", {}, -32601),
    ],
)
def test_a_refusal_does_not_end_a_session(url: str, method: str, params: dict[str, Any], code: int) -> None:
    session = Session(url, KEY)

    refused = session.send(method, **params)
    served = session.send("tools/call", name="test_simple_text")

    assert (refused.status_code, _message(refused.text)["error"]["code"]) == (200, code)
    assert _message(served.text)["result"]["content"][0]["text"].startswith("This is a simple text")


def _message(stream: str) -> dict[str, Any]:
    """The last message of an event stream."""
    return [json.loads(line[5:]) for line in stream.splitlines() if line.startswith("data: {")][-1]
