"""A container that serves over HTTP as operators have it: policy and secrets in files, a volume for state."""

import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from images.behind import Behind
from images.engine import Container, options, serving
from ringmain_core.identity.api_keys import hash_key

KEY = "key-of-the-tester-of-images-that-nobody-guesses"
POLICY = """
[roles.tester]
allow = ["*:read", "*:write"]

[[agents]]
id = "tester"
roles = ["tester"]
"""


@dataclass(frozen=True, slots=True)
class Served:
    """A container at work, and where it is."""

    container: Container
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def client(self, key: str = KEY, **options: Any) -> AsyncGenerator[Client]:
        """A client of the newest version of the API."""
        headers = {"Authorization": f"Bearer {key}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=30) as http,
            Client(streamable_http_client(f"{self.url}/v2/mcp", http_client=http), **options) as client,
        ):
            yield client


@contextmanager
def served(image: str, system: Behind, folder: Path, *more: str) -> Generator[Served]:
    """Start a container on this machine's loopback interface, where the stand-ins are."""
    port = free_port()
    settings = {**system.settings, "RINGMAIN_HOST": "127.0.0.1", "RINGMAIN_PORT": str(port)}
    with serving(image, "--network=host", *operated(system, folder, settings), *more) as container:
        yield Served(container, port)


def operated(system: Behind, folder: Path, settings: dict[str, str]) -> list[str]:
    """The options of a container that has its policy and its secrets from files in a folder."""
    policy = folder / "policy.toml"
    policy.write_text(f'{POLICY}key = "{hash_key(KEY)}"\n', encoding="utf-8")
    settings = {**settings, "RINGMAIN_POLICY": "/etc/ringmain/policy.toml"}
    volumes = [*system.volumes, f"{policy}:/etc/ringmain/policy.toml:ro"]
    for name, value in system.secrets.items():
        secret = folder / name.lower()
        secret.write_text(value, encoding="utf-8")
        settings[name] = f"file:/run/secrets/{secret.name}"
        volumes.append(f"{secret}:/run/secrets/{secret.name}:ro")
    return options(settings, volumes)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]
