"""The HTTP app of the demo connector, spoken to as an ASGI server would: each header and chunk at will."""

import json
import os
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
from anyio.abc import TaskGroup

from ringmain_core.audit import AuditKey, AuditLog
from ringmain_core.gates.audit import Trail
from ringmain_core.identity.api_keys import ApiKeys, KeyFile, hash_key
from ringmain_core.identity.credentials import Credentials
from ringmain_core.identity.issuers import Issuer
from ringmain_core.identity.jwt import Tokens
from ringmain_core.identity.signing_keys import Fetch, fetcher
from ringmain_core.policy_file import parse_policy
from ringmain_core.sealing import KeyRing
from ringmain_core.server import Runtime, build_server
from ringmain_core.settings import CoreSettings
from ringmain_core.state.local import LocalState
from ringmain_core.testing import CapturedAudit
from ringmain_core.transport.http import HttpApp
from unit.core.demo import Demo, connector

MODERN = "2026-07-28"
LEGACY = "2025-11-25"
POLICY = f"""
[roles.all]
allow = ["*:*"]
[[agents]]
id = "ann"
key = "{hash_key("key-of-ann")}"
roles = ["all"]
[[agents]]
id = "bob"
key = "{hash_key("key-of-bob")}"
roles = ["all"]
"""
Headers = dict[str, str | list[str]]
CUT_OFF = b"<the client goes away here>"


@dataclass
class Exchange:
    """One HTTP request under way, and what came back so far."""

    body: Iterable[bytes]
    gone: anyio.Event = field(default_factory=anyio.Event)
    done: anyio.Event = field(default_factory=anyio.Event)
    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    content: bytes = b""
    complete: bool = False

    def __post_init__(self) -> None:
        self._chunks = list(self.body) or [b""]

    async def receive(self) -> dict[str, Any]:
        if self._chunks:
            chunk = self._chunks.pop(0)
            if chunk is CUT_OFF:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": chunk, "more_body": bool(self._chunks)}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [(name.decode().lower(), value.decode()) for name, value in message["headers"]]
        else:
            assert self.status, "a body before the start"
            self.content += message.get("body", b"")
            if not message.get("more_body", False):
                self.complete = True
                self.gone.set()

    def header(self, name: str) -> str | None:
        return dict(self.headers).get(name)

    @property
    def json(self) -> Any:
        """The JSON body, or the last event of a stream."""
        text = self.content.decode()
        if self.header("content-type") == "application/json":
            return json.loads(text)
        return json.loads([line for line in text.splitlines() if line.startswith("data: {")][-1][6:])


@dataclass
class HttpBench:
    app: HttpApp
    demo: Demo
    audit: CapturedAudit
    tasks: TaskGroup

    def start(
        self, method: str, path: str, headers: Headers | None = None, body: Iterable[bytes] = ()
    ) -> Exchange:
        """Begin a request; `headers` replaces the usual ones by name, a list sends one several times."""
        usual: Headers = {
            "host": "127.0.0.1:8080",
            "authorization": "Bearer key-of-ann",
            "accept": "application/json, text/event-stream",
            "content-type": "application/json",
        }
        pairs = [
            (name.lower().encode(), value.encode("latin-1"))
            for name, values in (usual | (headers or {})).items()
            for value in ([values] if isinstance(values, str) else values)
        ]
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": path.partition("?")[0],
            "raw_path": path.encode(),
            "query_string": path.partition("?")[2].encode(),
            "root_path": "",
            "scheme": "http",
            "headers": pairs,
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8080),
        }
        exchange = Exchange(body)

        async def run() -> None:
            try:
                await self.app.asgi(scope, exchange.receive, exchange.send)
            finally:
                exchange.done.set()

        self.tasks.start_soon(run)
        return exchange

    async def ask(
        self, method: str, path: str, headers: Headers | None = None, body: Iterable[bytes] = ()
    ) -> Exchange:
        exchange = self.start(method, path, headers, body)
        with anyio.fail_after(5):
            await exchange.done.wait()
        return exchange

    def start_call(
        self,
        era: str,
        method: str,
        params: dict[str, Any] | None = None,
        *,
        id_: int = 1,
        session: str | None = None,
        key: str = "key-of-ann",
        version: str = "v1",
    ) -> Exchange:
        """Begin a JSON-RPC request."""
        params = dict(params or {})
        sent: Headers = {"mcp-protocol-version": era, "authorization": f"Bearer {key}"}
        if session is not None:
            sent["mcp-session-id"] = session
        if era == MODERN:
            prefix = "io.modelcontextprotocol/"
            params["_meta"] = {f"{prefix}protocolVersion": era, f"{prefix}clientCapabilities": {}}
            sent |= {"mcp-method": method}
            target = params.get("name", params.get("uri"))
            if target is not None:
                sent |= {"mcp-name": target}
        body = {"jsonrpc": "2.0", "id": id_, "method": method, "params": params}
        return self.start("POST", f"/{version}/mcp", sent, [json.dumps(body).encode()])

    async def call(self, era: str, method: str, params: dict[str, Any] | None = None, **how: Any) -> Exchange:
        """Like `start_call`, and wait for the answer."""
        exchange = self.start_call(era, method, params, **how)
        with anyio.fail_after(5):
            await exchange.done.wait()
        return exchange

    async def open_session(self, key: str = "key-of-ann", version: str = "v1") -> str:
        """Shake hands as clients of 2025-11-25 do; the session's id."""
        about = {
            "protocolVersion": LEGACY,
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        }
        opened = await self.call(LEGACY, "initialize", about, key=key, version=version)
        session = opened.header("mcp-session-id")
        assert session is not None
        told = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        headers: Headers = {"mcp-session-id": session, "authorization": f"Bearer {key}"}
        await self.ask("POST", f"/{version}/mcp", headers, [json.dumps(told).encode()])
        return session

    async def call_tool(
        self, era: str, name: str, key: str = "key-of-ann", version: str = "v1", **arguments: Any
    ) -> Exchange:
        """Call a tool in either era, in a session of its own where there are sessions."""
        session = await self.open_session(key, version) if era == LEGACY else None
        params = {"name": name, "arguments": arguments}
        return await self.call(era, "tools/call", params, key=key, session=session, version=version)


@asynccontextmanager
async def http_bench(
    policy: str = POLICY, *, fetch: Callable[[Issuer], Fetch] = fetcher, **settings: Any
) -> AsyncGenerator[HttpBench]:
    """The app in its lifespan; settings are those of `CoreSettings`."""
    core = CoreSettings(**settings)
    in_force = parse_policy(policy, "policy.toml", connector.vocabulary())
    tokens = Tokens(lambda: in_force, fetch=fetch)
    credentials = Credentials(ApiKeys(KeyFile(core.state_dir / "keys.json")), tokens, lambda: in_force)
    audit, demo, secret = CapturedAudit(), Demo(), os.urandom(32)
    with AuditLog(audit, sync_interval=1.0) as log:
        trail = Trail(connector.name, log, AuditKey(secret).mac_of_answer, str)
        runtime = Runtime(core, lambda: in_force, trail, None, KeyRing([secret]), LocalState())
        app = HttpApp(
            connector,
            build_server(connector, demo, runtime),
            demo,
            core,
            authenticate=credentials.recognise,
            record=trail.write_unserved,
            audit_healthy=lambda: log.stats.healthy,
            policy=lambda: in_force,
        )
        async with anyio.create_task_group() as tasks, tokens, app.running():
            yield HttpBench(app, demo, audit, tasks)
            tasks.cancel_scope.cancel()
