"""Whatever comes in: no crash, no leak, nothing off the record, and nothing kept of what was refused."""

import gc
import json
import logging
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringmain_core.gates import audit
from security.conftest import PASSWORD, ROW, Behind
from security.programs import ANN, DEMO, Target, on_stdio, postgres_target, settings_in, trail
from security.wire import ERAS, LEGACY, MODERN, Caller, in_header
from unit.core.demo import ROW as DEMO_ROW
from unit.core.http_bench import POLICY, Exchange, Headers, HttpBench, http_bench

FUZZ = settings(
    max_examples=80,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
# Tools that fail or wait on purpose are left out: here every failure counts.
TOOLS = ("echo", "words", "who", "count", "note", "wipe", "refuse")
METHODS = (
    "tools/call", "tools/list", "resources/read", "resources/list", "resources/templates/list", "prompts/get",
    "prompts/list", "completion/complete", "initialize", "ping", "server/discover", "logging/setLevel",
    "resources/subscribe", "resources/unsubscribe", "tasks/get", "sampling/createMessage", "roots/list",
    "notifications/cancelled", "notifications/initialized", "", "x", "tools/call\0", "Tools/List",
)  # fmt: skip

_text = st.text(max_size=12) | st.sampled_from(
    ["", "\0", "\ud800", "../..", "ann", "who", "x" * 5_000, "{}", "null"]
)
_scalar = (
    st.none()
    | st.booleans()
    | _text
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
)
_value = st.recursive(
    _scalar, lambda of: st.lists(of, max_size=4) | st.dictionaries(_text, of, max_size=4), max_leaves=8
)
_params = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from([*TOOLS, "greet", "nothing"]) | _value,
        "uri": st.sampled_from(["demo://about", "demo://item/x", "demo://hidden/x"]) | _value,
        "arguments": st.dictionaries(
            st.sampled_from(["text", "times", "count", "tags", "limit"]) | _text, _value
        ),
        "cursor": _value,
        "ref": _value | st.just({"type": "ref/prompt", "name": "greet"}),
        "argument": _value | st.just({"name": "name", "value": "x"}),
        "_meta": _value,
        "inputResponses": _value,
        "requestState": _value,
        "protocolVersion": _value,
        "capabilities": _value,
    },
)
_envelope = st.fixed_dictionaries(
    {
        "jsonrpc": st.just("2.0") | _scalar,
        "method": st.sampled_from(METHODS) | _value,
        "params": _params | _value,
    },
    optional={"id": st.integers(0, 99) | _value, "result": _value, "error": _value, "Method": _value},
)


def encoded(message: object) -> bytes:
    return json.dumps(message).encode()


@dataclass
class Bench:
    """The app in memory, for tests that are no coroutines."""

    portal: BlockingPortal
    at: HttpBench
    session: str

    def ask(self, body: bytes, era: str, method: object, name: object) -> Exchange:
        headers: Headers = {"mcp-protocol-version": era}
        if era == LEGACY:
            headers["mcp-session-id"] = self.session
        else:
            headers |= {"mcp-method": in_header(str(method))}
            headers |= {"mcp-name": in_header(name)} if isinstance(name, str) and name else {}
        return self.portal.call(self.at.ask, "POST", "/v1/mcp", headers, [body])


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzzed")


@pytest.fixture(scope="module")
def fuzzed(state: Path) -> Generator[Bench]:
    limits = 'limits = { rate = "100000/s", burst = 100000 }\nconfirm = []'
    policy = POLICY.replace('allow = ["*:*"]', f'allow = ["*:*"]\n{limits}')
    with pytest.MonkeyPatch.context() as patched, start_blocking_portal() as portal:
        patched.setattr(audit, "_REFUSALS_AT_ONCE", 1_000_000)  # each is looked for on record
        opened = http_bench(policy, state_dir=state, loop_guard="off")
        with portal.wrap_async_context_manager(opened) as at:
            yield Bench(portal, at, portal.call(at.open_session))


def meant(message: dict[str, Any], era: str) -> dict[str, Any]:
    """Half of the messages say about themselves what the era wants, so that they come further."""
    if era == MODERN and isinstance(message.get("params"), dict) and isinstance(message.get("id"), int):
        prefix = "io.modelcontextprotocol/"
        about: dict[str, Any] = {f"{prefix}protocolVersion": era, f"{prefix}clientCapabilities": {}}
        message = message | {"params": message["params"] | {"_meta": about}}
    return message


def named_in(params: object) -> Any:
    """What the headers of the newer era repeat."""
    said = cast("dict[str, Any]", params) if isinstance(params, dict) else {}
    return said.get("name", said.get("uri"))


@pytest.mark.parametrize("era", ERAS)
@given(message=_envelope)
@FUZZ
def test_ghsa_j975_95f5_7wqh_no_envelope_makes_the_app_fail(
    fuzzed: Bench, caplog: pytest.LogCaptureFixture, era: str, message: dict[str, Any]
) -> None:
    caplog.clear()
    caplog.set_level(logging.INFO)
    before = len(fuzzed.at.audit.records)
    message = meant(message, era)
    name = named_in(message["params"])
    answer = fuzzed.ask(encoded(message), era, message["method"], name)
    assert answer.status < 500 or answer.status == 503, answer.content
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert DEMO_ROW not in answer.content.decode() + caplog.text
    if answer.status != 202:  # what needs no answer asks for nothing
        assert len(fuzzed.at.audit.records) > before
    else:
        assert len(fuzzed.at.audit.records) == before


@given(
    body=st.binary(max_size=60) | st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
@FUZZ
def test_ghsa_j975_95f5_7wqh_no_bytes_make_the_app_fail(
    fuzzed: Bench, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    caplog.clear()
    before = len(fuzzed.at.audit.records)
    answer = fuzzed.ask(body, MODERN, "tools/list", None)
    assert (400 <= answer.status < 500, len(fuzzed.at.audit.records) - before) == (True, 1)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


def of_schema(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that fit a published schema, more or less."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    alternatives = schema.get("anyOf") or schema.get("oneOf")
    if alternatives:
        return st.one_of([of_schema(each) for each in alternatives])
    kind: Any = schema.get("type", "string")
    if isinstance(kind, list):
        kinds = cast("list[str]", kind)
        return st.one_of([of_schema({**schema, "type": each}) for each in kinds])
    match kind:
        case "integer":
            low, high = schema.get("minimum", -5), schema.get("maximum", 500)
            return st.integers(low, min(high, low + 100))
        case "number":
            return st.floats(0, 10)
        case "boolean":
            return st.booleans()
        case "array":
            return st.lists(of_schema(schema.get("items", {})), max_size=3)
        case "object":
            return st.dictionaries(_text, _scalar, max_size=2)
        case "null":
            return st.none()
        case _:
            sql = [
                "SELECT 1",
                "SELECT * FROM customers ORDER BY 1",
                "SHOW x",
                "SELECT $1",
                "WITH",
                "customers",
            ]
            return st.sampled_from([*sql, "sales.orders", "shop", "%", "'", '"', "hr.salaries"]) | _text


@st.composite
def _call(draw: st.DrawFn, tools: list[dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """A call of one of the tools: as its schema says, or with a few things wrong."""
    tool = draw(st.sampled_from(tools))
    properties: dict[str, Any] = tool["inputSchema"].get("properties", {})
    chosen = {name for name in properties if draw(st.booleans())} | set(
        tool["inputSchema"].get("required", ())
    )
    arguments = {name: draw(of_schema(properties[name])) for name in sorted(chosen)}
    for _ in range(draw(st.integers(0, 2))):
        arguments[draw(st.sampled_from(sorted(properties) or ["x"]) | _text)] = draw(_value)
    return tool["name"], arguments


@dataclass
class Stage:
    """A server in front of Postgres, a caller in each era, and the tools as they are published."""

    target: Target
    callers: dict[str, Caller]
    tools: list[dict[str, Any]]


@pytest.fixture(scope="module")
def stage(behind: Behind, folder: Path) -> Iterator[Stage]:
    with postgres_target(folder, behind.shop, RINGMAIN_POSTGRES_STATEMENT_TIMEOUT="1") as target:
        modern, legacy = Caller(target.port, ANN), Caller(target.port, ANN, LEGACY).shake_hands()
        tools = modern.ask("tools/list").json["result"]["tools"]
        yield Stage(target, {MODERN: modern, LEGACY: legacy}, tools)


@pytest.mark.parametrize("era", ERAS)
@given(data=st.data())
@FUZZ
def test_arguments_by_the_published_schemas_never_crash_a_tool(
    stage: Stage, era: str, data: st.DataObject
) -> None:
    target = stage.target
    before, said = len(target.trail()), len(target.said)
    name, arguments = data.draw(_call(stage.tools))
    answer = stage.callers[era].ask("tools/call", {"name": name, "arguments": arguments})
    assert answer.status in (200, 400)
    result = answer.json.get("result", {})
    code = result.get("_meta", {}).get("dev.ringmain/error", {}).get("code")
    assert code != "internal"
    assert "internal" not in str(answer.json.get("error", {}).get("data"))
    assert PASSWORD not in answer.body.decode()
    assert len(target.trail_after(before)) == 1
    assert [line for line in target.said[said:] if '"level":"error"' in line.replace(" ", "")] == []


def test_what_was_fuzzed_left_neither_secrets_nor_rows_behind(stage: Stage) -> None:
    for caller in stage.callers.values():
        for name, arguments in (("sample_rows", {"table": "planted"}), ("query", {"sql": "TABLE planted"})):
            caller.tool(name, **arguments)
    assert [secret for secret in (PASSWORD, ROW, ANN) if secret in stage.target.written()] == []


def test_lines_of_any_kind_do_not_end_a_server_on_stdio(tmp_path: Path) -> None:
    lines: list[bytes] = []

    @given(message=_envelope | _value)
    @settings(FUZZ, max_examples=160)
    def collect(message: Any) -> None:
        lines.append(encoded(message))

    @given(line=st.binary(max_size=60))
    @settings(FUZZ, max_examples=40)
    def collect_bytes(line: bytes) -> None:
        lines.append(line.replace(b"\n", b""))

    collect()
    collect_bytes()
    with on_stdio(DEMO, settings_in(tmp_path, RINGMAIN_LOG_LEVEL="warning")) as stdio:
        stdio.shake_hands()
        answers: list[Any] = []
        for place, line in enumerate(lines):
            stdio.send(line)
            stdio.send(encoded({"jsonrpc": "2.0", "id": f"mark-{place}", "method": "ping"}))
            while (answer := stdio.receive()).get("id") != f"mark-{place}":
                answers.append(answer)
            assert "result" in answer
        status, said = stdio.finish()
    assert status == 0
    assert [line for line in said.splitlines() if "ERROR" in line.upper() or "Traceback" in line] == []
    assert [secret for secret in (DEMO_ROW, ANN) if secret in said + str(answers)] == []
    calls = [
        answer for answer in answers if "result" in answer or answer["error"]["code"] not in (-32700, -32600)
    ]
    assert len(trail(tmp_path / "state", "demo")) >= len(calls)


REFUSED: list[tuple[str, str, Headers, bytes]] = [
    ("POST", "/v1/mcp", {"authorization": []}, b"{}"),
    ("POST", "/v1/mcp", {"authorization": "Bearer {n}"}, b"{}"),
    ("POST", "/v1/mcp", {"authorization": "Bearer a.{n}.b"}, b"{}"),
    ("GET", "/v1/mcp", {"authorization": "Bearer {n}"}, b""),
    ("POST", "/v1/mcp", {"host": "h{n}.example.com"}, b"{}"),
    ("POST", "/v1/mcp", {"origin": "https://h{n}.example.com"}, b"{}"),
    ("POST", "/v1/mcp", {}, b"{{n}"),
    ("POST", "/v1/mcp", {"mcp-session-id": "{n}"}, b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'),
    ("POST", "/v1/mcp", {}, b'{"jsonrpc":"2.0","id":1,"method":"x{n}","params":{}}'),
    ("POST", "/v1/mcp", {}, b'{"jsonrpc":"2.0","id":{n},"method":"tools/list"}'),
    ("GET", "/v1/mcp", {"mcp-session-id": "{n}"}, b""),
    ("DELETE", "/v1/mcp", {"mcp-session-id": "{n}"}, b""),
    ("POST", "/nowhere/{n}", {}, b"{}"),
    ("GET", "/.well-known/oauth-protected-resource/{n}", {}, b""),
]


@pytest.mark.anyio
async def test_python_sdk_3228_nothing_is_kept_of_rejected_requests() -> None:
    """5,000 of them leave less than one object each behind; the fault had kept 22 KiB of each."""
    async with http_bench() as at:

        async def flood(numbers: range) -> set[int]:
            seen: set[int] = set()
            for number in numbers:
                method, path, headers, body = REFUSED[number % len(REFUSED)]
                n = str(number)
                sent: Headers = {
                    name: value.replace("{n}", n) if isinstance(value, str) else value
                    for name, value in headers.items()
                }
                answer = await at.ask(
                    method, path.replace("{n}", n), sent, [body.replace(b"{n}", n.encode())]
                )
                seen.add(answer.status)
                at.audit.records.clear()
            return seen

        statuses = await flood(range(1_000))
        gc.collect()
        before = sys.getallocatedblocks()
        statuses |= await flood(range(1_000, 6_000))
        gc.collect()
        grown = sys.getallocatedblocks() - before
    assert {status for status in statuses if status < 400 or status >= 500} == set()
    assert grown < 5_000


@pytest.mark.anyio
async def test_python_sdk_3228_nothing_is_kept_of_a_handshake_that_fails() -> None:
    """It must not leave a session behind that nobody can use."""
    body = b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":7}}'

    async def flood(at: HttpBench, times: int) -> None:
        for _ in range(times):
            answer = await at.ask("POST", "/v1/mcp", {}, [body])
            assert answer.json["error"]["code"] == -32602
            at.audit.records.clear()

    unlimited = '[limits]\n"*" = { rate = "100000/s", burst = 100000 }\n'
    async with http_bench(POLICY + unlimited) as at:
        await flood(at, 50)
        gc.collect()
        before = sys.getallocatedblocks()
        await flood(at, 300)
        gc.collect()
        grown = sys.getallocatedblocks() - before
        sessions = at.app._manager._server_instances  # pyright: ignore[reportPrivateUsage]
        assert (len(sessions), grown < 3_000) == (0, True), grown


@pytest.mark.anyio
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_trying_sessions_out_is_on_record(method: str) -> None:
    async with http_bench() as at:
        headers: Headers = {"mcp-session-id": "0" * 32, "authorization": "Bearer key-of-bob"}
        body = [b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'] if method == "POST" else []
        answer = await at.ask(method, "/v1/mcp", headers, body)
        on_record = [(record["principal"], record["outcome"]) for record in at.audit.records]
        assert (answer.status, on_record) == (404, [("bob", "refused")])
