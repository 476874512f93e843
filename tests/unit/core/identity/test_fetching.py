import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from ringmain_core.identity.fetching import Unfetchable, fetch_json

pytestmark = pytest.mark.anyio

JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"


@asynccontextmanager
async def answering(*answers: bytes) -> AsyncGenerator[tuple[str, list[str]]]:
    """A server that answers its requests one after the other; its address, and what it was asked."""
    asked: list[str] = []
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        if left:
            writer.write(left.pop(0))
            writer.close()
        else:
            await reader.read()  # until the client gives up
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


async def test_a_json_object_is_fetched_as_it_is() -> None:
    async with answering(JSON + b'{"keys": []}') as (url, asked):
        assert await fetch_json(f"{url}/keys", loopback=True) == {"keys": []}
    [request] = asked
    assert request.startswith("GET /keys HTTP/1.1\r\n")
    assert re.search(r"(?im)^accept-encoding: identity\r$", request)
    assert not re.search(r"(?im)^(authorization|cookie):", request)


async def test_a_redirect_is_not_followed() -> None:
    redirect = b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    async with answering(redirect, JSON + b"{}") as (url, asked):
        with pytest.raises(Unfetchable, match=r"^http://[0-9.:]+/keys answers 302$"):
            await fetch_json(f"{url}/keys", loopback=True)
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "answers 503"),
        (JSON + b"[]", "does not answer with a JSON object"),
        (JSON + b"<html>", "does not answer with JSON (Expecting value: line 1 column 1 (char 0))"),
        (JSON + b'{"keys":1,"keys":2}', "does not answer with JSON (an object has the same key twice)"),
        (JSON + b" " * 262_145, "answers more than 262,144 bytes"),
        (b"not HTTP\r\n\r\n", "cannot be reached (RemoteProtocolError)"),
        (b"", "cannot be reached (RemoteProtocolError)"),
    ],
)
async def test_what_is_no_answer_is_told_with_the_reason(answer: bytes, reason: str) -> None:
    async with answering(answer) as (url, _):
        with pytest.raises(Unfetchable) as caught:
            await fetch_json(url, loopback=True)
    assert str(caught.value) == f"{url} {reason}"


async def test_an_answer_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringmain_core.identity.fetching._WITHIN", 0.2)
    async with answering() as (url, _):
        with pytest.raises(Unfetchable, match=r"does not answer within 0.2 s$"):
            await fetch_json(url, loopback=True)


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:1/keys", False),
        ("http://idp.example.com/keys", True),
        ("http://127.0.0.1.evil.example/keys", True),
        ("https://user:password@idp.example.com/keys", True),
        ("https:///keys", True),
        ("https://[::1/keys", True),
        ("https://idp.example.com:99999/keys", True),
        ("https://idp.example.com/a b\r\nX: y", True),
        ("file:///etc/passwd", True),
        ("/keys", True),
    ],
)
async def test_only_addresses_that_nobody_can_change_on_the_way_are_asked(url: str, loopback: bool) -> None:
    with pytest.raises(Unfetchable, match=r"is not an https address$"):
        await fetch_json(url, loopback=loopback)
