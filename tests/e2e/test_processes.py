"""The real command: what a client that leaves, a signal or a crash does to queries, answers and the audit."""

import importlib
import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from standins.asking import ask, rows_of
from standins.serving import Served, clean_environment, command, serving

asyncpg: Any = importlib.import_module("asyncpg")  # it ships no types

pytestmark = pytest.mark.anyio

SLOW = "SELECT count(*) AS {mark} FROM generate_series(1, 1000000000)"
COMMAND = "ringmain-postgres"


def modern(served: Served, sql: str) -> dict[str, Any]:
    """A 2026-07-28 request by hand, for clients that do what a client library would not."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {"name": "query", "arguments": {"sql": sql}, "_meta": meta}
    return {
        "url": served.url,
        "json": {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params},
        "headers": {
            "Authorization": f"Bearer {served.key}",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2026-07-28",
            "Mcp-Method": "tools/call",
            "Mcp-Name": "query",
        },
    }


async def until(shop: str, mark: str, *, running: bool) -> None:
    """Wait until a statement with a mark runs on the server, or does not any more."""
    connection = await asyncpg.connect(shop)
    sql = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE state = 'active' AND query LIKE $1 AND pid <> pg_backend_pid()"
    )
    try:
        with anyio.fail_after(10):
            while bool(await connection.fetchval(sql, f"%{mark}%")) is not running:  # noqa: ASYNC110
                await anyio.sleep(0.02)
    finally:
        await connection.close()


def trail(settings: dict[str, str]) -> list[dict[str, Any]]:
    path = Path(settings["RINGMAIN_STATE_DIR"]) / "postgres" / "audit.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def verified(settings: dict[str, str]) -> str:
    done = subprocess.run(
        [command(COMMAND), "audit", "verify"],
        env=clean_environment(**settings),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("responses", ["sse", "json"])
async def test_a_client_that_disconnects_has_its_query_cancelled(
    shop: str, settings: dict[str, str], responses: str
) -> None:
    mark = f"left_{responses}"
    with serving(COMMAND, settings | {"RINGMAIN_RESPONSES": responses}) as served:
        async with httpx2.AsyncClient() as http, anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: http.post(**modern(served, SLOW.format(mark=mark)), timeout=None))
            await until(shop, mark, running=True)
            tasks.cancel_scope.cancel()
        await until(shop, mark, running=False)
    assert [record["outcome"] for record in trail(settings) if record.get("target") == "query"] == [
        "cancelled"
    ]


async def test_sigterm_lets_a_running_call_finish_and_closes_the_audit(
    shop: str, settings: dict[str, str]
) -> None:
    with serving(COMMAND, settings) as served:
        sql = "SELECT count(*) AS finishing FROM generate_series(1, 8000000)"
        answers: list[httpx2.Response] = []
        async with httpx2.AsyncClient() as http, anyio.create_task_group() as tasks:

            async def call() -> None:
                answers.append(await http.post(**modern(served, sql), timeout=None))

            tasks.start_soon(call)
            await until(shop, "finishing", running=True)
            served.process.send_signal(signal.SIGTERM)
        assert answers[0].status_code == 200
        assert "8000000" in answers[0].text
    assert served.process.returncode == 0
    assert trail(settings)[-1]["outcome"] == "ok"
    verified(settings)


async def test_what_was_answered_before_a_kill_is_on_record(settings: dict[str, str]) -> None:
    with serving(COMMAND, settings) as served:
        async with httpx2.AsyncClient() as http:
            for number in range(20):
                answer = await http.post(**modern(served, f"SELECT {number} AS answered"))
                assert answer.status_code == 200
        served.process.kill()
    answered = [record for record in trail(settings) if record.get("target") == "query"]
    assert [record["outcome"] for record in answered] == ["ok"] * 20
    assert "records verified" in verified(settings)


async def test_two_desktop_clients_share_one_audit(settings: dict[str, str]) -> None:
    parameters = StdioServerParameters(command=command(COMMAND), env=clean_environment(**settings))

    async def work(mark: str) -> None:
        async with Client(stdio_client(parameters)) as client:
            for _ in range(5):
                assert rows_of(await ask(client, "query", sql="SELECT $1::text", params=[mark])) == [[mark]]

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work, "one")
        tasks.start_soon(work, "two")
    verified(settings)
    assert sum(record.get("target") == "query" for record in trail(settings)) == 10


async def test_every_era_and_transport_gives_the_same_answer(settings: dict[str, str]) -> None:
    with serving(COMMAND, settings | {"RINGMAIN_LEGACY_SSE": "true"}) as served:
        async with httpx2.AsyncClient(headers={"X-API-Key": served.key}) as http:
            for mode in ("auto", "legacy"):
                async with Client(streamable_http_client(served.url, http_client=http), mode=mode) as client:
                    assert rows_of(await ask(client, "query", sql="SELECT 1")) == [[1]]


def test_a_request_that_the_protocols_own_checks_reject_is_on_record(settings: dict[str, str]) -> None:
    with serving(COMMAND, settings) as served:
        request = modern(served, "SELECT 1")
        request["headers"]["Mcp-Name"] = "another"
        assert httpx2.post(**request).status_code == 400
    (record,) = [record for record in trail(settings) if "outcome" in record]
    assert {key: record[key] for key in ("principal", "outcome", "code")} == {
        "principal": "local",
        "outcome": "refused",
        "code": "rejected_by_protocol",
    }


def test_a_revoked_key_is_refused_at_once(settings: dict[str, str]) -> None:
    with serving(COMMAND, settings) as served:
        assert httpx2.post(**modern(served, "SELECT 1")).status_code == 200
        key_id = served.key.split("_")[1]
        subprocess.run(
            [command(COMMAND), "keys", "revoke", key_id],
            env=clean_environment(**settings),
            check=True,
            timeout=30,
        )
        refused = httpx2.post(**modern(served, "SELECT 1"))
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Bearer")


def test_no_secret_is_in_the_servers_log(shop: str, settings: dict[str, str]) -> None:
    secret = "correct-horse-battery"
    url = shop.replace("shop_reader@", f"shop_reader:{secret}@")
    with serving(COMMAND, settings | {"RINGMAIN_POSTGRES_URL": url, "RINGMAIN_LOG_LEVEL": "debug"}) as served:
        answer = httpx2.post(**modern(served, "SELECT 'a row' FROM customers WHERE 1/0 = 1"))
        assert "division by zero" in answer.text
    log = "".join(line for line in served.log if not line.startswith("API key"))
    assert secret not in log
    assert served.key not in log
    assert "a row" not in log


def test_off_loopback_it_does_not_start_without_authentication(settings: dict[str, str]) -> None:
    done = subprocess.run(
        [command(COMMAND), "serve", "--host", "0.0.0.0", "--port", "0"],  # noqa: S104 (it is refused)
        env=clean_environment(**settings),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == (
        "ringmain-postgres: 0.0.0.0 can be reached from elsewhere, and there is no policy. Set "
        "RINGMAIN_POLICY to a policy file that names the agents, or listen on 127.0.0.1.\n"
    )


def test_whoever_has_read_enough_is_told_nothing_more(settings: dict[str, str]) -> None:
    with subprocess.Popen(
        [command(COMMAND), "tools", "--format", "openai"],
        env=clean_environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
        assert (process.wait(30), said) == (0, b"")
