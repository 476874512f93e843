"""Two replicas of one connector behind the proxy, called over TLS; one is stopped, and one is killed."""

import hashlib
import json
import re
import ssl
import subprocess
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import anyio
import httpx2
import pytest
from anyio.streams.tls import TLSStream
from mcp.client import Client
from mcp.shared.exceptions import MCPError

from compose.project import BODY_WITHIN, HOST, POLICY, Project, await_that
from contract.test_dashboards import ALERTS, expressions
from images.engine import PROGRAM, engine

pytestmark = pytest.mark.anyio

CALLERS = 4
SECONDS_BETWEEN = 0.02


async def test_a_client_is_answered_over_tls(project: Project) -> None:
    async with project.client() as client:
        found = await client.call_tool("query", {"sql": "SELECT count(*) FROM orders"})
    assert not found.is_error
    assert "60" in str(found.content)


async def test_passages_are_kept_in_pgvector_and_found(project: Project) -> None:
    shelf = "mkdir /data/shelf && echo 'The pump is serviced in May.' > /data/shelf/pump.md"
    project.does("vector", "sh", "-c", f"{shelf} && ringmain index /data/shelf")
    assert project.sql("SELECT extname FROM pg_extension WHERE extname = 'vector'", "vector") == "vector\n"
    async with project.client("vector") as client:
        found = await client.call_tool("search_documents", {"query": "When is the pump serviced?"})
    assert "in May" in str(found.content)


async def test_what_is_no_path_of_a_connectors_clients_stays_inside(project: Project) -> None:
    async with project.http() as http:
        for path in (
            "/postgres/readyz",
            "/postgres/metrics",
            "/slackx/v2/mcp",
            "/valkey/v2/mcp",
            "/auth/admin/",
            "/grafana/metrics",
        ):
            assert (await http.get(f"https://{HOST}:{project.port}{path}")).status_code == 404, path


async def test_who_has_no_key_is_refused_and_who_does_not_trust_us_finds_out(project: Project) -> None:
    async with project.http({"Authorization": "Bearer nobodys"}) as http:
        assert (await http.post(project.url(), json={})).status_code == 401
    async with project.http(trust=ssl.create_default_context()) as http:
        with pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await http.post(project.url(), json={})


async def test_a_right_that_is_taken_away_is_gone_after_sighup_though_the_file_is_another(
    project: Project,
) -> None:
    path = project.folder / POLICY
    before = path.read_text(encoding="utf-8")
    taken = before.replace('deny = ["postgres.security_posture"]', 'deny = ["postgres.*"]')
    assert taken != before
    assert await _listed_after(project, taken) == []
    assert "query" in await _listed_after(project, before)


async def _listed_after(project: Project, policy: str) -> list[str]:
    """The tools there are when the policy is put in the place of the one before, as editors and git do it."""
    new = project.folder / "new.toml"
    new.write_text(policy, encoding="utf-8")
    new.replace(project.folder / POLICY)
    digest = hashlib.sha256(policy.encode()).hexdigest()[:12]
    for container in project.containers("postgres"):
        engine("kill", "--signal=HUP", container)
        has_read = partial(_has_logged, container, digest)
        await anyio.to_thread.run_sync(await_that, has_read, f"{container} has read it", 15)
    async with project.client() as client:
        return [tool.name for tool in (await client.list_tools()).tools]


def _has_logged(container: str, digest: str) -> bool:
    """Whether the last policy that a container read is this one."""
    done = subprocess.run(
        [PROGRAM, "logs", container], capture_output=True, text=True, timeout=60, check=True
    )
    read = re.findall(r"policy \w+ \w+ \S+, sha256 (\w+)", done.stdout + done.stderr)
    return read[-1:] == [digest]


async def test_clients_are_told_where_to_get_tokens_for_the_address_that_they_use(project: Project) -> None:
    public = f"https://{HOST}:{project.port}"
    known = "/.well-known/oauth-protected-resource"
    async with project.http({"Authorization": "Bearer nobodys"}) as http:
        challenge = (await http.post(project.url(), json={})).headers["www-authenticate"]
        assert f'resource_metadata="{public}/postgres{known}/v2/mcp"' in challenge
        for path in (f"/postgres{known}/v2/mcp", f"{known}/postgres/v2/mcp"):
            metadata = (await http.get(public + path)).json()
            assert metadata["resource"] == project.url(), path
            assert metadata["authorization_servers"] == [f"{public}/auth/realms/ringmain"]


def test_only_the_proxy_has_a_port_on_this_machine(project: Project) -> None:
    published = {
        service: json.loads(engine("inspect", "--format={{json .NetworkSettings.Ports}}", container))
        for service in ("proxy", "valkey", "database", "postgres", "prometheus")
        for container in project.containers(service)
    }
    open_at = {
        service: [where["HostPort"] for wheres in ports.values() for where in wheres or ()]
        for service, ports in published.items()
    }
    assert open_at.pop("proxy") == [str(project.port)]
    assert not any(open_at.values()), open_at


def test_a_server_has_no_rights_that_it_does_not_need(project: Project) -> None:
    tries = """
import os, pathlib
status = dict(line.split(":\t") for line in pathlib.Path("/proc/self/status").read_text().splitlines())
print(os.getuid(), int(status["CapEff"], 16), status["NoNewPrivs"])
try:
    pathlib.Path("/opt/ringmain/x").touch()
except OSError as error:
    print(error.strerror)
"""
    said = project.does("postgres", "/opt/ringmain/bin/python", "-c", tries)
    assert said.split("\n") == ["10001 0 1", "Read-only file system", ""]


async def test_headers_that_are_too_long_are_refused_by_the_proxy(project: Project) -> None:
    async with _connected(project) as stream:
        await stream.send(f"{_head(project)}X-Long: {'a' * 40_000}\r\n\r\n".encode())
        assert (await stream.receive()).startswith(b"HTTP/1.1 431 ")


async def test_a_body_that_does_not_come_keeps_no_server_busy(project: Project) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(20):
            stream = await stack.enter_async_context(_connected(project))
            await stream.send(f"{_head(project)}Content-Length: 1000\r\n\r\n{{".encode())
        async with project.client() as client:
            assert not (await client.call_tool("list_databases", {})).is_error
        busy = partial(_connections_to, project, 8080)
        await anyio.to_thread.run_sync(await_that, lambda: busy() == 0, "no connection is left", 15)


@asynccontextmanager
async def _connected(project: Project) -> AsyncGenerator[TLSStream]:
    """A connection to the proxy, for what is no proper request."""
    with anyio.fail_after(60):
        async with await anyio.connect_tcp(
            "127.0.0.1",
            project.port,
            tls=True,
            ssl_context=project.trust(),
            tls_hostname=HOST,
            tls_standard_compatible=False,  # it may answer while we go
        ) as stream:
            yield stream


def _head(project: Project) -> str:
    first = f"POST /postgres/v2/mcp HTTP/1.1\r\nHost: {HOST}:{project.port}\r\n"
    return f"{first}Authorization: Bearer {project.key()}\r\n"


def _connections_to(project: Project, port: int) -> int:
    """How many the servers have open on a port."""
    table = [
        line.split()
        for container in project.containers("postgres")
        for line in engine("exec", container, "cat", "/proc/net/tcp").splitlines()[1:]
    ]
    return sum(line[1].endswith(f":{port:04X}") and line[3] == "01" for line in table)


async def test_events_come_when_they_happen_and_streams_outlive_the_time_for_bodies(project: Project) -> None:
    meta = "io.modelcontextprotocol/"
    body: dict[str, Any] = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "subscriptions/listen",
        "params": {
            "notifications": {"resourceSubscriptions": ["pg://shop/table/public/orders/rows"]},
            "_meta": {f"{meta}protocolVersion": "2026-07-28", f"{meta}clientCapabilities": {}},
        },
    }
    headers = {
        "Accept": "application/json, text/event-stream",
        "Mcp-Protocol-Version": "2026-07-28",
        "Mcp-Method": "subscriptions/listen",
    }
    async with (
        project.http(headers) as http,
        http.stream("POST", project.url(), json=body) as answer,
    ):
        with anyio.fail_after(60):
            lines = (line async for line in answer.aiter_lines() if line.startswith("data: {"))
            assert "acknowledged" in await anext(lines)
            await anyio.sleep(BODY_WITHIN + 1)  # longer than a body may take: the answer goes on
            project.sql("INSERT INTO orders VALUES (1001, 1, 1)")
            assert "notifications/resources/updated" in await anext(lines)
    project.sql("DELETE FROM orders WHERE id = 1001")


class Calls:
    """Callers that call all the time, and what came of it."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.ended: Counter[str] = Counter()
        self._stop = False
        self._awaited = 0
        self._reached = anyio.Event()

    async def keep_calling(self, client: Client) -> None:
        while not self._stop:
            try:
                result = await client.call_tool("list_databases", {})
            except (MCPError, httpx2.HTTPError) as error:
                self.ended[f"{type(error).__name__}: {error}"] += 1
            else:
                self.ended[str(result.content) if result.is_error else "ok"] += 1
                if self.ended["ok"] >= self._awaited:
                    self._reached.set()
            await anyio.sleep(SECONDS_BETWEEN)

    async def during(self, what: Any) -> Counter[str]:
        """Call from before until after something is done; counts by how the calls ended."""
        self.ended, self._stop = Counter(), False
        async with anyio.create_task_group() as tasks:
            for _ in range(CALLERS):
                tasks.start_soon(self._one)
            await self._that_go_well(20)
            await anyio.to_thread.run_sync(what)
            await self._that_go_well(100)
            self._stop = True
        return self.ended

    async def _one(self) -> None:
        async with self._project.client() as client:
            await self.keep_calling(client)

    async def _that_go_well(self, count: int) -> None:
        self._awaited, self._reached = self.ended["ok"] + count, anyio.Event()
        with anyio.fail_after(60):
            await self._reached.wait()


async def test_a_replica_that_is_stopped_costs_no_call(project: Project) -> None:
    first, _ = project.containers("postgres")
    ended = await Calls(project).during(lambda: engine("stop", "--time=30", first))
    try:
        assert set(ended) == {"ok"}, ended
        assert json.loads(engine("inspect", "--format={{json .State.ExitCode}}", first)) == 0
    finally:
        engine("start", first)
        project.await_replicas()


async def test_a_replica_that_is_killed_costs_no_more_than_the_calls_it_had(project: Project) -> None:
    first, _ = project.containers("postgres")
    ended = await Calls(project).during(lambda: engine("kill", "--signal=KILL", first))
    try:
        assert sum(count for how, count in ended.items() if how != "ok") <= CALLERS, ended
        assert ended["ok"] >= 120
    finally:
        for container in project.containers("postgres", stopped=True):
            engine("start", container)
        project.await_replicas()


def test_what_must_not_be_done_twice_is_remembered_over_a_restart(project: Project) -> None:
    def valkey(command: str) -> str:
        asked = f'REDISCLI_AUTH="$(cat /run/secrets/valkey_password)" valkey-cli {command}'
        return project.does("valkey", "sh", "-c", asked).strip()

    assert valkey("SET test:kept once") == "OK"
    engine("kill", "--signal=KILL", *project.containers("valkey"))
    for container in project.containers("valkey", stopped=True):
        engine("start", container)
    await_that(lambda: bool(project.containers("valkey")), "it runs again")
    await_that(lambda: valkey("PING") == "PONG", "it answers again")
    assert valkey("GET test:kept") == "once"


async def test_prometheus_reads_every_server_and_understands_every_query(project: Project) -> None:
    def ask(path: str) -> Any:
        url = f"http://127.0.0.1:9090/api/v1/{path}"
        return json.loads(project.does("prometheus", "wget", "-q", "-O", "-", url))["data"]

    def up() -> list[str]:
        found = ask("query?query=up%7Bjob%3D%22ringmain%22%7D")["result"]
        return [each["value"][1] for each in found]

    await_that(lambda: up() == ["1"] * 3, "both, and the other connector, are read")
    rules = [rule["name"] for group in ask("rules")["groups"] for rule in group["rules"]]
    assert rules == [rule["alert"] for group in ALERTS["groups"] for rule in group["rules"]]
    for title, query in expressions():
        asked = re.sub(r"\$__\w+", "1m", query).replace("$connector", ".*")
        quoted = "".join(f"%{byte:02x}" for byte in asked.encode())
        assert ask(f"query?query={quoted}")["resultType"] == "vector", title
    async with project.client() as client:
        for _ in range(10):
            await client.call_tool("list_databases", {})

    def called() -> int:
        found = ask(
            "query?query=sum%20by%20(instance)%20(ringmain_calls_total%7Bconnector%3D%22postgres%22%7D)"
        )["result"]
        return len([each for each in found if float(each["value"][1]) > 0])

    await_that(lambda: called() == 2, "both have been asked, in turn")
