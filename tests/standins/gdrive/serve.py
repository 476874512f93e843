"""`serving(fake)`: the fake at work on a free loopback port; see `state.py` for how to use it."""

import asyncio
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, unquote

from standins.gdrive import described
from standins.gdrive.faults import LATE, Fault, struck
from standins.gdrive.models import Recorded
from standins.gdrive.router import Done, answer, refused
from standins.gdrive.state import FakeDrive
from standins.gdrive.web import Asked
from standins.listening import begin, break_off, cut, listening, pause, respond, whole_body

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
        asked = self._asked(scope, await whole_body(receive))
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
            await cut(receive, send)
            return
        if fault.kind == "slow":
            await pause(self, fault.seconds or 60.0)
        done = answer(asked)
        error = fault.refusal()
        if fault.kind == "done-500" and error is not None:
            done = refused(error)
        self._record(asked, 0 if fault.kind in LATE - {"done-500"} else done.status, done.reason)
        if fault.kind == "done-slow":
            await pause(self, fault.seconds or 60.0)
        elif fault.kind == "done-cut":
            await cut(receive, send)
            return
        if fault.kind == "cut-body":
            await begin(send, done.status, _headers(done))
            await break_off(send, done.content)
        else:
            await _send(send, done)

    def _asked(self, scope: Any, content: bytes) -> Asked:
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        path: str = scope["raw_path"].decode().partition("?")[0]
        verb: str = scope["method"]
        query: bytes = scope["query_string"]
        if "x-http-method-override" in headers:  # so the vendor's client asks what is too long for an address
            verb, query, content = headers["x-http-method-override"], content, b""
        given = dict(parse_qsl(query.decode(), keep_blank_values=True))
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


def _headers(done: Done) -> Mapping[str, str]:
    return {**done.headers, "content-length": str(len(done.content))}


async def _send(send: Any, done: Done) -> None:
    await respond(send, done.status, _headers(done), done.content)


@contextmanager
def serving(fake: FakeDrive) -> Generator[str]:
    """Let the fake listen, and give its address; gone afterwards."""
    with listening(_App(fake), "httptools") as fake.url:
        yield fake.url
