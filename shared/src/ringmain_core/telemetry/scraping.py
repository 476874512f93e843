"""The port that Prometheus reads: `GET /metrics`, and nothing else."""

import asyncio
import hmac
import ipaddress
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from ringmain_core.errors import ConfigurationError
from ringmain_core.on_disk import is_loopback
from ringmain_core.refusals import Refusal, Unauthenticated
from ringmain_core.settings import CoreSettings
from ringmain_core.telemetry.exposition import page
from ringmain_core.telemetry.metrics import Metrics
from ringmain_core.transport.neighbours import Neighbours

_LOOK_EVERY = 1.0
_MOST_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Port:
    """Where Prometheus reads.

    Attributes:
        listener: What takes its connections; workers share it, and whichever takes one answers for all.
        folder: Where workers share what they count; one process alone needs none.
    """

    listener: socket.socket
    folder: Path | None = None

    @property
    def url(self) -> str:
        host, port = self.listener.getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/metrics"


@contextmanager
def metrics_port(core: CoreSettings) -> Generator[Port | None]:
    """The port for metrics, which answers once they are served; `None` where none is set.

    It has to be there before workers are forked, which leave its end to the process that has made it.

    Raises:
        ConfigurationError: Where others could read it without a token, or it cannot be had.
    """
    if core.metrics_port is None:
        yield None
        return
    with _listener(core, core.metrics_port) as listener:
        if core.workers == 1:
            yield Port(listener)
            return
        maker, folder = os.getpid(), _folder()
        try:
            yield Port(listener, folder)
        finally:
            if os.getpid() == maker:  # workers come by here as well
                shutil.rmtree(folder, ignore_errors=True)


def _listener(core: CoreSettings, port: int) -> socket.socket:
    if not is_loopback(core.metrics_host) and core.metrics_token is None:
        raise ConfigurationError(
            f"Metrics on {core.metrics_host} could be read from elsewhere. Set RINGMAIN_METRICS_TOKEN, which "
            "Prometheus sends as `authorization: {credentials: …}`, or listen on 127.0.0.1."
        )
    family = socket.AF_INET6 if ":" in core.metrics_host else socket.AF_INET
    try:
        return socket.create_server((core.metrics_host, port), family=family)
    except OSError as error:
        raise ConfigurationError(
            f"{core.metrics_host} port {port} cannot be listened on: {error.strerror}. "
            "Set RINGMAIN_METRICS_HOST or RINGMAIN_METRICS_PORT."
        ) from error


def _folder() -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix="ringmain-metrics-"))
    except OSError as error:
        raise ConfigurationError(
            f"There is no place for the metrics of several workers: {error.strerror}. Set TMPDIR to a folder "
            "that can be written, or leave RINGMAIN_METRICS_PORT unset."
        ) from error


class MetricsApp:
    """The ASGI app of the metrics' port.

    Args:
        neighbours: Which names of this server are accepted as Host, beside addresses.
        token: What a reader has to send, where one is set.
    """

    def __init__(self, metrics: Metrics, neighbours: Neighbours, token: SecretStr | None) -> None:
        self._metrics = metrics
        self._neighbours = neighbours
        self._token = token.get_secret_value().encode() if token is not None else None

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            self._check(scope)
        except Refusal as refusal:
            self._metrics.unserved(refusal, gate="metrics")
            more = {"WWW-Authenticate": "Bearer"} if isinstance(refusal, Unauthenticated) else {}
            await _answer(send, refusal.http_status, f"{refusal.message}\n", **more)
            return
        if scope["path"] != "/metrics":
            await _answer(send, 404, "There is only /metrics here.\n")
        elif scope["method"] != "GET":
            await _answer(send, 405, "Metrics can only be read.\n", Allow="GET")
        else:
            self._metrics.look()
            accept = ",".join(_header(scope, b"accept"))
            body, content_type = await asyncio.to_thread(page, self._metrics, accept)
            await _answer(send, 200, body, **{"Content-Type": content_type})

    def _check(self, scope: Scope) -> None:
        hosts = _header(scope, b"host")
        # An address cannot be rebound: a page that is read under it was served from there.
        by_address = len(hosts) == 1 and _is_address(hosts[0])
        self._neighbours.check(["localhost"] if by_address else hosts, _header(scope, b"origin"))
        if self._token is not None:
            scheme, _, sent = "".join(_header(scope, b"authorization")).partition(" ")
            known = hmac.compare_digest(sent.strip().encode("latin-1"), self._token)
            if scheme.lower() != "bearer" or not known:
                raise Unauthenticated("Send RINGMAIN_METRICS_TOKEN as `Authorization: Bearer <token>`.")


@asynccontextmanager
async def metrics_served(metrics: Metrics, core: CoreSettings, port: Port) -> AsyncGenerator[None]:
    """Answer readers of the metrics for as long as the body runs."""
    import uvicorn

    class Server(uvicorn.Server):
        @contextmanager
        def capture_signals(self) -> Generator[None]:
            yield  # signals are for the server beside this one

    app: ASGIApp = MetricsApp(
        metrics, Neighbours(core.allowed_hosts, core.allowed_origins), core.metrics_token
    )
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        lifespan="off",
        limit_concurrency=_MOST_AT_ONCE,
        timeout_graceful_shutdown=1,
    )
    server = Server(config)
    serving = asyncio.create_task(server.serve(sockets=[port.listener]))
    looking = asyncio.create_task(_keep_looking(metrics))
    try:
        yield
    finally:
        looking.cancel()
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await looking
        await serving


async def _keep_looking(metrics: Metrics) -> None:
    """Keep what is watched fresh for the other workers; a process of its own looks when it is asked."""
    while metrics.folder is not None:
        metrics.look()
        await asyncio.sleep(_LOOK_EVERY)


def _is_address(host: str) -> bool:
    name, _, port = host.rpartition(":")
    name = name.strip("[]") if port.isdecimal() and name else host.strip("[]")
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _header(scope: Scope, wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == wanted]


async def _answer(send: Send, status: int, body: bytes | str, **headers: Any) -> None:
    content = body.encode() if isinstance(body, str) else body
    said = {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": str(len(content)),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    } | headers
    raw = [(name.encode(), value.encode()) for name, value in said.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": content})
