"""`serving(fake)`: the fake at work on a free loopback port; see `state.py` for how to use it."""

import asyncio
import socket
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, unquote

import uvicorn

from standins.gdrive import described
from standins.gdrive.faults import LATE, Fault, struck
from standins.gdrive.models import Recorded
from standins.gdrive.router import Done, answer, refused
from standins.gdrive.state import FakeDrive
from standins.gdrive.web import Asked

_STARTS_WITHIN = 10.0
_STOPS_WITHIN = 5.0
_API, _UPLOAD = "/drive/v3/", "/upload/drive/v3/"
_PAGES = {
    "/o/oauth2/v2/auth": "oauth.authorize",
    "/token": "oauth.token",
    "/revoke": "oauth.revoke",
    "/tokeninfo": "oauth.tokeninfo",
    "/content/download": "content.download",
    "/content/export": "content.export",
}


class _App:
    """The fake as an ASGI application."""

    def __init__(self, fake: FakeDrive) -> None:
        self._fake = fake
        self.stopping = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        parts: list[bytes] = []
        more = True
        while more:
            message = await receive()
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        asked = self._asked(scope, b"".join(parts))
        fault = asked.fault = struck(self._fake.faults, asked.name)
        if fault is None:
            done = answer(asked)
            self._record(asked, done.status, done.reason)
            await _send(send, done)
        else:
            await self._broken(asked, fault, receive, send)

    async def _broken(self, asked: Asked, fault: Fault, receive: Any, send: Any) -> None:
        if fault.kind == "cut":
            self._record(asked, 0, fault.kind)
            await _cut(receive, send)
            return
        if fault.kind == "slow":
            await self._wait(fault)
        done = answer(asked)
        error = fault.refusal()
        if fault.kind == "done-500" and error is not None:
            done = refused(error)
        self._record(asked, 0 if fault.kind in LATE - {"done-500"} else done.status, done.reason)
        if fault.kind == "done-slow":
            await self._wait(fault)
        elif fault.kind == "done-cut":
            await _cut(receive, send)
            return
        await _send(send, done, half=fault.kind == "cut-body")

    def _asked(self, scope: Any, content: bytes) -> Asked:
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        path: str = scope["raw_path"].decode().partition("?")[0]
        verb: str = scope["method"]
        given = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
        asked = Asked(self._fake, _PAGES.get(path, ""), verb, path, given, headers, content)
        prefix = next((one for one in (_API, _UPLOAD) if path.startswith(one)), "")
        if prefix:
            segments = tuple(unquote(one) for one in path.removeprefix(prefix).split("/"))
            if "upload_id" in given:  # a session goes on, as what it began
                verb = "POST" if len(segments) == 1 else "PATCH"
            found = described.find(verb, segments)
            if found is not None:
                asked.method, of_path = found
                asked.name = asked.method.id
                asked.given = given | of_path
        return asked

    def _record(self, asked: Asked, status: int, reason: str) -> None:
        headers = {name: value for name, value in asked.headers.items() if name != "authorization"}
        label = asked.token.label if asked.token else ""
        body = asked.body or None
        self._fake.requests.append(
            Recorded(asked.name or asked.path, asked.given, body, label, status, reason, headers)
        )

    async def _wait(self, fault: Fault) -> None:
        try:
            await asyncio.wait_for(self.stopping.wait(), fault.seconds or 60.0)
        except TimeoutError:
            return


async def _send(send: Any, done: Done, *, half: bool = False) -> None:
    made: Mapping[str, str] = {**done.headers, "content-length": str(len(done.content))}
    headers = [(name.encode(), value.encode("latin-1")) for name, value in made.items()]
    await send({"type": "http.response.start", "status": done.status, "headers": headers})
    if half:
        some = done.content[: len(done.content) // 2]
        await send({"type": "http.response.body", "body": some, "more_body": True})
        send.__self__.transport.close()  # what was sent still leaves
        return
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
def serving(fake: FakeDrive) -> Generator[str]:
    """Let the fake listen, and give its address; gone afterwards."""
    app = _App(fake)
    config = uvicorn.Config(
        app, http="httptools", ws="none", lifespan="off", log_config=None, access_log=False, date_header=False
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
