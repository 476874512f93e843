"""What each piece on a call's way costs by itself, in this process: gates, front, arguments, audit, guard."""

import asyncio
import importlib
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, cast

import uvloop
from mcp.server.context import ServerRequestContext
from mcp.server.session import ServerSession
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from bench import messages
from bench.our_echo import Echo, connector, echo
from bench.report import Result
from bench.setting import AGENT, Setting
from ringmain_core.arguments import Arguments
from ringmain_core.audit import AuditKey, AuditLog, AuditRecord
from ringmain_core.call import Call
from ringmain_core.cursors import Cursors
from ringmain_core.gates import Gate, pass_through
from ringmain_core.gates import Result as Answer
from ringmain_core.gates.access import Access
from ringmain_core.gates.adapter import EXCHANGE, Adapter, Exchange
from ringmain_core.gates.audit import Audit, Intent, Trail
from ringmain_core.gates.rate_limit import RateLimit
from ringmain_core.identity.api_keys import ApiKeys, KeyFile
from ringmain_core.identity.credentials import Credentials
from ringmain_core.identity.jwt import Tokens
from ringmain_core.policy import Policy
from ringmain_core.policy_file import load_policy
from ringmain_core.principal import Principal
from ringmain_core.transport.front import Front, Route
from ringmain_core.transport.neighbours import Neighbours
from ringmain_core.transport.strict_json import loads_strict
from ringmain_postgres.sql import Guard
from ringmain_postgres.sql import Policy as SqlPolicy
from ringmain_postgres.sql.parse import normalize, parse
from ringmain_postgres.tools import query
from standins.flights import TABLES
from standins.postgres import running_postgres, url_of

asyncpg: Any = importlib.import_module("asyncpg")  # it ships no types

PART = "5. Pieces, each alone in one process"
_LONG_ENOUGH = 0.05
_SQL = "SELECT tailnum, year, manufacturer, model, seats FROM planes WHERE tailnum = $1"
_ANSWER: Answer = {"resultType": "complete", "content": [{"type": "text", "text": "say 1000000 again"}]}


class _Bench:
    def __init__(self, setting: Setting, loop: asyncio.Runner, repeats: int) -> None:
        self.setting = setting
        self._loop = loop
        self._repeats = repeats
        self.results: list[Result] = []

    def measure(self, what: str, once: Callable[[], object]) -> None:
        def many(times: int) -> None:
            for _ in range(times):
                once()

        self._measure(what, many)

    def measure_async(self, what: str, once: Callable[[], Coroutine[Any, Any, object]]) -> None:
        async def many(times: int) -> None:
            for _ in range(times):
                await once()

        self._measure(what, lambda times: self._loop.run(many(times)))

    def _measure(self, what: str, many: Callable[[int], None]) -> None:
        times = 64
        while _cpu(many, times) < _LONG_ENOUGH:
            times *= 2
        micros = [_cpu(many, times) / times * 1e6 for _ in range(self._repeats)]
        self.results.append(Result(PART, what, micros, [], "µs CPU"))


def _cpu(many: Callable[[int], None], times: int) -> float:
    began = time.process_time()
    many(times)
    return time.process_time() - began


def measure(setting: Setting, *, quick: bool) -> list[Result]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        bench = _Bench(setting, loop, 3 if quick else 7)
        policy = load_policy(setting.policy, connector.vocabulary())
        with AuditLog.open(setting.folder / "audit.jsonl", AuditKey(b"k" * 32)) as log:
            _gates(bench, policy, log)
            _front(bench, policy)
            _small_pieces(bench, log)
        _guard(bench, loop)
    return bench.results


def _gates(bench: _Bench, policy: Policy, log: AuditLog) -> None:
    trail = Trail(connector.name, log, AuditKey(b"k" * 32).mac_of_answer)
    call = _call()

    async def handle() -> Answer:
        return _ANSWER

    def through(*gates: Gate) -> Callable[[], Coroutine[Any, Any, object]]:
        return lambda: cast("Coroutine[Any, Any, object]", pass_through(gates, call, handle))

    audit, rate = Audit(connector, trail), RateLimit(lambda: policy)
    access, intent = Access(connector, lambda: policy), Intent(connector, trail)
    adapter = Adapter(connector.name, (), None)
    context = _context()

    async def call_next(_: ServerRequestContext[Any, Any]) -> Any:
        return _ANSWER

    bench.measure_async("nothing: the trivial handler", through())
    bench.measure_async("gate: audit, to a file", through(audit))
    bench.measure_async("gate: rate limit, agent and tool", through(rate))
    bench.measure_async("gate: access, policy of 10 agents", through(access))
    bench.measure_async("gate: intent, of a read", through(intent))
    bench.measure_async("all four gates", through(audit, rate, access, intent))
    bench.measure_async("adapter without gates", lambda: adapter(context, call_next))


def _front(bench: _Bench, policy: Policy) -> None:
    keys = ApiKeys(KeyFile(bench.setting.folder / "state" / "keys.json"))
    credentials = Credentials(keys, Tokens(lambda: policy), lambda: policy)
    body = messages.call(1, "echo", {"text": "say 1000000 again"}, messages.MODERN)

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(_: Message) -> None:
        return

    front = Front(
        routes={"/v1/mcp": Route(app, "http", "v1")},
        pages=app,
        neighbours=Neighbours([], []),
        authenticate=credentials.recognise,
        record=lambda _, __, ___: None,
        max_body=1 << 22,
    )
    scope = _scope(bench.setting.key, len(body))
    bench.measure_async("front: host, key, body, exchange", lambda: front(scope, receive, send))
    bench.measure("  of that: the API key", lambda: keys.recognise(bench.setting.key, policy))
    bench.measure("  of that: strict JSON", lambda: loads_strict(body))


def _small_pieces(bench: _Bench, log: AuditLog) -> None:
    call = _call()
    upstream = Echo()
    record = AuditRecord(
        id=call.id,
        phase="call",
        principal=AGENT,
        auth="api_key",
        connector="echo",
        transport="http",
        version="v1",
        method="tools/call",
        target="echo",
        arguments={"text": "say 1000000 again"},
        result={"bytes": 17, "hmac": "0" * 32},
        latency_ms=0.5,
        outcome="ok",
    )
    of_echo, of_query = Arguments(echo.function), Arguments(query.function)
    raw = {"sql": _SQL, "params": ["N10156"], "max_rows": 10_000, "max_bytes": 2_000_000}
    cursors = Cursors(b"k" * 32)
    state = {"database": "flights", "sql": _SQL, "params": ["N10156"], "offset": 200}
    sealed = cursors.seal(call, "query", state)
    bench.measure("a Call made", _call)
    bench.measure("Arguments.bind, echo", lambda: of_echo.bind(call.arguments, call, upstream))
    bench.measure("Arguments.bind, query", lambda: of_query.bind(raw, call, upstream))
    bench.measure("Arguments.on_record, query", lambda: of_query.on_record(raw))
    bench.measure("audit append, to a file", lambda: log.append(record))
    bench.measure("cursor seal", lambda: cursors.seal(call, "query", state))
    bench.measure("cursor open", lambda: cursors.open(call, "query", sealed))


def _guard(bench: _Bench, loop: asyncio.Runner) -> None:
    bench.measure("SQL parse", lambda: parse(_SQL))
    bench.measure("SQL normalize, for the audit", lambda: normalize(_SQL))
    with running_postgres() as server:
        guard, fetch = loop.run(_recorded(url_of(server)))
    bench.measure_async("SQL guard check, look-ups not counted", lambda: guard.check(_SQL, fetch))


async def _recorded(
    url: str,
) -> tuple[Guard, Callable[..., Coroutine[Any, Any, Sequence[Mapping[str, Any]]]]]:
    """A guard, and a `fetch` that answers from memory what the catalogue answered once."""
    answers: dict[str, Sequence[Mapping[str, Any]]] = {}
    guard = Guard(SqlPolicy())
    connection = await asyncpg.connect(url)

    async def fetch(sql: str, *parameters: Any) -> Sequence[Mapping[str, Any]]:
        key = f"{sql} {parameters}"
        if key not in answers:
            answers[key] = [dict(row) for row in await connection.fetch(sql, *parameters)]
        return answers[key]

    try:
        await connection.execute(f"CREATE TABLE planes ({TABLES['planes']})")
        await guard.check(_SQL, fetch)
    finally:
        await connection.close()
    return guard, fetch


def _call() -> Call:
    return Call(
        principal=Principal(AGENT, "api_key"),
        connector=connector.name,
        transport="http",
        version="v1",
        method="tools/call",
        target="echo",
        params={"name": "echo", "arguments": {"text": "say 1000000 again"}},
        client=cast("ServerSession", None),
        era=messages.MODERN,
        declaration=echo,
    )


def _context() -> ServerRequestContext[Any, Any]:
    exchange = Exchange(Principal(AGENT, "api_key"), "http", "v1")
    return ServerRequestContext[Any, Any](
        session=cast("ServerSession", None),
        lifespan_context=None,
        protocol_version=messages.MODERN,
        method="tools/call",
        params={"name": "echo", "arguments": {"text": "say 1000000 again"}},
        request_id=1,
        request=Request(_scope("key", 100) | {EXCHANGE: exchange}),
    )


def _scope(key: str, length: int) -> dict[str, Any]:
    headers = {
        "host": "127.0.0.1:8080",
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "authorization": f"Bearer {key}",
        "mcp-protocol-version": messages.MODERN,
        "mcp-method": "tools/call",
        "mcp-name": "echo",
        "content-length": str(length),
    }
    return {
        "type": "http",
        "method": "POST",
        "path": "/v1/mcp",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
