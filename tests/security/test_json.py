"""What parsers disagree about is refused alike over HTTP and stdio, before anybody acts on it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydantic_core
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringmain_core.transport.strict_json import NotStrictJson, loads_strict
from security.programs import ANN, DEMO, Stdio, Target, demo_target, on_stdio, settings_in
from security.wire import LEGACY, MODERN, Caller, send

_SAID = b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"note","arguments":{"text":"x"}}}'
_TEXT = b'"text":"x"'
_DEEP = 100_000

# Each would be a good call but for one thing.
NOT_JSON = {
    "duplicate key: method": _SAID.replace(b'"method"', b'"method":"tools/list","method"'),
    "duplicate key: name": _SAID.replace(b'"name"', b'"name":"echo","name"'),
    "duplicate key: escaped": _SAID.replace(b'"name"', b'"n\\u0061me":"echo","name"'),
    "duplicate key: argument": _SAID.replace(_TEXT, _TEXT + b"," + _TEXT),
    "NaN": _SAID.replace(_TEXT, b'"text":NaN'),
    "Infinity": _SAID.replace(_TEXT, b'"text":Infinity'),
    "-Infinity": _SAID.replace(_TEXT, b'"text":-Infinity'),
    "10^5 nested lists": _SAID.replace(_TEXT, b'"text":' + b"[" * _DEEP + b"]" * _DEEP),
    "10^5 nested objects": _SAID.replace(_TEXT, b'"text":' + b'{"a":' * _DEEP + b"1" + b"}" * _DEEP),
    "10^5 open brackets": b"[" * _DEEP,
    "huge integer": _SAID.replace(_TEXT, b'"text":' + b"9" * 5_000),
    "integer over 64 bits": _SAID.replace(_TEXT, b'"text":18446744073709551616'),
    "huge integer as id": _SAID.replace(b'"id":7', b'"id":' + b"1" * 400),
    "huge float": _SAID.replace(_TEXT, b'"text":1e999'),
    "lone surrogate": _SAID.replace(_TEXT, b'"text":"\\ud800"'),
    "lone surrogate in a key": _SAID.replace(_TEXT, b'"\\udc00":1,"text":"x"'),
    "lone surrogate as bytes": _SAID.replace(_TEXT, b'"text":"\xed\xa0\x80"'),
    "byte order mark": b"\xef\xbb\xbf" + _SAID,
    "not UTF-8": _SAID.replace(_TEXT, b'"text":"\xff"'),
    "overlong UTF-8": _SAID.replace(_TEXT, b'"text":"\xc0\xaf"'),
    "trailing garbage": _SAID + b"x",
    "two values": _SAID + b" " + _SAID,
    "trailing NUL": _SAID + b"\0",
    "trailing comma": _SAID.replace(_TEXT, _TEXT + b","),
    "comment": _SAID.replace(_TEXT, _TEXT + b"/*,*/"),
    "single quotes": _SAID.replace(b'"', b"'"),
    "control character": _SAID.replace(_TEXT, b'"text":"\t"'),
}
NOT_A_MESSAGE = {
    "wrong case: Method": _SAID.replace(b'"method"', b'"Method"'),
    "wrong case: JSONRPC": _SAID.replace(b'"jsonrpc"', b'"JSONRPC"'),
    "wrong case: both methods": _SAID.replace(b'"method"', b'"Method":"tools/list","METHOD"'),
    "folded: long s": _SAID.replace(b'"jsonrpc"', b'"j\xc5\xbfonrpc"'),
    "batch": b"[" + _SAID + b"]",
    "empty batch": b"[]",
    "a number": b"7",
    "null": b"null",
    "another version": _SAID.replace(b'"2.0"', b'"1.0"'),
    "a version that is a number": _SAID.replace(b'"2.0"', b"2.0"),
    "method as list": _SAID.replace(b'"tools/call"', b'["tools/call"]'),
    "id as list": _SAID.replace(b'"id":7', b'"id":[7]'),
    "id as truth": _SAID.replace(b'"id":7', b'"id":true'),
}
MISREAD = {
    "wrong case: Params": _SAID.replace(b'"params"', b'"Params"'),
    "wrong case: Name": _SAID.replace(b'"name"', b'"Name"'),
    "wrong case: Arguments": _SAID.replace(b'"arguments"', b'"Arguments"'),
    "wrong case: an argument": _SAID.replace(b'"text"', b'"Text"'),
    "wrong case: the tool": _SAID.replace(b'"note"', b'"Note"'),
    "wrong case: the method": _SAID.replace(b'"tools/call"', b'"Tools/Call"'),
}


@pytest.fixture(scope="module")
def target(folder: Path) -> Iterator[Target]:
    with demo_target(folder) as target:
        yield target


@pytest.fixture(scope="module")
def stdio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stdio]:
    with on_stdio(DEMO, settings_in(tmp_path_factory.mktemp("stdio"))) as stdio:
        stdio.shake_hands()
        yield stdio
        assert stdio.finish() == (0, "")


def over_http(target: Target, era: str, body: bytes) -> Any:
    """The answer; never a success, and the call is on record as refused."""
    caller = Caller(target.port, ANN, era)
    if era == LEGACY:
        caller.shake_hands()
    before = len(target.trail())
    answer = caller.send(body, "tools/call", {"name": "note"})
    assert answer.status < 500
    made = target.trail_after(before)
    assert made
    assert "ok" not in {record["outcome"] for record in made}
    assert "intent" not in {record["phase"] for record in made}
    return answer


@pytest.mark.parametrize("what", NOT_JSON)
def test_cve_2026_27896_cve_2026_33252_what_is_not_strict_json_is_refused_alike(
    target: Target, stdio: Stdio, what: str
) -> None:
    told = stdio.answer(NOT_JSON[what])["error"]
    for era in (MODERN, LEGACY):
        answer = over_http(target, era, NOT_JSON[what])
        assert (answer.status, answer.json["error"]["code"]) == (400, -32700)
        assert (told["code"], told["message"]) == (-32700, answer.json["error"]["message"])


def test_utf_16_is_refused_on_http_and_stdio(target: Target, stdio: Stdio) -> None:
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        body = _SAID.decode().encode(encoding)
        assert over_http(target, MODERN, body).json["error"]["code"] == -32700
        lines = body.count(b"\n") + 1
        stdio.send(body)
        assert [stdio.receive()["error"]["code"] for _ in range(lines)] == [-32700] * lines


@pytest.mark.parametrize("what", NOT_A_MESSAGE)
def test_cve_2026_27896_what_is_no_message_is_refused_alike(target: Target, stdio: Stdio, what: str) -> None:
    told = stdio.answer(NOT_A_MESSAGE[what])["error"]
    answers = {era: over_http(target, era, NOT_A_MESSAGE[what]) for era in (MODERN, LEGACY)}
    assert {era: answer.status for era, answer in answers.items()} == {MODERN: 400, LEGACY: 400}
    assert told["code"] == -32600
    assert all(answer.json["error"]["code"] in (-32600, -32602) for answer in answers.values())


@pytest.mark.parametrize("what", MISREAD)
def test_cve_2026_27896_wrong_case_keys_mean_nothing_anywhere(
    target: Target, stdio: Stdio, what: str
) -> None:
    told = stdio.answer(MISREAD[what])
    assert "error" in told or told["result"]["isError"], told
    caller = Caller(target.port, ANN, LEGACY).shake_hands()
    before = len(target.trail())
    answer = caller.send(MISREAD[what], "tools/call").json
    assert {key: value for key, value in answer.items() if key == "error"}.keys() == told.keys() & {"error"}
    assert answer.get("error", {}).get("code") == told.get("error", {}).get("code")
    made = target.trail_after(before)
    assert [record["outcome"] for record in made] != []
    assert {record["outcome"] for record in made} <= {"refused", "error"}
    assert "intent" not in {record["phase"] for record in made}


@pytest.mark.parametrize(
    ("header", "value"), [("Mcp-Name", "who"), ("Mcp-Name", "NOTE"), ("Mcp-Method", "tools/list")]
)
def test_headers_and_body_that_disagree_are_refused(target: Target, header: str, value: str) -> None:
    """Whoever stands in front may have judged by the headers."""
    caller = Caller(target.port, ANN)
    params = {"name": "note", "arguments": {"text": "x"}}
    body = json.dumps(caller.message("tools/call", params)).encode()
    headers = dict(caller.headers("tools/call", params)) | {header: value}
    answer = send(target.port, "POST", caller.path, list(headers.items()), body)
    assert (answer.status, "result" in answer.json) == (400, False)


_LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
_VALUES = st.recursive(
    _LEAF,
    lambda of: st.lists(of, max_size=4) | st.dictionaries(st.text(max_size=4), of, max_size=4),
    max_leaves=12,
)


@st.composite
def _bytes(draw: st.DrawFn) -> bytes:
    """JSON, with a few bytes cut out, put in or changed."""
    body = bytearray(
        json.dumps(draw(_VALUES), ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    )
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(body)))
        body[place : place + draw(st.integers(0, 2))] = draw(
            st.sampled_from(
                [b'"', b",", b"{", b"]", b"1e999", b"NaN", b"\xff", b"\\u0061", b"\\ud800", b"9" * 25, b""]
            )
        )
    return bytes(body)


@given(body=_bytes())
@settings(max_examples=250, derandomize=True, database=None)
def test_gate_and_dispatcher_read_the_same_or_nothing(body: bytes) -> None:
    """The gate reads with one parser, the dispatcher with another: one text must not be two things."""
    try:
        value = loads_strict(body)
    except NotStrictJson:
        return
    assert pydantic_core.from_json(body) == value
