"""Tokens of a real authorization server, over `serve` in a process of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx2
import pytest
from mcp.client import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)
from pydantic import AnyUrl

from ringmain_core.identity.api_keys import hash_key
from standins.oidc import AuthorizationServer, authorization_server
from standins.serving import clean_environment

pytestmark = pytest.mark.anyio

DEMO = Path(__file__).parents[2] / "unit" / "core" / "demo.py"
SCOPES = ("demo:read", "demo:write", "demo:destructive")
CALLBACK = "http://127.0.0.1:1/callback"
_WITHIN = 20.0
_MOST_REDIRECTS = 20


@dataclass
class Served:
    """The demo at work. `log` is what it wrote to stderr so far."""

    url: str
    http: httpx2.Client
    log: list[str] = field(default_factory=list[str])

    def post(self, credential: str, tool: str = "who", **arguments: Any) -> httpx2.Response:
        """Call a tool as a client without sessions does, with nothing between."""
        meta: dict[str, Any] = {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        return self.http.post(
            self.url,
            headers={
                "authorization": f"Bearer {credential}",
                "accept": "application/json, text/event-stream",
                "mcp-protocol-version": "2026-07-28",
                "mcp-method": "tools/call",
                "mcp-name": tool,
            },
            json={
                "jsonrpc": "2.0",
                "id": 1,
                "method": "tools/call",
                "params": {"name": tool, "arguments": arguments, "_meta": meta},
            },
        )

    def becomes(self, credential: str, status: int) -> None:
        """Call until the answer has a status, as a client that comes again does."""
        give_up = time.monotonic() + _WITHIN
        while (answer := self.post(credential)).status_code != status:
            assert time.monotonic() < give_up, (answer.status_code, answer.text)
            time.sleep(0.2)


@contextmanager
def served(folder: Path, issuer: str) -> Generator[Served]:
    """Serve the demo, which trusts an issuer."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/v1/mcp"
    policy = folder / "policy.toml"
    policy.write_text(
        f"""
[roles.all]
allow = ["*:*"]
confirm = []
[[agents]]
id = "ann"
key = "{hash_key("key-of-ann")}"
roles = ["all"]
[[issuers]]
issuer = "{issuer}"
audience = "{url}"
name = "idp"
roles = [{{ claim = "groups", equals = "ops", role = "all" }}]
""",
        encoding="utf-8",
    )
    process = subprocess.Popen(
        [sys.executable, "-W", "error", DEMO, "serve", "--port", str(port)],
        env=clean_environment(
            PYTHONPATH=str(DEMO.parents[2]),
            RINGMAIN_STATE_DIR=str(folder / "state"),
            RINGMAIN_POLICY=str(policy),
            RINGMAIN_LOG_FORMAT="text",
            PATH=os.environ["PATH"],
        ),
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    at = Served(url, httpx2.Client(timeout=_WITHIN))
    ready = threading.Event()

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            at.log.append(line)
            if line.startswith(f"http://127.0.0.1:{port}/"):
                ready.set()
        ready.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert ready.wait(_WITHIN), at.log
        assert process.poll() is None, "".join(at.log)
        yield at
        process.send_signal(signal.SIGTERM)
        assert process.wait(_WITHIN) == 0, "".join(at.log)
    finally:
        at.http.close()
        process.kill()
        process.wait()
        reader.join()
        assert process.stderr is not None
        process.stderr.close()


@pytest.fixture(scope="module")
def idp() -> Iterator[AuthorizationServer]:
    with authorization_server(scopes=SCOPES, groups=["ops"]) as at:
        yield at


@pytest.fixture(scope="module")
def server(idp: AuthorizationServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("demo"), idp.issuer) as at:
        yield at


class Storage:
    """Where a client keeps what it was given."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


class Browser:
    """Follows where an authorization leads, and comes back with the code. `asked` has each time's scopes."""

    def __init__(self) -> None:
        self._http = httpx2.AsyncClient()
        self._answer = AuthorizationCodeResult(code="", state=None)
        self.asked: list[str] = []

    async def open(self, url: str) -> None:
        [scope] = parse_qs(urlsplit(url).query)["scope"]
        self.asked.append(scope)
        for _ in range(_MOST_REDIRECTS):
            answer = await self._http.get(url)
            assert answer.is_redirect, (answer.status_code, answer.text)
            url = str(answer.url.join(answer.headers["location"]))
            if url.startswith(CALLBACK):
                break
        back = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert "code" in back, back
        self._answer = AuthorizationCodeResult(code=back["code"], state=back["state"], iss=back.get("iss"))

    async def come_back(self) -> AuthorizationCodeResult:
        return self._answer

    async def close(self) -> None:
        await self._http.aclose()


async def with_client(url: str, mode: str, do: Callable[[Client, Browser, Storage], Awaitable[None]]) -> None:
    """Connect as a desktop client would: with nothing but the address."""
    browser, storage = Browser(), Storage()
    about = OAuthClientMetadata(
        client_name="A client", redirect_uris=[AnyUrl(CALLBACK)], token_endpoint_auth_method="none"
    )
    auth = OAuthClientProvider(url, about, storage, browser.open, browser.come_back)
    try:
        with anyio.fail_after(_WITHIN):
            async with (
                httpx2.AsyncClient(auth=auth, timeout=_WITHIN) as http,
                Client(streamable_http_client(url, http_client=http), mode=mode) as client,
            ):
                await do(client, browser, storage)
    finally:
        await browser.close()


def said(result: Any) -> str:
    return result.content[0].text


MODES = pytest.mark.parametrize("mode", ["auto", "legacy"])


@MODES
async def test_a_client_that_knows_the_address_only_finds_its_way_to_a_token(
    server: Served, mode: str
) -> None:
    async def do(client: Client, browser: Browser, storage: Storage) -> None:
        assert said(await client.call_tool("who", {})) == "idp/alice"
        assert said(await client.call_tool("note", {"text": "x"})) == "kept"
        assert browser.asked == [" ".join((*SCOPES, "offline_access"))]  # the last, for the issuer has it
        assert storage.client is not None
        assert storage.client.client_name == "A client"

    await with_client(server.url, mode, do)


@MODES
async def test_a_token_for_less_is_stepped_up_when_more_is_wanted(
    idp: AuthorizationServer, server: Served, mode: str
) -> None:
    async def do(client: Client, browser: Browser, storage: Storage) -> None:
        assert said(await client.call_tool("who", {})) == "idp/alice"
        assert storage.tokens is not None
        assert storage.tokens.scope == "demo:read"
        idp.consent_to_all()
        assert said(await client.call_tool("note", {"text": "x"})) == "kept"
        assert len(browser.asked) == 2
        assert set(storage.tokens.scope.split()) >= {"demo:read", "demo:write"}

    idp.consent_to_first()
    try:
        await with_client(server.url, mode, do)
    finally:
        idp.consent_to_all()


def test_new_keys_are_taken_and_tokens_of_withdrawn_ones_are_not(
    idp: AuthorizationServer, server: Served
) -> None:
    old = idp.token(server.url, "demo:read")
    assert "idp/robot" in server.post(old).text
    idp.rotate_keys()
    server.becomes(idp.token(server.url, "demo:read"), 200)
    refused = server.post(old)
    assert (refused.status_code, refused.json()["error"]["data"]) == (
        401,
        {"code": "invalid_token", "retryable": False},
    )


def test_while_the_keys_are_not_served_known_ones_go_on_and_a_new_process_says_503(
    idp: AuthorizationServer, server: Served, tmp_path: Path
) -> None:
    known = idp.token(server.url, "demo:read")
    assert server.post(known).status_code == 200
    idp.stop_serving_keys()
    try:
        assert server.post(known).status_code == 200
        assert server.post(idp.token(server.url, "demo:read")).status_code == 200
        with served(tmp_path, idp.issuer) as second:
            token = idp.token(second.url, "demo:read")
            refused = second.post(token)
            assert (refused.status_code, refused.json()["error"]["data"]["code"]) == (
                503,
                "identity_unavailable",
            )
            assert 1 <= int(refused.headers["retry-after"]) <= 5
            assert second.post("key-of-ann").status_code == 200
            idp.serve_keys()
            second.becomes(token, 200)
        assert re.search(
            rf"the keys of issuer idp cannot be had: {idp.issuer}/jwks answers 503", "".join(second.log)
        )
    finally:
        idp.serve_keys()


def test_a_flood_of_tokens_with_unknown_keys_is_not_passed_on_to_the_issuer(
    idp: AuthorizationServer, server: Served
) -> None:
    header, payload, signature = idp.token(server.url, "demo:read").split(".")
    server.post(f"{header}.{payload}.{signature}")
    before = idp.times_asked_for_keys()
    for number in range(100):
        forged = f"eyJhbGciOiJSUzI1NiIsImtpZCI6Ing{number:04}ifQ.{payload}.{signature}"
        assert server.post(forged).status_code == 401
    assert idp.times_asked_for_keys() - before <= 2


def test_a_token_for_another_server_is_refused(idp: AuthorizationServer, server: Served) -> None:
    refused = server.post(idp.token("http://127.0.0.1:1/v1/mcp", "demo:read"))
    base = server.url.removesuffix("/v1/mcp")
    assert refused.status_code == 401
    assert (
        f'resource_metadata="{base}/.well-known/oauth-protected-resource/v1/mcp"'
        in refused.headers["www-authenticate"]
    )
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]
    end = time.monotonic() + _WITHIN  # the log comes by a way of its own
    while not any("its `aud` is not in the issuer's `audience`" in line for line in server.log):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_token_without_the_scope_is_told_which(idp: AuthorizationServer, server: Served) -> None:
    refused = server.post(idp.token(server.url, "demo:read"), "note", text="x")
    assert (refused.status_code, refused.json()["error"]["data"]["scope"]) == (403, "demo:read demo:write")


def test_doctor_asks_the_issuer(idp: AuthorizationServer, tmp_path: Path) -> None:
    def doctor(issuer: str, more: str = "") -> list[str]:
        policy = tmp_path / "policy.toml"
        policy.write_text(
            f'[[issuers]]\nissuer = "{issuer}"\naudience = "http://x"\nname = "idp"\n{more}', encoding="utf-8"
        )
        environment = clean_environment(
            PYTHONPATH=str(DEMO.parents[2]),
            RINGMAIN_STATE_DIR=str(tmp_path / "state"),
            RINGMAIN_POLICY=str(policy),
        )
        ran = subprocess.run(
            [sys.executable, "-W", "error", DEMO, "doctor"],
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=60,
        )
        return [line for line in ran.stdout.splitlines() if "idp" in line or "→" in line or "issuer" in line]

    said = doctor(idp.issuer)
    assert f"ok       issuer idp: {idp.issuer}, 1 keys; takes tokens for http://x" in said
    assert "ok       scopes of idp: demo:destructive, demo:read, demo:write" in said
    wrong = doctor(idp.issuer, 'algorithms = ["EdDSA"]\n')
    assert f"FAILED   issuer idp: {idp.issuer} publishes no key for EdDSA" in wrong
    assert "         → Set its `algorithms` in the policy file." in wrong
    about_another = doctor(idp.issuer.replace("127.0.0.1", "localhost"))
    assert any(f"is about another issuer, '{idp.issuer}'" in line for line in about_another)
