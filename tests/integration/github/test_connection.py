"""The way to GitHub: one pool for all threads, proxies and certificates as the environment has them."""

import gzip
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from urllib3.exceptions import HTTPError, NewConnectionError, ProxyError, ReadTimeoutError, SSLError

from ringmain_core.errors import UpstreamUnavailable
from ringmain_core.upstream.trouble import Trouble
from ringmain_github.api import GitHub
from ringmain_github.client import Client, Reply
from ringmain_github.connection import Pool, trouble_on_the_way
from ringmain_github.logs import job_log
from ringmain_github.repository import Repository
from ringmain_github.settings import GitHubSettings


class _Server(ThreadingHTTPServer):
    """Answers everything, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.connections: set[tuple[str, int]] = set()
        self.wait: threading.Event | None = None
        self.location = ""

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def do_GET(self) -> None:
        self.server.asked.append(self.requestline)
        self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
        self.server.connections.add(self.client_address)
        if self.server.wait is not None:
            self.server.wait.wait(10)
        body = gzip.compress('{"said": "größer"}'.encode())
        self.send_response(302 if self.server.location else 200)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-OAuth-Scopes", "repo")
        self.send_header("X-OAuth-Scopes", "workflow")
        self.end_headers()
        self.wfile.write(body)

    def do_CONNECT(self) -> None:
        self.server.asked.append(self.requestline)
        self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name there)
        """Say nothing."""


@contextmanager
def listening(certificate: Path | None = None) -> Generator[_Server]:
    server = _Server()
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def pool(origin: str, timeout: float = 5.0, trusted: Path | None = None) -> Generator[Pool]:
    made = Pool(origin, timeout=timeout, size=2, trusted=None if trusted is None else str(trusted))
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
    ):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def test_an_answer_is_read_as_pygithub_wants_it() -> None:
    with listening() as server:
        client = Client(GitHubSettings(url=f"http://{server.address}"))
        reply = client.request("ghp_x", "GET", "/user", params={"page": 2})
        client.close()
    assert reply.status == 200
    assert reply.json() == {"said": "größer"}
    assert reply.headers["x-oauth-scopes"] == "repo, workflow"
    assert server.asked == ["GET /api/v3/user?page=2 HTTP/1.1"]
    (sent,) = server.headers
    assert sent == {
        "host": server.address,
        "accept-encoding": sent["accept-encoding"],
        "authorization": "Bearer ghp_x",
        "accept": "application/vnd.github+json",
        "x-github-api-version": "2022-11-28",
        "user-agent": "ringmain-github",
    }


def test_a_connection_is_used_again_and_each_thread_has_one_of_its_own() -> None:
    with listening() as server, pool(f"http://{server.address}") as connections:
        for _ in range(3):
            connections.send("GET", "/one", None, {})
        assert len(server.connections) == 1
        server.wait = threading.Event()
        threads = [threading.Thread(target=connections.send, args=("GET", "/", None, {})) for _ in range(2)]
        for thread in threads:
            thread.start()
        while len(server.asked) < 5:  # bounded by what the server waits
            threading.Event().wait(0.01)
        server.wait.set()
        for thread in threads:
            thread.join()
        assert len(server.connections) == 2


def test_a_redirect_to_another_host_is_an_answer_and_the_token_stays() -> None:
    with listening() as server, listening() as elsewhere:
        server.location = f"http://{elsewhere.address}/stolen"
        client = Client(GitHubSettings(url=f"http://{server.address}"))
        reply = client.request("ghp_x", "GET", "/log")
        client.close()
    assert (reply.status, reply.headers["location"]) == (302, server.location)
    assert elsewhere.asked == []


def test_an_answer_is_waited_for_so_long_and_a_request_sent_once() -> None:
    with listening() as server, pool(f"http://{server.address}", timeout=0.1) as connections:
        server.wait = threading.Event()
        with pytest.raises(ReadTimeoutError):
            connections.send("GET", "/", None, {})
        server.wait.set()
        assert server.asked == ["GET / HTTP/1.1"]


def test_who_is_not_there_was_never_connected() -> None:
    with listening() as server:
        pass
    with pool(f"http://{server.address}") as connections, pytest.raises(NewConnectionError):
        connections.send("GET", "/", None, {})


def test_https_goes_through_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://ann:w%40rd@{proxy.address}")
        with pool("https://api.github.test") as connections, pytest.raises(ProxyError):
            connections.send("GET", "/user", None, {"Authorization": "Bearer ghp_x"})
    (asked,) = proxy.asked
    assert asked.startswith("CONNECT api.github.test:443 ")
    (sent,) = proxy.headers
    assert sent["proxy-authorization"] == "Basic YW5uOndAcmQ="
    assert "authorization" not in sent


def test_plain_http_tells_the_proxy_the_full_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.address}")
        with pool("http://github.test:8080") as connections:
            assert connections.send("GET", "/user", None, {}).status == 200
    assert proxy.asked == ["GET http://github.test:8080/user HTTP/1.1"]


@pytest.mark.parametrize("near", ["127.0.0.1", "github.test, 127.0.0.1:{port}", "127.0.0.0/8", "*"])
def test_no_proxy_is_heeded(monkeypatch: pytest.MonkeyPatch, near: str) -> None:
    with listening() as server, listening() as proxy:
        monkeypatch.setenv("ALL_PROXY", proxy.address)
        monkeypatch.setenv("NO_PROXY", near.format(port=server.server_port))
        with pool(f"http://{server.address}") as connections:
            connections.send("GET", "/user", None, {})
        monkeypatch.setenv("NO_PROXY", "10.0.0.0/8,example.com")
        with pool(f"http://{server.address}") as connections:
            connections.send("GET", "/user", None, {})
    assert server.asked == ["GET /user HTTP/1.1"]
    assert proxy.asked == [f"GET http://{server.address}/user HTTP/1.1"]


def test_a_proxy_that_nothing_can_be_sent_through_is_trouble_on_the_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "gopher://proxy.test")
    with pytest.raises(HTTPError) as caught:
        Pool("https://api.github.test", timeout=1, size=1)
    assert trouble_on_the_way(caught.value) == Trouble("transient")


def test_only_a_known_authority_is_believed(tmp_path: Path) -> None:
    certificate = _certificate(tmp_path)
    with listening(certificate) as server:
        with pool(f"https://{server.address}") as connections, pytest.raises(SSLError):
            connections.send("GET", "/", None, {})
        with pool(f"https://{server.address}", trusted=certificate) as connections:
            assert connections.send("GET", "/", None, {}).status == 200
        assert server.asked == ["GET / HTTP/1.1"]


def test_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    certificate = _certificate(tmp_path)
    with (
        listening(certificate) as server,
        pool(f"https://localhost:{server.server_port}", trusted=certificate) as connections,
        pytest.raises(SSLError),
    ):
        connections.send("GET", "/", None, {})
    assert server.asked == []


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_environment_says_whom_to_trust(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    certificate = _certificate(tmp_path)
    monkeypatch.setenv(name, str(certificate))
    with listening(certificate) as server:
        client = Client(GitHubSettings(url=f"https://{server.address}"))
        assert client.request("ghp_x", "GET", "/user").status == 200
        client.close()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("trusted", "said"),
    [("github.pem", "the answer is 200"), (None, "cannot be reached"), ("nowhere.pem", "cannot be reached")],
)
async def test_logs_elsewhere_are_fetched_by_the_same_certificates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trusted: str | None, said: str
) -> None:
    """What the server answers is compressed, which logs must not be."""
    certificate = _certificate(tmp_path).rename(tmp_path / "github.pem")
    if trusted is not None:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / trusted))

    class Logs:
        settings = GitHubSettings(url="http://127.0.0.1")

        async def get(self, _: str, *, accept: str) -> Reply:
            return Reply(302, {"location": f"https://{server.address}/log", "accept": accept}, "")

    with listening(certificate) as server, pytest.raises(UpstreamUnavailable, match=said):
        await job_log(cast("GitHub", Logs()), Repository("acme", "widgets", "main", "public"), 1)


def test_certificates_that_are_not_there_are_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="there are no certificates at"):
        Pool("https://api.github.test", timeout=1, size=1, trusted=str(tmp_path / "none.pem"))


def _certificate(folder: Path) -> Path:
    """The key and the certificate of 127.0.0.1, which stands for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
