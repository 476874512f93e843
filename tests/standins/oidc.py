"""A real authorization server from npm (`oidc-provider`) at work on a free port of this machine."""

import json
import socket
import subprocess
import threading
import urllib.parse
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from standins.node import node

_PROGRAM = Path(__file__).with_name("oidc.mjs")
_STARTS_WITHIN = 30.0
_ANSWERS_WITHIN = 10.0


@dataclass(frozen=True)
class AuthorizationServer:
    """An issuer of tokens; `alice` is logged in wherever a browser comes, and consents.

    Attributes:
        issuer: Its address, as its tokens spell it.
    """

    issuer: str

    def token(self, resource: str, *scopes: str) -> str:
        """An access token for a resource, as the client `robot` gets it without anybody's help."""
        form = {
            "grant_type": "client_credentials",
            "client_id": "robot",
            "client_secret": "robot-secret",
            "resource": resource,
            "scope": " ".join(scopes),
        }
        return self._ask("/token", urllib.parse.urlencode(form).encode())["access_token"]

    def rotate_keys(self) -> None:
        """Sign with a new key from now on; the old one is not published any more."""
        self._ask("/control/rotate")

    def stop_serving_keys(self) -> None:
        """Answer 503 to whoever asks for the keys."""
        self._ask("/control/keys-off")

    def serve_keys(self) -> None:
        """Answer again."""
        self._ask("/control/keys-on")

    def consent_to_first(self) -> None:
        """Let `alice` agree to the first scope only, whatever a client asks for."""
        self._ask("/control/consent-to-first")

    def consent_to_all(self) -> None:
        """Let her agree to everything again."""
        self._ask("/control/consent-to-all")

    def times_asked_for_keys(self) -> int:
        """How often somebody asked for the keys so far."""
        return int(self._ask("/control/asked"))

    def _ask(self, path: str, body: bytes | None = None) -> Any:
        with urllib.request.urlopen(self.issuer + path, body, timeout=_ANSWERS_WITHIN) as answer:  # noqa: S310
            return json.load(answer)


@contextmanager
def authorization_server(
    *, scopes: Sequence[str], groups: Sequence[str] = (), lifetime: int = 600
) -> Generator[AuthorizationServer]:
    """Start the server, and stop it in the end.

    Args:
        scopes: What exists; everybody is given what they ask for, for any resource (RFC 8707).
        groups: The claim of that name in every token.
        lifetime: Of its tokens, in seconds.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    settings = {
        "port": port,
        "scopes": list(scopes),
        "groups": list(groups),
        "lifetime": lifetime,
    }
    process = subprocess.Popen(
        [node(), _PROGRAM, json.dumps(settings)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    said: list[str] = []
    ready = threading.Event()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if line == "ready\n":
                ready.set()
        ready.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert ready.wait(_STARTS_WITHIN), said
        assert "ready\n" in said, "".join(said)
        yield AuthorizationServer(f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()
        reader.join()
        assert process.stdout is not None
        process.stdout.close()
