"""`serving(fake)`: the fake at work on a free loopback port; see `state.py` for how to use it."""

import asyncio
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, unquote

import uvicorn
from pydantic_core import from_json

from standins.github.faults import Fault
from standins.github.router import Done, answer
from standins.github.state import FakeGitHub, Recorded
from standins.github.web import Asked

_STARTS_WITHIN = 10.0
_STOPS_WITHIN = 5.0
_REST = "/api/v3"


class _App:
    """The fake as an ASGI application."""

    def __init__(self, fake: FakeGitHub) -> None:
        self._fake = fake
        self.stopping = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        content = b""
        more = True
        while more:
            message = await receive()
            content += message.get("body", b"")
            more = message.get("more_body", False)
        asked = self._asked(scope, content)
        fault = next((one for one in self._fake.faults if one.take(asked.method, asked.path)), None)
        if fault is not None and fault.kind == "cut":
            self._record(asked, 0)
            await _cut(receive, send)
            return
        if fault is not None and fault.kind == "slow":
            await self._wait(fault)
        done = answer(asked, fault)
        late = fault is not None and fault.kind in {"done-cut", "done-slow"}
        self._record(asked, 0 if late else done.status)
        if fault is not None and fault.kind == "done-slow":
            await self._wait(fault)
        elif late:
            await _cut(receive, send)
            return
        await _send(send, done)

    def _asked(self, scope: Any, content: bytes) -> Asked:
        path = scope["raw_path"].decode().partition("?")[0]
        self._fake.prefix = _REST if path.startswith(("/api/v3/", "/api/graphql")) else ""
        if path == "/api/graphql":
            path = "/graphql"
        query = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        body = None
        if content:
            try:
                body = from_json(content)
            except ValueError:
                self._fake.violations.append(f"{scope['method']} {path}: the body is no JSON")
        return Asked(self._fake, scope["method"], path.removeprefix(_REST), query, body, headers)

    def _record(self, asked: Asked, status: int) -> None:
        label = asked.token.label if asked.token else ""
        headers = {name: value for name, value in asked.headers.items() if name != "authorization"}
        self._fake.requests.append(
            Recorded(asked.method, unquote(asked.path), asked.query, asked.body, status, label, headers)
        )

    async def _wait(self, fault: Fault) -> None:
        try:
            await asyncio.wait_for(self.stopping.wait(), fault.seconds or 60.0)
        except TimeoutError:
            return


async def _send(send: Any, done: Done) -> None:
    headers = [(name.encode(), value.encode()) for name, value in done.headers.items()]
    await send({"type": "http.response.start", "status": done.status, "headers": headers})
    await send({"type": "http.response.body", "body": done.content})


async def _cut(receive: Any, send: Any) -> None:
    send.__self__.transport.abort()  # ASGI has no word for it
    while (await receive())["type"] != "http.disconnect":
        pass


class _Server(uvicorn.Server):
    """Stops as soon as it is told, not at the next of its ticks."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._stopping = stopping
        self.ready = threading.Event()
        self.loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.ready.set()
        await self._stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for listener in sockets or []:
            listener.close()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=_STOPS_WITHIN)


@contextmanager
def serving(fake: FakeGitHub) -> Generator[str]:
    """Let the fake listen, and give its address; gone afterwards."""
    app = _App(fake)
    config = uvicorn.Config(
        app, http="h11", ws="none", lifespan="off", log_config=None, access_log=False, date_header=False
    )
    server = _Server(config, app.stopping)

    with socket.socket(proto=socket.IPPROTO_TCP) as listener:  # told so, asyncio does not delay small packets
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        fake.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
        thread.start()
        assert server.ready.wait(_STARTS_WITHIN)
        assert server.loop is not None
        try:
            yield fake.url
        finally:
            server.loop.call_soon_threadsafe(app.stopping.set)
            thread.join(_STARTS_WITHIN)
            assert not thread.is_alive()
