"""`serving(fake)`: the fake at work on a free loopback port; see `state.py` for how to use it."""

import asyncio
import socket
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import parse_qsl, unquote

import uvicorn
from pydantic_core import from_json

from standins.slack import files, socket_mode
from standins.slack.faults import Fault
from standins.slack.models import Recorded
from standins.slack.router import Done, answer, find_token_of
from standins.slack.state import FakeSlack
from standins.slack.web import Asked

_STARTS_WITHIN = 10.0


class _App:
    """The fake as an ASGI application."""

    def __init__(self, fake: FakeSlack) -> None:
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
        path = unquote(scope["path"])
        asked = self._asked(scope, path, content)
        walking = asked.arguments.get("cursor") not in {None, "", "*"}
        fault = next((one for one in self._fake.faults if one.take(asked.method, walking=walking)), None)
        if fault is not None and fault.kind == "cut":
            self._record(asked, 0, fault.kind)
            await _cut(receive, send)
            return
        if fault is not None and fault.kind == "slow":
            await self._wait(fault)
        done = self._done(asked, path, content, fault)
        late = fault is not None and fault.kind in {"done-cut", "done-slow"}
        if fault is not None and fault.kind == "done-500":
            done = Done(500, {"content-type": "text/plain"}, b"Internal Server Error", "done-500")
        self._record(asked, 0 if late else done.status, done.error)
        if fault is not None and fault.kind == "done-slow":
            await self._wait(fault)
        elif late:
            await _cut(receive, send)
            return
        await _send(send, done)

    def _asked(self, scope: Any, path: str, content: bytes) -> Asked:
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if not path.startswith("/api/"):
            kind = {"upload": "upload", "files-pri": "download"}.get(path.split("/")[1], path)
            return Asked(self._fake, kind, {"path": path}, headers)
        method = path.removeprefix("/api/")
        query = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
        if "token" in query:
            self._fake.violations.append(f"{method}: a token in the query")
        arguments = query | self._body(method, content, headers)
        return Asked(self._fake, method, arguments, headers)

    def _body(self, method: str, content: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        kind = headers.get("content-type", "")
        if not content:
            return {}
        if kind.startswith("application/json"):
            try:
                made: Any = from_json(content)
            except ValueError:
                made = None
            if isinstance(made, dict):
                return cast("dict[str, Any]", made)
        elif kind.startswith("application/x-www-form-urlencoded"):
            return dict(parse_qsl(content.decode(), keep_blank_values=True))
        self._fake.violations.append(f"{method}: a body of {kind} that cannot be read")
        return {}

    def _done(self, asked: Asked, path: str, content: bytes, fault: Fault | None) -> Done:
        if asked.method not in {"upload", "download"} or (fault is not None and fault.answer() is not None):
            return answer(asked, fault)
        if asked.method == "upload":
            kind = asked.headers.get("content-type", "")
            status, text = files.take_upload(self._fake, path, content, kind)
            return Done(status, {"content-type": "text/plain"}, text.encode())
        find_token_of(asked)
        status, kind, body = files.download(asked, path)
        return Done(status, {"content-type": kind}, body)

    def _record(self, asked: Asked, status: int, error: str) -> None:
        label = asked.token.label if asked.token else ""
        arguments = {name: value for name, value in asked.arguments.items() if name != "token"}
        headers = {name: value for name, value in asked.headers.items() if name != "authorization"}
        self._fake.requests.append(Recorded(asked.method, arguments, label, status, error, headers))

    async def _wait(self, fault: Fault) -> None:
        try:
            await asyncio.wait_for(self.stopping.wait(), fault.seconds or 60.0)
        except TimeoutError:
            return


async def _send(send: Any, done: Done) -> None:
    made = dict(done.headers) | {"content-length": str(len(done.content))}
    headers = [(name.encode(), value.encode()) for name, value in made.items()]
    await send({"type": "http.response.start", "status": done.status, "headers": headers})
    await send({"type": "http.response.body", "body": done.content})


async def _cut(receive: Any, send: Any) -> None:
    send.__self__.transport.abort()  # ASGI has no word for it
    while (await receive())["type"] != "http.disconnect":
        pass


@contextmanager
def serving(fake: FakeSlack) -> Generator[str]:
    """Let the fake listen, and give the base URL for clients (with `/api/`); gone afterwards."""
    app = _App(fake)
    config = uvicorn.Config(
        app, http="h11", ws="none", lifespan="off", log_config=None, access_log=False, server_header=False
    )
    server = uvicorn.Server(config)
    ready = threading.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        async with socket_mode.listening(fake):
            ready.set()
            await server.serve([listener])

    with socket.socket(proto=socket.IPPROTO_TCP) as listener:  # told so, asyncio does not delay small packets
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        fake.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=lambda: asyncio.run(serve()))
        thread.start()
        assert ready.wait(_STARTS_WITHIN)
        try:
            yield fake.api
        finally:
            server.should_exit = server.force_exit = True
            if loops:
                loops[0].call_soon_threadsafe(app.stopping.set)
            thread.join(_STARTS_WITHIN)
            assert not thread.is_alive()
