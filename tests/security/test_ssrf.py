"""Nobody makes the server open a URL or a file, and no redirect is followed with credentials."""

import json
import re
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio.to_thread
import pytest
from opentelemetry.trace import use_span
from pydantic import SecretStr

from ringmain_core.identity.accounts.account import Tokens
from ringmain_core.identity.accounts.endpoints import Endpoints, Refused, Unreachable
from ringmain_core.identity.accounts.provider import ProviderClient
from ringmain_core.identity.fetching import Unfetchable, fetch_json
from ringmain_core.secrets.reference import Unresolved
from ringmain_core.secrets.settings import VaultSettings
from ringmain_core.secrets.sources import OutOfReach
from ringmain_core.secrets.vault import Vault
from ringmain_core.telemetry.otel_settings import OtelSettings
from ringmain_core.telemetry.otlp import start_otlp
from ringmain_core.webhooks import Notice, webhooks
from security.canary import Canary, canary, reply
from security.conftest import Behind
from security.programs import ANN, postgres_target
from security.wire import Caller
from unit.core.accounts.desk import DESK
from unit.core.demo import connector as demo
from unit.core.http_bench import POLICY, http_bench

IN_FILE = "text-of-a-file-that-nobody-may-read"


@dataclass
class Stage:
    """A server in front of a database where its role may do everything; a trap, and a file, both near."""

    caller: Caller
    trap: Canary
    file: Path


@pytest.fixture(scope="module")
def stage(behind: Behind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with (
        tempfile.TemporaryDirectory(prefix="ringmain-files-") as files,
        canary() as trap,
        postgres_target(tmp_path_factory.mktemp("server"), behind.attacked) as target,
    ):
        file = Path(files) / "private"
        file.write_text(IN_FILE)
        file.parent.chmod(0o755)  # so that the database server, which is another user, could read it
        yield Stage(Caller(target.port, ANN), trap, file)


def places(stage: Stage) -> list[str]:
    """Addresses of the trap and of the file, as somebody might hope that they are opened."""
    host = f"127.0.0.1:{stage.trap.port}"
    return [
        f"http://{host}/x",
        f"http://2130706433:{stage.trap.port}/x",
        f"http://[::ffff:127.0.0.1]:{stage.trap.port}/x",
        f"//{host}/x",
        f"postgresql://postgres@{host}/postgres",
        f"host=127.0.0.1 port={stage.trap.port}",
        f"file://{stage.file}",
        str(stage.file),
        f"../../../../../../../..{stage.file}",
        f"@{stage.file}",
        f"file:{stage.file}",
        f"env:HOME\0{stage.file}",
    ]


def test_no_file_path_or_url_from_an_argument_is_opened(stage: Stage) -> None:
    answers: list[bytes] = []
    for tool in stage.caller.ask("tools/list").json["result"]["tools"]:
        properties: dict[str, Any] = tool["inputSchema"].get("properties", {})
        required = dict.fromkeys(tool["inputSchema"].get("required", ()), "x")
        for name, schema in properties.items():
            values: list[Any] = places(stage)
            if "array" in json.dumps(schema):
                values = [[value] for value in values]
            calls = [required | {name: value} for value in values]
            answers += [stage.caller.tool(tool["name"], **arguments).body for arguments in calls]
    assert len(answers) > 150
    assert [answer for answer in answers if IN_FILE.encode() in answer] == []
    assert stage.trap.visits == []


def test_no_file_path_or_url_in_a_uri_is_opened(stage: Stage) -> None:
    listed = stage.caller.ask("resources/templates/list").json["result"]["resourceTemplates"]
    templates = [template["uriTemplate"] for template in listed]
    assert templates
    for value in places(stage):
        for template in templates:
            for inserted in (value, quote(value, safe="")):
                uri = re.sub(r"\{[^}]*\}", lambda _, inserted=inserted: inserted, template)
                answer = stage.caller.ask("resources/read", {"uri": uri})
                assert ("result" in answer.json, IN_FILE.encode() in answer.body) == (False, False)
        for uri in (value, f"pg:{value}", f"pg://{value}"):
            assert "result" not in stage.caller.ask("resources/read", {"uri": uri}).json
    for value in places(stage):
        reference = {"type": "ref/resource", "uri": templates[0]}
        stage.caller.ask(
            "completion/complete", {"ref": reference, "argument": {"name": "db", "value": value}}
        )
    assert stage.trap.visits == []


def test_no_statement_opens_a_file_or_connects_anywhere(stage: Stage) -> None:
    to = f"host=127.0.0.1 port={stage.trap.port} dbname=x connect_timeout=1"
    statements = [
        f"SELECT pg_read_file('{stage.file}')",
        f"SELECT pg_catalog.pg_read_file('{stage.file}')",
        f"SELECT \"pg_read_binary_file\"('{stage.file}')",
        f"SELECT * FROM pg_ls_dir('{stage.file.parent}')",
        f"SELECT * FROM pg_stat_file('{stage.file}')",
        f"SELECT lo_import('{stage.file}')",
        f"COPY (SELECT 1) TO '{stage.file}.out'",
        f"COPY victim FROM '{stage.file}'",
        f"COPY (SELECT 1) TO PROGRAM 'curl {stage.trap.url}'",
        f"SELECT dblink_connect('{to}')",
        f"SELECT * FROM dblink('{to}', 'SELECT 1') AS t(a int)",
        f"CREATE SUBSCRIPTION s CONNECTION '{to}' PUBLICATION p",
        "CREATE EXTENSION dblink",
        "LOAD '/tmp/x.so'",
        f"SELECT query_to_xml($$SELECT pg_read_file('{stage.file}')$$, true, true, '')",
        f"SELECT xmlparse(document '<!DOCTYPE x [<!ENTITY e SYSTEM \"{stage.file.as_uri()}\">]><x>&e;</x>')",
        f"SELECT xmlparse(document '<!DOCTYPE x [<!ENTITY e SYSTEM \"{stage.trap.url}/e\">]><x>&e;</x>')",
    ]
    for sql in statements:
        answer = stage.caller.tool("query", sql=sql)
        assert (sql, IN_FILE.encode() in answer.body) == (sql, False)
        if "xmlparse" not in sql:
            assert (sql, answer.json["result"].get("isError")) == (sql, True)
    assert stage.trap.visits == []
    assert sorted(path.name for path in stage.file.parent.iterdir()) == ["private"]


@pytest.mark.anyio
async def test_cve_2026_32871_ids_from_arguments_stay_in_their_place() -> None:
    """A part of a URI does not become another URI: not the one that policy keeps to itself, above all."""
    limits = 'limits = { rate = "1000/s", burst = 1000 }'
    hidden = POLICY.replace('allow = ["*:*"]', f'allow = ["*:*"]\ndeny = ["demo.vault"]\n{limits}')
    parts = (
        "..",
        "%2e%2e",
        "%2E%2E%2F",
        "../hidden",
        "%2e%2e%2fhidden",
        "..%5chidden",
        "/hidden",
        "//hidden",
    )
    uris = [f"demo://item/{part}/x" for part in parts]
    uris += [f"demo://item/{part}%2fx" for part in parts]
    uris += ["demo://hidden/x", "DEMO://hidden/x", "demo://HIDDEN/x", "demo:hidden/x", "demo://hidden%2fx"]
    uris += [
        "demo://item/../hidden/x",
        "demo://item@hidden/x",
        "demo://hidden/x?item=1",
        "demo://hidden/x#item",
    ]
    uris += [
        "demo://item/x\0",
        "demo://item/%00",
        "demo://item/\r\nx",
        "demo://evil.example.com/x",
        "//hidden/x",
    ]
    async with http_bench(hidden) as at:
        session = await at.open_session()
        for uri in uris:
            answer = await at.call("2025-11-25", "resources/read", {"uri": uri}, session=session)
            content = answer.json.get("result", {}).get("contents")
            if content is None:
                assert answer.json["error"]["code"] == -32002
                continue
            # Where it is an item after all, its id is the whole rest, decoded once, and nothing was resolved.
            (one,) = content
            assert one["uri"] == uri
            assert one["text"].startswith("item ")
            assert uri.startswith("demo://item/")
        reads = [record for record in at.audit.records if record.get("method") == "resources/read"]
        assert len(reads) == len(uris)
        served = [record["target"] for record in reads if record["outcome"] == "ok"]
        assert all(uri.startswith("demo://item/") for uri in served)


NOTICE = Notice("outage.opened", "demo", "Demo", 0.0)
TOKENS = Tokens(SecretStr("access-1"), SecretStr("refresh-1"), frozenset(), time.time() + 60, None)


async def _never(_: float) -> bool:
    await anyio.lowlevel.checkpoint()
    return False


def _provider(url: str) -> Endpoints:
    at = replace(
        DESK,
        issuer=url,
        authorization_endpoint=url,
        token_endpoint=f"{url}/token",
        userinfo_endpoint=f"{url}/me",
        revocation_endpoint=f"{url}/revoke",
    )
    return Endpoints(ProviderClient(at, "client-1", SecretStr("secret-1")))


async def _issuer_keys(url: str) -> object:
    return await fetch_json(f"{url}/keys", loopback=True)


async def _vault(url: str) -> object:
    vault = Vault(VaultSettings(addr=url, token=SecretStr("vault-token-1")), time.monotonic)
    return await anyio.to_thread.run_sync(vault.read, "secret/x")


async def _vault_login(url: str) -> object:
    vault = Vault(
        VaultSettings(addr=url, role_id="role-1", secret_id=SecretStr("vault-secret-1")), time.monotonic
    )
    return await anyio.to_thread.run_sync(vault.read, "secret/x")


async def _webhook(url: str) -> object:
    (hook,) = webhooks([SecretStr(f"{url}/services/hook-secret-1")])
    return await hook.send(NOTICE, _never)


async def _refresh(url: str) -> object:
    endpoints = _provider(url)
    try:
        return await endpoints.refresh(TOKENS)
    finally:
        await endpoints.close()


async def _code(url: str) -> object:
    endpoints = _provider(url)
    try:
        return await endpoints.exchange("code-1", "verifier-1", f"{url}/back", frozenset())
    finally:
        await endpoints.close()


async def _revoke(url: str) -> object:
    endpoints = _provider(url)
    try:
        return await endpoints.revoke(TOKENS)
    finally:
        await endpoints.close()


async def _otlp(url: str) -> object:
    otlp = start_otlp(demo, OtelSettings(exporter_otlp_endpoint=url, metrics_exporter="none"))
    assert otlp is not None
    assert otlp.tracer is not None
    with use_span(otlp.tracer.start_span("x"), end_on_exit=True):
        pass
    return await anyio.to_thread.run_sync(otlp.close)


Client = Callable[[str], Awaitable[object]]
CLIENTS: dict[str, tuple[Client, bytes]] = {
    "the issuer's keys": (_issuer_keys, b"GET /keys"),
    "Vault with a token": (_vault, b"vault-token-1"),
    "Vault's login": (_vault_login, b"POST /v1/auth/approle/login"),
    "a webhook": (_webhook, b"hook-secret-1"),
    "a refresh token": (_refresh, b"Basic "),
    "an authorization code": (_code, b"Basic "),
    "a token to revoke": (_revoke, b"Basic "),
    "traces": (_otlp, b"otlp-key-1"),
}


@pytest.mark.anyio
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("who", CLIENTS)
async def test_no_redirect_is_followed_with_credentials(
    who: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, credential = CLIENTS[who]
    with canary(reply("200 OK", b"{}", Content_Type="application/json")) as second:
        with canary(reply(f"{status} Elsewhere", Location=f"{second.url}/x")) as first:
            monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", first.url)
            monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=otlp-key-1")
            with suppress(Unfetchable, Unresolved, OutOfReach, Unreachable, Refused):
                await client(first.url)
        assert first.visits
        assert credential.lower() in first.visits[0].lower()
        assert second.visits == []
