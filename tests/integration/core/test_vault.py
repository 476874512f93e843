"""References into Vault's KV engine, against a real OpenBao."""

import json
import logging
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ringmain_core.connector import Check
from ringmain_core.errors import ConfigurationError
from ringmain_core.secrets import Secrets, Unresolved
from ringmain_core.secrets.doctor import check_references
from ringmain_core.secrets.sources import Sources
from ringmain_core.settings import read_settings
from ringmain_postgres.settings import PostgresSettings
from standins.openbao import ROOT, OpenBao, running_openbao

pytestmark = pytest.mark.anyio
URL = "postgresql://ann:hunter2@db.example.com/shop"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Process:
    """What a process that refers to secrets has."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.sources = Sources(self.clock)
        self.secrets = Secrets(self.clock, self.sources)

    async def refreshed(self, after: float = 10) -> bool:
        self.clock.now += after
        return await self.secrets.refresh()


@pytest.fixture(scope="module")
def bao() -> Generator[OpenBao]:
    with running_openbao() as server:
        yield server


@pytest.fixture
def as_root(bao: OpenBao, monkeypatch: pytest.MonkeyPatch) -> OpenBao:
    monkeypatch.setenv("RINGMAIN_VAULT_ADDR", bao.address)
    monkeypatch.setenv("RINGMAIN_VAULT_TOKEN", ROOT)
    return bao


def as_role(monkeypatch: pytest.MonkeyPatch, bao: OpenBao, role_id: str, secret_id: str) -> None:
    monkeypatch.setenv("RINGMAIN_VAULT_ADDR", bao.address)
    monkeypatch.setenv("RINGMAIN_VAULT_ROLE_ID", role_id)
    monkeypatch.setenv("RINGMAIN_VAULT_SECRET_ID", secret_id)


def tokens_of(bao: OpenBao, role: str) -> list[dict[str, Any]]:
    return [token for token in bao.tokens() if token["meta"] == {"role_name": role}]


def failure_of(reference: str, secrets: Secrets | None = None) -> str:
    with pytest.raises(Unresolved) as caught:
        (secrets or Secrets()).open(reference)
    return str(caught.value)


def test_a_database_is_configured_by_reference(
    as_root: OpenBao, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    as_root.keep("db", url=URL)
    as_root.keep("team/crm", url="postgresql://bob:swordfish@crm.example.com/crm")
    config = tmp_path / "databases.toml"
    config.write_text('[databases.crm]\nurl = "vault:secret/team/crm#url"\n')
    monkeypatch.setenv("RINGMAIN_POSTGRES_URL", "vault:secret/db#url")
    monkeypatch.setenv("RINGMAIN_POSTGRES_CONFIG", str(config))
    with Secrets().reading():
        settings: PostgresSettings = read_settings(PostgresSettings)
        databases = settings.databases
    assert {name: database.url.get_secret_value() for name, database in databases.items()} == {
        "shop": URL,
        "crm": "postgresql://bob:swordfish@crm.example.com/crm",
    }
    assert databases["shop"].url is settings.url


def test_a_setting_whose_reference_leads_nowhere_is_named(
    as_root: OpenBao, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    as_root.keep("db", url=URL)
    config = tmp_path / "databases.toml"
    config.write_text('[databases.crm]\nurl = "vault:secret/none#url"\n')
    monkeypatch.setenv("RINGMAIN_POSTGRES_URL", "vault:secret/db#uri")
    with Secrets().reading(), pytest.raises(ConfigurationError) as caught:
        read_settings(PostgresSettings)
    assert str(caught.value) == "RINGMAIN_POSTGRES_URL: vault:secret/db#uri: what is there has no 'uri'"
    with Secrets().reading(), pytest.raises(ConfigurationError) as caught:
        _ = PostgresSettings(url=None, config=config).databases
    assert str(caught.value) == (
        f"{config}: databases.crm.url: vault:secret/none#url: "
        "Vault has no such secret, or its newest version is deleted"
    )


async def test_a_rotated_secret_is_found_and_one_place_is_asked_once_for_all_its_keys(
    as_root: OpenBao,
) -> None:
    as_root.keep("pair", user="ann", password="hunter2")
    at = Process()
    pair = [at.secrets.open(f"vault:secret/pair#{key}") for key in ("user", "password")]
    assert [secret.get_secret_value() for secret in pair] == ["ann", "hunter2"]
    assert not await at.refreshed()
    as_root.keep("pair", user="bob", password="swordfish")
    assert await at.refreshed()
    assert [secret.get_secret_value() for secret in pair] == ["bob", "swordfish"]


def test_mounts_of_several_parts_and_namespaces(as_root: OpenBao, monkeypatch: pytest.MonkeyPatch) -> None:
    as_root.call("POST", "sys/mounts/teams/a", {"type": "kv", "options": {"version": "2"}})
    as_root.call("POST", "teams/a/data/deep/db", {"data": {"url": "of team a"}})
    assert Secrets().open("vault:teams/a/deep/db#url").get_secret_value() == "of team a"
    as_root.call("POST", "sys/namespaces/abroad", {})
    as_root.call("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}}, "abroad")
    as_root.keep("db", "abroad", url="of another namespace")
    monkeypatch.setenv("RINGMAIN_VAULT_NAMESPACE", "abroad")
    assert Secrets().open("vault:secret/db#url").get_secret_value() == "of another namespace"


async def test_an_app_roles_token_is_renewed_before_it_ends(
    bao: OpenBao, monkeypatch: pytest.MonkeyPatch
) -> None:
    bao.keep("db", url=URL)
    as_role(monkeypatch, bao, *bao.app_role("renewing", "secret/data/*", token_ttl="100s"))
    at = Process()
    at.secrets.open("vault:secret/db#url")
    assert at.sources.due() == 60
    await at.refreshed(after=50)
    (token,) = tokens_of(bao, "renewing")
    assert "last_renewal" not in token
    assert at.sources.due() == 10
    await at.refreshed(after=11)
    (renewed,) = tokens_of(bao, "renewing")
    assert "last_renewal" in renewed
    assert renewed["accessor"] == token["accessor"]
    assert at.sources.due() == 60


async def test_where_a_token_gets_no_more_time_or_is_revoked_there_is_a_new_login(
    bao: OpenBao, monkeypatch: pytest.MonkeyPatch
) -> None:
    bao.keep("db", url="the first")
    role_id, secret_id = bao.app_role("ending", "secret/data/*", token_ttl="100s")
    as_role(monkeypatch, bao, role_id, secret_id)
    at = Process()
    secret = at.secrets.open("vault:secret/db#url")
    bao.call("POST", "auth/approle/role/ending", {"token_ttl": "40s", "token_max_ttl": "40s"})
    await at.refreshed(after=61)
    assert len(tokens_of(bao, "ending")) == 2
    assert at.sources.due() == 24
    for token in tokens_of(bao, "ending"):
        bao.call("POST", "auth/token/revoke-accessor", {"accessor": token["accessor"]})
    bao.keep("db", url="the second")
    assert await at.refreshed()
    assert secret.get_secret_value() == "the second"
    assert len(tokens_of(bao, "ending")) == 1


async def test_a_token_in_a_file_is_read_again_where_it_was_replaced(
    bao: OpenBao, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def new_token() -> str:
        token: str = bao.call("POST", "auth/token/create", {"ttl": "100s"})["auth"]["client_token"]
        at.write_text(token + "\n")
        at.chmod(0o600)
        return token

    at = tmp_path / "token"
    bao.keep("db", url="the first")
    monkeypatch.setenv("RINGMAIN_VAULT_ADDR", bao.address)
    monkeypatch.setenv("RINGMAIN_VAULT_TOKEN", f"file:{at}")
    first = new_token()
    process = Process()
    secret = process.secrets.open("vault:secret/db#url")
    assert 55 < (process.sources.due() or 0) <= 60
    new_token()
    bao.call("POST", "auth/token/revoke", {"token": first})
    bao.keep("db", url="the second")
    assert await process.refreshed()
    assert secret.get_secret_value() == "the second"


async def test_vault_may_go_away_and_come_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ringmain_core")
    with running_openbao() as bao:
        monkeypatch.setenv("RINGMAIN_VAULT_ADDR", bao.address)
        monkeypatch.setenv("RINGMAIN_VAULT_TOKEN", ROOT)
        bao.keep("db", url="the first", user="ann")
        at = Process()
        secret = at.secrets.open("vault:secret/db#url")
        at.secrets.open("vault:secret/db#user")
        bao.stop()
        assert [await at.refreshed(), await at.refreshed()] == [False, False]
        assert secret.get_secret_value() == "the first"
        gone = "Vault cannot be reached (ConnectError: [Errno 111] Connection refused)"
        assert failure_of("vault:secret/db#other", at.secrets) == f"vault:secret/db#other: {gone}"
        assert [check async for check in check_references(at.secrets)] == [
            Check(
                "policy",
                "failed",
                f"vault:secret/db#{key}: {gone}",
                "Mend the reference, or what it leads to.",
            )
            for key in ("url", "user")
        ]
        bao.start()
        bao.keep("db", url="the second", user="ann")
        assert await at.refreshed()
        assert secret.get_secret_value() == "the second"
    assert [record.getMessage() for record in caplog.records if record.name.startswith("ringmain")] == [
        f"vault:secret/db#url, vault:secret/db#user: {gone}; the last value stays",
        "vault:secret/db#url, vault:secret/db#user: can be had again",
        "vault:secret/db#url: has a new value",
    ]


def test_what_is_not_there_or_not_allowed_is_said(bao: OpenBao, monkeypatch: pytest.MonkeyPatch) -> None:
    bao.keep("open/db", url=URL, port=5432, nothing="")
    bao.keep("open/deleted", url=URL)
    bao.call("DELETE", "secret/data/open/deleted")
    bao.keep("closed/db", url=URL)
    bao.call("POST", "sys/mounts/old", {"type": "kv", "options": {"version": "1"}})
    as_role(monkeypatch, bao, *bao.app_role("narrow", "secret/data/open/*"))
    secrets = Secrets()
    assert [
        failure_of(f"vault:{reference}", secrets)
        for reference in ("secret/open/none#url", "secret/open/deleted#url", "secret/open/db#port")
    ] == [
        "vault:secret/open/none#url: Vault has no such secret, or its newest version is deleted",
        "vault:secret/open/deleted#url: Vault has no such secret, or its newest version is deleted",
        "vault:secret/open/db#port: what is there is not a text",
    ]
    refused = "Vault does not let this token read it: its policy may not allow it, or it has ended"
    assert failure_of("vault:secret/open/db#nothing", secrets) == (
        "vault:secret/open/db#nothing: what is there is empty"
    )
    assert failure_of("vault:secret/closed/db#url", secrets) == f"vault:secret/closed/db#url: {refused}"
    assert failure_of("vault:nowhere/db#url", secrets) == f"vault:nowhere/db#url: {refused}"
    assert len(tokens_of(bao, "narrow")) == 1  # a refusal does not cause logins
    monkeypatch.delenv("RINGMAIN_VAULT_ROLE_ID")
    monkeypatch.setenv("RINGMAIN_VAULT_TOKEN", ROOT)
    assert failure_of("vault:old/db#url") == "vault:old/db#url: Vault keeps no KV version 2 secrets at old/"


def test_a_login_that_is_refused_is_said_and_quotes_nothing(
    bao: OpenBao, monkeypatch: pytest.MonkeyPatch
) -> None:
    role_id, _ = bao.app_role("locked-out", "secret/data/*")
    as_role(monkeypatch, bao, role_id, "hunter2-hunter2")
    assert failure_of("vault:secret/db#url") == (
        "vault:secret/db#url: Vault refuses the login at auth/approle (HTTP 400)"
    )
    monkeypatch.setenv("RINGMAIN_VAULT_SECRET_ID", "hunter2\nhunter2")
    assert failure_of("vault:secret/db#url") == (
        "vault:secret/db#url: RINGMAIN_VAULT_SECRET_ID: "
        "it is empty, or has characters that no such credential has"
    )
    monkeypatch.setenv("RINGMAIN_VAULT_SECRET_ID", "vault:secret/db#secret_id")
    assert failure_of("vault:secret/db#url") == (
        "vault:secret/db#url: RINGMAIN_VAULT_SECRET_ID: it can be a value, `env:` or `file:`, not `vault:`"
    )


def test_settings_that_cannot_be_used_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def failure(**settings: str) -> str:
        for name in ("ADDR", "TOKEN", "ROLE_ID", "CACERT"):
            monkeypatch.delenv(f"RINGMAIN_VAULT_{name}", raising=False)
        for name, value in settings.items():
            monkeypatch.setenv(f"RINGMAIN_VAULT_{name}", value)
        return failure_of("vault:secret/db#url").removeprefix("vault:secret/db#url: ")

    one = "set one of RINGMAIN_VAULT_TOKEN, RINGMAIN_VAULT_ROLE_ID and RINGMAIN_VAULT_KUBERNETES_ROLE"
    home, authority = "http://127.0.0.1:1", tmp_path / "ca.pem"
    authority.write_text("not a certificate")
    assert failure() == "RINGMAIN_VAULT_ADDR: Field required"
    assert failure(ADDR=home) == f"{one}"
    assert failure(ADDR=home, TOKEN="t", ROLE_ID="r") == f"{one}"
    assert failure(ADDR="http://vault.example.com:8200", TOKEN="t") == (
        "RINGMAIN_VAULT_ADDR: http:// is for this machine only; use https://"
    )
    for wrong in ("vault:8200", "https://", "https://me:pass@vault", "ftp://vault", "https://vault?x"):
        said = failure(ADDR=wrong, TOKEN="t")
        assert said == "RINGMAIN_VAULT_ADDR: write it like https://host:port"
    assert failure(ADDR=home, TOKEN="t", CACERT=f"{authority}") == (
        f"RINGMAIN_VAULT_CACERT: {authority}: cannot be used (SSLError)"
    )
    assert failure(ADDR=home, TOKEN="t", CACERT=f"{tmp_path}/none") == (
        f"RINGMAIN_VAULT_CACERT: {tmp_path}/none: cannot be used (FileNotFoundError)"
    )


def test_over_tls_only_a_known_authority_is_believed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with running_openbao(tmp_path) as bao:
        bao.keep("db", url=URL)
        monkeypatch.setenv("RINGMAIN_VAULT_ADDR", bao.address)
        monkeypatch.setenv("RINGMAIN_VAULT_TOKEN", ROOT)
        assert "certificate verify failed" in failure_of("vault:secret/db#url")
        monkeypatch.setenv("RINGMAIN_VAULT_CACERT", str(bao.authority()))
        assert Secrets().open("vault:secret/db#url").get_secret_value() == URL


async def test_a_pod_logs_in_with_its_service_account(
    bao: OpenBao, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """OpenBao's own method; only the review of tokens, which a cluster would do, is a stand-in."""
    account = tmp_path / "token"
    account.write_text(_service_account_token())
    account.chmod(0o600)
    bao.keep("db", url=URL)
    bao.app_role("pods", "secret/data/*")
    bao.call("POST", "sys/auth/cluster-1", {"type": "kubernetes"})
    role = {"bound_service_account_names": ["ringmain"], "bound_service_account_namespaces": ["default"]}
    bao.call("POST", "auth/cluster-1/role/app", {**role, "token_policies": ["pods"], "token_ttl": "100s"})
    monkeypatch.setenv("RINGMAIN_VAULT_ADDR", bao.address)
    monkeypatch.setenv("RINGMAIN_VAULT_KUBERNETES_ROLE", "app")
    monkeypatch.setenv("RINGMAIN_VAULT_KUBERNETES_TOKEN", str(account))
    monkeypatch.setenv("RINGMAIN_VAULT_AUTH_MOUNT", "cluster-1")
    with _token_reviews() as (address, reviewed):
        certificate = {"kubernetes_ca_cert": _certificate(), "disable_local_ca_jwt": True}
        reviewer = {"kubernetes_host": address, "token_reviewer_jwt": "reviewer"}
        bao.call("POST", "auth/cluster-1/config", {**certificate, **reviewer})
        at = Process()
        assert at.secrets.open("vault:secret/db#url").get_secret_value() == URL
        assert at.sources.due() == 60
    assert reviewed == [account.read_text()]


def _service_account_token() -> str:
    subject = {"namespace": "default", "serviceaccount": {"name": "ringmain", "uid": "u-1"}}
    claims = {
        "iss": "https://kubernetes.default.svc",
        "sub": "system:serviceaccount:default:ringmain",
        "exp": int(time.time()) + 600,
        "iat": int(time.time()),
        "kubernetes.io": subject,
    }
    return jwt.encode(claims, rsa.generate_private_key(65537, 2048), algorithm="RS256")


def _certificate() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "cluster")])
    now = datetime.now(UTC)
    unsigned = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    return unsigned.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@contextmanager
def _token_reviews() -> Generator[tuple[str, list[str]]]:
    """The part of a cluster's API that says whose a service account's token is."""
    reviewed: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/apis/authentication.k8s.io/v1/tokenreviews"
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            reviewed.append(review["spec"]["token"])
            user = {"username": "system:serviceaccount:default:ringmain", "uid": "u-1"}
            review["status"] = {"authenticated": True, "user": user}
            body = json.dumps(review).encode()
            self.send_response(201)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class names it)
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", reviewed
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
