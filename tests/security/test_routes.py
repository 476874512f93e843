"""Nothing answers that nobody has decided about: every route is for everybody by name, or for nobody."""

import io
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringmain_core import cli
from security.inventory import routes
from security.programs import ANN, Target, demo_target, unchanged_log
from security.wire import METHODS, MODERN, Caller, send
from unit.core.demo import connector
from unit.core.http_bench import http_bench

SPEAKING = {"/v1/mcp", "/v2/mcp", "/v1/sse", "/v1/messages"}
FOR_EVERYBODY = {
    "/healthz",
    "/readyz",
    "/docs",
    "/docs/oauth2-redirect",
    "/openapi.json",
    "/static-offline-docs",
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-protected-resource{path:path}",
    "/accounts/desk/connect",
    "/accounts/desk/callback",
}


@pytest.fixture(scope="module")
def target(folder: Path) -> Iterator[Target]:
    with demo_target(folder, RINGMAIN_LEGACY_SSE="true") as target:
        yield target


def usual(target: Target) -> list[tuple[str, str]]:
    return [
        ("Host", f"127.0.0.1:{target.port}"),
        ("Accept", "application/json, text/event-stream"),
        ("Content-Type", "application/json"),
    ]


def test_cve_2026_32211_the_inventory_of_routes_is_known() -> None:
    assert routes() == (SPEAKING, FOR_EVERYBODY)


@pytest.mark.parametrize("method", METHODS)
def test_cve_2026_32211_every_route_that_speaks_mcp_is_closed_to_strangers(
    target: Target, method: str
) -> None:
    for path in sorted(SPEAKING):
        for credential in ((), ("Basic YTpi",), ("Bearer wrong",), ("Bearer",), (f"Bearer {ANN}",) * 2):
            headers = usual(target) + [("Authorization", value) for value in credential]
            answer = send(target.port, method, path, headers, b"{}" if method == "POST" else b"")
            assert (path, answer.status) == (path, 401)
            assert (answer.header("www-authenticate") or "").startswith("Bearer ")


@pytest.mark.parametrize("path", sorted(SPEAKING))
def test_cve_2026_33032_no_other_spelling_of_a_path_gets_round_the_credential(
    target: Target, path: str
) -> None:
    spellings = (
        f"{path}/",
        f"/{path}",
        f"{path};x=1",
        f"{path}%00",
        path.upper(),
        path.replace("/v1/", "/v1/./").replace("/v2/", "/v2/./"),
        f"/healthz/..{path}",
        f"/static-offline-docs/..{path}",
        f"/static-offline-docs/%2e%2e{path}",
        path.replace("/", "%2f"),
        f"http://127.0.0.1{path}",
    )
    params: dict[str, Any] = {"name": "who", "arguments": {}}
    caller = Caller(target.port, "", MODERN)
    headers = [pair for pair in caller.headers("tools/call", params) if pair[0] != "Authorization"]
    for spelling in spellings:
        answer = send(
            target.port, "POST", spelling, headers, b'{"jsonrpc":"2.0","id":1,"method":"tools/call"}'
        )
        assert (spelling, answer.status in (307, 400, 401, 404, 405)) == (spelling, True)
        assert answer.status != 307 or answer.header("location") is not None
        assert b'"result"' not in answer.body
    assert [record for record in target.trail() if record["outcome"] == "ok"] == []


def test_no_listener_off_loopback_without_authentication(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Were one opened, this would end with the assertion and not with a server."""

    def opened(*_: object, **__: object) -> None:
        raise AssertionError("it listens")

    monkeypatch.setattr(socket, "create_server", opened)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.setattr(cli, "set_up_logging", unchanged_log)
    policy = tmp_path / "policy.toml"
    policy.write_text('[roles.all]\nallow = ["*:*"]\n[[agents]]\nid = "ann"\nroles = ["all"]\n')
    hosts = ("0.0.0.0", "::", "", "0", "::ffff:127.0.0.1", "127.0.0.1.nip.io", "2130706433", "192.0.2.1")  # noqa: S104
    for host in hosts:
        for file in (None, policy):
            monkeypatch.delenv("RINGMAIN_POLICY", raising=False)
            if file is not None:
                monkeypatch.setenv("RINGMAIN_POLICY", str(file))
            assert (host, cli.run(connector, ["serve", "--port", "0", "--host", host])) == (host, 2)
            assert f"{host} can be reached from elsewhere, and " in capsys.readouterr().err


def test_no_listener_for_metrics_off_loopback_without_a_token(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RINGMAIN_METRICS_PORT", "0")
    monkeypatch.setenv("RINGMAIN_METRICS_HOST", "0.0.0.0")  # noqa: S104
    monkeypatch.setattr(cli, "set_up_logging", unchanged_log)
    assert cli.run(connector, ["serve", "--port", "0"]) == 2
    assert "Set RINGMAIN_METRICS_TOKEN" in capsys.readouterr().err


def test_cve_2026_59950_a_web_socket_is_not_opened_even_with_a_key(target: Target) -> None:
    upgrade = [
        ("Authorization", f"Bearer {ANN}"),
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Protocol", "mcp"),
    ]
    for path in sorted(SPEAKING - {"/v1/sse"} | {"/", "/docs", "/healthz"}):
        answer = send(target.port, "GET", path, usual(target) + upgrade)
        assert (path, answer.status != 101) == (path, True)
        assert answer.header("sec-websocket-accept") is None


@pytest.mark.anyio
async def test_cve_2026_59950_the_app_itself_has_no_web_socket() -> None:
    async with http_bench(legacy_sse=True) as at:
        for path in sorted(SPEAKING | FOR_EVERYBODY):
            said: list[Any] = []

            async def receive() -> Any:
                raise AssertionError("it listens")

            async def note(message: Any, said: list[Any] = said) -> None:
                said.append(message)

            scope = {"type": "websocket", "path": path, "headers": [(b"host", b"127.0.0.1:8080")]}
            await at.app.asgi(scope, receive, note)
            assert said == [{"type": "websocket.close", "code": 1008}]
