"""One kept-alive connection that speaks MCP of 2026-07-28, and says exactly how it was let down."""

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any, Self, cast

from bench.messages import MODERN
from ringmain_core.errors import ERROR_META

_ANSWERED_WITHIN = 15.0
_MOST_BYTES = 1 << 22
_CLIENT = {"name": "bench", "version": "1.0"}
_TARGETS = {"tools/call": "name", "resources/read": "uri"}


class Cut(Exception):
    """The connection could not be made, or ended before the answer did."""


class Lost(Exception):
    """Neither an answer nor the end of the connection came."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its HTTP status, and the message that it is."""

    status: int
    message: Mapping[str, Any]

    @property
    def result(self) -> Mapping[str, Any]:
        return self.message.get("result", {})

    @property
    def ok(self) -> bool:
        return self.status == 200 and bool(self.result) and not self.result.get("isError")

    @property
    def text(self) -> str:
        return "".join(block.get("text", "") for block in self.result.get("content", ()))

    @property
    def failure(self) -> Mapping[str, Any]:
        """The fields of a failure: `code`, `retryable`, perhaps `retry_after_ms`."""
        of_tool = self.result.get("_meta", {}).get(ERROR_META)
        return of_tool or self.message.get("error", {}).get("data") or {}

    @property
    def code(self) -> str:
        return "" if self.ok else str(self.failure.get("code", f"http {self.status}"))


def new_trace() -> str:
    """Names one request, in the record too."""
    return secrets.token_hex(16)


@dataclass(slots=True)
class Wire:
    """A connection to a server on loopback, made when it is first needed."""

    port: int
    key: str
    forms: bool = False
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    async def call(self, tool: str, arguments: Mapping[str, Any], trace: str = "", **more: Any) -> Reply:
        """Call a tool.

        Raises:
            Cut: Where the connection ended first.
            Lost: Where nothing has come in a long time.
        """
        return await self.request("tools/call", {"name": tool, "arguments": arguments} | more, trace)

    async def request(self, method: str, params: Mapping[str, Any], trace: str = "") -> Reply:
        """Make a request; raises like `call`."""
        try:
            async with asyncio.timeout(_ANSWERED_WITHIN):
                reader = await self._send(method, params, trace or new_trace())
                status, headers = await _head(reader)
                body = b"".join([piece async for piece in _pieces(reader, headers)])
        except (OSError, EOFError, asyncio.LimitOverrunError) as error:
            self.close()
            if isinstance(error, TimeoutError):
                raise Lost from error
            raise Cut(type(error).__name__) from error
        except BaseException:
            self.close()
            raise
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Reply(status, _message(headers, body))

    async def events(self, method: str, params: Mapping[str, Any]) -> AsyncGenerator[Mapping[str, Any]]:
        """Make a request that is answered by a stream, and give its messages as they come.

        Raises:
            Cut: Where the stream was not ended as HTTP has it.
        """
        try:
            reader = await self._send(method, params, new_trace())
            status, headers = await _head(reader)
            received = b""
            async for piece in _pieces(reader, headers):
                received += piece.replace(b"\r\n", b"\n")
                *whole, received = received.split(b"\n\n")
                for event in whole:
                    if (message := _data(event)) is not None:
                        yield message
            if status != 200:
                yield _message(headers, received)
        except (OSError, EOFError) as error:
            raise Cut(type(error).__name__) from error
        finally:
            self.close()

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _send(self, method: str, params: Mapping[str, Any], trace: str) -> asyncio.StreamReader:
        if self._streams is not None and self._streams[0].at_eof():
            self.close()  # as every client does that looks before it sends
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self.port, limit=_MOST_BYTES)
        reader, writer = self._streams
        writer.write(self._framed(method, params, trace))
        await writer.drain()
        return reader

    def _framed(self, method: str, params: Mapping[str, Any], trace: str) -> bytes:
        capabilities: dict[str, Any] = {"elicitation": {"form": {}}} if self.forms else {}
        meta: dict[str, Any] = {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientInfo": _CLIENT,
            "io.modelcontextprotocol/clientCapabilities": capabilities,
        }
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
        body = json.dumps(message, separators=(",", ":")).encode()
        head = [
            "POST /v1/mcp HTTP/1.1",
            f"host: 127.0.0.1:{self.port}",
            "content-type: application/json",
            "accept: application/json, text/event-stream",
            f"authorization: Bearer {self.key}",
            f"traceparent: 00-{trace}-{trace[:16]}-00",
            f"mcp-protocol-version: {MODERN}",
            f"mcp-method: {method}",
            f"content-length: {len(body)}",
        ]
        if method in _TARGETS:
            head.append(f"mcp-name: {params[_TARGETS[method]]}")
        return "\r\n".join([*head, "", ""]).encode() + body


async def _head(reader: asyncio.StreamReader) -> tuple[int, Mapping[str, str]]:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines if line)
    return int(first.split()[1]), headers


async def _pieces(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> AsyncGenerator[bytes]:
    if "content-length" in headers:
        yield await reader.readexactly(int(headers["content-length"]))
        return
    while size := int(await reader.readuntil(b"\r\n"), 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)


def _message(headers: Mapping[str, str], body: bytes) -> Mapping[str, Any]:
    """The answer itself: the last event of a stream, or the body."""
    if headers.get("content-type", "").startswith("text/event-stream"):
        events = [_data(event) for event in body.replace(b"\r\n", b"\n").split(b"\n\n")]
        return [*(event for event in events if event is not None)][-1]
    return cast("dict[str, Any]", json.loads(body)) if body else {}


def _data(event: bytes) -> Mapping[str, Any] | None:
    lines = [line[5:].strip() for line in event.split(b"\n") if line.startswith(b"data:")]
    text = b"\n".join(lines)
    return cast("dict[str, Any]", json.loads(text)) if text else None
