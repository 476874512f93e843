"""A lean HTTP client: keep-alive connections, requests made of ready parts, and just enough parsing."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self, cast

import uvloop

from bench import messages
from bench.messages import Era
from bench.processes import HttpServer

Body = Callable[[int], tuple[bytes, bytes]]
"""From a number that never comes twice: a request's body, and bytes that a right answer has in it."""

_ANSWERED_WITHIN = 60
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_SESSION = re.compile(rb"\r\nmcp-session-id: *(\S+)", re.IGNORECASE)
_FAILED = re.compile(rb'"isError": ?true')


class _Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._size = -1
        self._answer: asyncio.Future[bytes] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no subclass

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("the server closed the connection"))

    def exchange(self, request: bytes) -> asyncio.Future[bytes]:
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._is_complete() and self._answer is not None:
            answer, self._received, self._size = bytes(self._received), bytearray(), -1
            self._answer.set_result(answer)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _is_complete(self) -> bool:
        if self._size < 0:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return False
            length = _LENGTH.search(self._received, 0, end)
            self._size = end + 4 + int(length[1]) if length else 0  # 0: in chunks
        if self._size:
            return len(self._received) >= self._size
        return self._received.endswith(b"0\r\n\r\n")


class HttpLoad:
    """Some clients that call a server over and over.

    Attributes:
        bytes_of_last: The size of one answer, headers included.
    """

    def __init__(
        self, server: HttpServer, body: Body, *, tool: str, era: Era, key: str, clients: int
    ) -> None:
        self._server = server
        self._body = body
        self._clients = clients
        self._numbers = iter(range(1_000_000, 1 << 40))
        self.bytes_of_last = 0
        head = [
            f"POST {server.path} HTTP/1.1",
            f"host: {server.host}:{server.port}",
            "content-type: application/json",
            "accept: application/json, text/event-stream",
            f"authorization: Bearer {key}",
        ]
        self._plain = "\r\n".join(head).encode()
        if era == messages.MODERN:
            head += [f"mcp-protocol-version: {era}", "mcp-method: tools/call", f"mcp-name: {tool}"]
        self._era = era
        self._head = "\r\n".join(head).encode()
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._heads: list[bytes] = []

    def __enter__(self) -> Self:
        self._runner.run(self._open_sessions())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._runner.close()

    def run(self, calls: int) -> None:
        """Make so many calls, and check every answer."""
        self._runner.run(self._call_all(calls))

    async def _open_sessions(self) -> None:
        for _ in range(self._clients):
            async with self._connection() as connection:
                modern = self._era == messages.MODERN
                self._heads.append(self._head if modern else await self._open_session(connection))

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[_Connection]:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, self._server.host, self._server.port)
        try:
            yield connection
        finally:
            connection.close()

    async def _open_session(self, connection: _Connection) -> bytes:
        answer = await connection.exchange(_framed(self._plain, messages.initialize()))
        session = _SESSION.search(answer)
        if session is None:
            raise RuntimeError(f"no session: {answer[:500]!r}")
        head = self._head + f"\r\nmcp-protocol-version: {self._era}\r\nmcp-session-id: ".encode() + session[1]
        accepted = await connection.exchange(_framed(head, messages.INITIALIZED))
        if not accepted.startswith(b"HTTP/1.1 202"):
            raise RuntimeError(f"not accepted: {accepted[:500]!r}")
        return head

    async def _call_all(self, calls: int) -> None:
        left = iter(range(calls))
        async with asyncio.timeout(_ANSWERED_WITHIN + calls / 10), asyncio.TaskGroup() as clients:
            for head in self._heads:
                clients.create_task(self._call(head, left))

    async def _call(self, head: bytes, left: Iterator[int]) -> None:
        # A new connection in each round: servers close those that were idle for some seconds.
        async with self._connection() as connection:
            for _ in left:
                body, expected = self._body(next(self._numbers))
                answer = await connection.exchange(_framed(head, body))
                if not answer.startswith(b"HTTP/1.1 200") or expected not in answer or _FAILED.search(answer):
                    raise RuntimeError(f"wrong answer: {answer[:1000]!r}")
                self.bytes_of_last = len(answer)


def _framed(head: bytes, body: bytes) -> bytes:
    return b"%b\r\ncontent-length: %d\r\n\r\n%b" % (head, len(body), body)
