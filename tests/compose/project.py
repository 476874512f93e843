"""`compose.yaml` at work: a copy of the folder with settings of its own, and the containers that it makes."""

import os
import re
import shutil
import ssl
import subprocess
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from contract.deployment import COMPOSE
from images.engine import PROGRAM, engine
from images.served import free_port

HOST = "mcp.localhost"
BODY_WITHIN = 3.0
POLICY = "policy/policy.toml"
SERVICES = ("proxy", "valkey", "database", "postgres", "prometheus")
_COMPOSE = [PROGRAM, "compose"] if PROGRAM == "docker" else ["podman-compose"]
_PROFILES = ("--profile=postgres", "--profile=vector", "--profile=observe")
_STARTS_WITHIN = 90.0


@dataclass(frozen=True, slots=True)
class Project:
    """What is up.

    Attributes:
        folder: The copy of `compose/`.
        port: Where the proxy listens, on this machine's loopback interface.
    """

    name: str
    folder: Path
    port: int

    def url(self, connector: str = "postgres") -> str:
        return f"https://{HOST}:{self.port}/{connector}/v2/mcp"

    def containers(self, service: str, *, stopped: bool = False) -> list[str]:
        """The ids of a service's containers."""
        labels = {"com.docker.compose.project": self.name, "com.docker.compose.service": service}
        filters = [f"--filter=label={label}={value}" for label, value in labels.items()]
        return engine("ps", "-q", *(["--all"] if stopped else []), *filters).split()

    def await_replicas(self) -> None:
        """Wait until all servers serve."""
        await_that(lambda: len(self.containers("postgres")) == 2, "both replicas run")
        for container in (*self.containers("postgres"), *self.containers("vector")):
            await_that(lambda container=container: _is_ready(container), "a replica is ready")

    def does(self, service: str, *command: str) -> str:
        """What a command prints in the first container of a service."""
        return engine("exec", self.containers(service)[0], *command)

    def sql(self, statement: str, database: str = "shop") -> str:
        """What the superuser of the database gets."""
        return self.does("database", "psql", "--username=postgres", "-qtA", "--command", statement, database)

    def trust(self) -> ssl.SSLContext:
        """What a client trusts: the authority of this installation."""
        return ssl.create_default_context(cafile=self.folder / "secrets" / "ca.pem")

    def key(self) -> str:
        return (self.folder / "secrets" / "assistant_key").read_text(encoding="utf-8").strip()

    @asynccontextmanager
    async def http(
        self, headers: Mapping[str, str] | None = None, *, trust: ssl.SSLContext | None = None
    ) -> AsyncGenerator[httpx2.AsyncClient]:
        """An HTTP client that has the agent's key, and finds the proxy by its name."""
        given = {"Authorization": f"Bearer {self.key()}", **(headers or {})}
        transport = _Here(verify=trust or self.trust())
        async with httpx2.AsyncClient(headers=given, timeout=30, transport=transport) as client:
            yield client

    @asynccontextmanager
    async def client(self, connector: str = "postgres") -> AsyncGenerator[Client]:
        async with (
            self.http() as http,
            Client(streamable_http_client(self.url(connector), http_client=http)) as client,
        ):
            yield client


class _Here(httpx2.AsyncHTTPTransport):
    """Connects to this machine, whatever the name is: not every resolver knows it. TLS asks for the name."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.extensions = {**request.extensions, "sni_hostname": request.url.host}
        request.url = request.url.copy_with(host="127.0.0.1")
        return await super().handle_async_request(request)


@contextmanager
def running(folder: Path) -> Generator[Project]:
    """Start two connectors with all that belongs to them, as far as there are images of it."""
    project = Project(f"ringmain-test-{uuid.uuid4().hex[:8]}", folder / "compose", free_port())
    _set_up(project)
    try:
        _compose(project, "up", "-d", "--no-build", *SERVICES)
        _compose(project, "up", "-d", "--no-build", "--no-deps", "vector")  # there is no Qdrant
        project.await_replicas()
        yield project
    finally:
        _compose(project, "down", "--volumes")


def await_that(holds: Callable[[], bool], what: str, within: float = _STARTS_WITHIN) -> None:
    """Ask until it holds."""
    until = time.monotonic() + within
    while not holds():
        assert time.monotonic() < until, f"not within {within:g} s: {what}"
        time.sleep(0.2)


def _is_ready(container: str) -> bool:
    asks = "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/readyz', timeout=5)"
    done = subprocess.run(
        [PROGRAM, "exec", container, "/opt/ringmain/bin/python", "-c", asks],
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode == 0


def _set_up(project: Project) -> None:
    made = shutil.ignore_patterns(".env", "secrets")
    shutil.copytree(COMPOSE, project.folder, ignore=made)
    vectors = {r"^RINGMAIN_VECTOR_STORE=.*": "RINGMAIN_VECTOR_STORE=file:/run/secrets/pgvector_url"}
    _change(project, ".env.example", {r"^PROXY_PORT=.*": f"PROXY_PORT={project.port}", **vectors})
    # Limits and times that tests do not have to wait for.
    _change(project, POLICY, {r"\b8443\b": str(project.port), r"^limits = .*": ""})
    _change(project, POLICY, {r'^"(\*|postgres.query)" = .*': r'"\1" = { rate = "500/s", burst = 500 }'})
    _change(project, "proxy/Caddyfile", {r"read_body \d+s": f"read_body {BODY_WITHIN:g}s"})
    _change(project, "prometheus/prometheus.yml", {r"\b15s": "1s"})
    subprocess.run(["sh", project.folder / "prepare.sh"], check=True, capture_output=True, timeout=60)


def _change(project: Project, file: str, changes: Mapping[str, str]) -> None:
    path = project.folder / file
    text = path.read_text(encoding="utf-8")
    for pattern, replacement in changes.items():
        text, found = re.subn(pattern, replacement, text, flags=re.MULTILINE)
        assert found, f"{file} has no {pattern}"
    path.write_text(text, encoding="utf-8")


def _compose(project: Project, *arguments: str) -> None:
    done: Any = subprocess.run(
        [*_COMPOSE, "-p", project.name, *_PROFILES, *arguments],
        cwd=project.folder,
        env={**os.environ, "COMPOSE_PROJECT_NAME": project.name},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
