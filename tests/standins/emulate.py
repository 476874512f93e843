"""npm's `emulate` for GitHub on a free port, behind a shim that knows its tokens (by itself it takes any)."""

import http.client
import json
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from standins.node import MODULES, node

TOKEN = "ghp_admin"
_STARTS_WITHIN = 30.0
_ANSWERS_WITHIN = 10.0
_KEPT = {"accept", "authorization", "content-type", "user-agent"}


def _seed(url: str) -> str:
    repo = {"owner": "acme", "name": "widgets", "private": False, "auto_init": True}
    github = {
        "baseUrl": url,
        "users": [{"login": "octocat", "name": "The Octocat"}],
        "orgs": [{"login": "acme", "members": ["octocat"]}],
        "repos": [repo],
    }
    tokens = {TOKEN: {"login": "octocat", "scopes": ["repo", "user"]}}
    return json.dumps({"tokens": tokens, "github": github})  # JSON is YAML, too


class _Shim(BaseHTTPRequestHandler):
    """Passes on what carries the token; GitHub Enterprise Server's prefix is taken off."""

    protocol_version = "HTTP/1.1"
    behind = 0

    def _pass(self) -> None:
        content = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.headers.get("authorization", "").partition(" ")[2] != TOKEN:
            refusal = {"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest"}
            self._answer(401, "application/json", json.dumps(refusal).encode())
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() in _KEPT}
        connection = http.client.HTTPConnection("127.0.0.1", self.behind, timeout=_ANSWERS_WITHIN)
        connection.request(self.command, self.path.removeprefix("/api/v3"), content or None, headers)
        answer = connection.getresponse()
        body = answer.read()
        link = answer.headers.get("link")
        self._answer(answer.status, answer.headers.get("content-type", ""), body, link)
        connection.close()

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _pass  # noqa: N815

    def _answer(self, status: int, kind: str, body: bytes, link: str | None = None) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        if link:
            self.send_header("link", link)
        if status != http.HTTPStatus.NO_CONTENT:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def emulated(folder: Path) -> Generator[str]:
    """Start it with one user, one organisation and one repository, and give the address of the shim.

    Args:
        folder: For its seed file.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    handler = type("Shim", (_Shim,), {"behind": port})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    url = f"http://127.0.0.1:{server.server_address[1]}"
    seed = folder / "seed.yaml"
    seed.write_text(_seed(url), encoding="utf-8")
    program = MODULES / "emulate/dist/index.js"
    command = [
        str(node()),
        str(program),
        "start",
        "--service",
        "github",
        "--port",
        str(port),
        "--seed",
        str(seed),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        _wait_for(port, process)
        yield url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        process.terminate()
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + _STARTS_WITHIN
    while True:
        assert process.poll() is None, "emulate has ended"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/rate_limit", timeout=_ANSWERS_WITHIN):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            assert time.monotonic() < ends, "emulate does not start"
            time.sleep(0.05)
