"""`serving(fake)`: the fake at work on a free loopback port; see `state.py` for how to use it."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, unquote

from pydantic_core import from_json

from standins.github.router import answer
from standins.github.state import FakeGitHub, Recorded
from standins.github.web import Asked
from standins.listening import cut, listening, pause, respond, whole_body

_REST = "/api/v3"


class _App:
    """The fake as an ASGI application."""

    def __init__(self, fake: FakeGitHub) -> None:
        self._fake = fake
        self.stopping = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        asked = self._asked(scope, await whole_body(receive))
        fault = next((one for one in self._fake.faults if one.take(asked.method, asked.path)), None)
        if fault is not None and fault.kind == "cut":
            self._record(asked, 0)
            await cut(receive, send)
            return
        if fault is not None and fault.kind == "slow":
            await pause(self, fault.seconds or 60.0)
        done = answer(asked, fault)
        late = fault is not None and fault.kind in {"done-cut", "done-slow"}
        self._record(asked, 0 if late else done.status)
        if fault is not None and fault.kind == "done-slow":
            await pause(self, fault.seconds or 60.0)
        elif late:
            await cut(receive, send)
            return
        await respond(send, done.status, done.headers, done.content)

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


@contextmanager
def serving(fake: FakeGitHub) -> Generator[str]:
    """Let the fake listen, and give its address; gone afterwards."""
    with listening(_App(fake), "h11") as fake.url:
        yield fake.url
