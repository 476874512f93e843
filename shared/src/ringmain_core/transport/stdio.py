"""MCP over standard input and output, for clients that start the server themselves."""

import asyncio
import io
import json
import logging
import os
import sys
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, BinaryIO, cast

import anyio
import mcp_types as types
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.server.lowlevel import Server
from mcp.shared.message import SessionMessage

from ringmain_core.transport.strict_json import WRONG_ID, NotStrictJson, has_wrong_id, loads_strict

_BUFFERED = 64
_FLUSHED_WITHIN = 5.0
_log = logging.getLogger(__name__)


async def run_stdio(server: Server[Any], max_line: int) -> None:
    """Serve one client until it closes our input.

    Args:
        server: What answers.
        max_line: Longest message in bytes; a longer one is answered with an error and skipped.
    """
    with _wire() as (stdin, stdout):
        async with _messages(stdin, stdout, max_line) as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())


class _wire:  # noqa: N801 (used like a function)
    """The process's real standard streams, while everything else in it sees harmless ones.

    A stray `print` of a library would break the protocol: it goes to stderr instead.
    """

    def __enter__(self) -> tuple[BinaryIO, BinaryIO]:
        sys.stdout.flush()
        self._input, self._output = os.dup(0), os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        cast("io.TextIOWrapper", sys.stdout).reconfigure(line_buffering=True)
        return os.fdopen(self._input, "rb", closefd=False), os.fdopen(self._output, "wb", closefd=False)

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()  # what was printed meanwhile must not come out on the wire now
        os.dup2(self._output, 1)
        # The input stays diverted: the reading thread may still hold it, and the process is about to end.


@asynccontextmanager
async def _messages(
    stdin: BinaryIO, stdout: BinaryIO, max_line: int
) -> AsyncGenerator[
    tuple[MemoryObjectReceiveStream[SessionMessage | Exception], MemoryObjectSendStream[SessionMessage]]
]:
    to_server, from_client = anyio.create_memory_object_stream[SessionMessage | Exception](_BUFFERED)
    to_client, from_server = anyio.create_memory_object_stream[SessionMessage](_BUFFERED)
    lines: asyncio.Queue[bytes | None] = asyncio.Queue()
    room = threading.Semaphore(_BUFFERED)  # for lines that are read and not yet taken
    reading = (stdin, max_line, asyncio.get_running_loop(), lines, room)
    threading.Thread(target=_read_lines, args=reading, daemon=True).start()

    async def receive() -> None:
        async with to_server:
            while (line := await lines.get()) is not None:
                room.release()
                message = _parse(line, max_line)
                if isinstance(message, SessionMessage):
                    await to_server.send(message)
                else:
                    await _write(stdout, message)

    async def send() -> None:
        async with from_server:
            async for message in from_server:
                await _write(stdout, _encode(message))
        sent.set()

    sent = anyio.Event()
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(receive)
            tasks.start_soon(send)
            yield from_client, to_client
            to_client.close()
            with anyio.move_on_after(_FLUSHED_WITHIN):
                await sent.wait()
            tasks.cancel_scope.cancel()
    except* BrokenPipeError:
        _log.info("the client closed our output")


def _read_lines(
    stdin: BinaryIO,
    max_line: int,
    loop: asyncio.AbstractEventLoop,
    lines: "asyncio.Queue[bytes | None]",
    room: threading.Semaphore,
) -> None:
    """In a thread of its own: pipes, files and terminals cannot all be awaited."""
    while True:
        line = stdin.readline(max_line + 1)
        if len(line) > max_line:
            while not line.endswith(b"\n") and (more := stdin.readline(max_line)):
                line = line[:max_line] + b"\0" + more[-1:]
        room.acquire()
        try:
            loop.call_soon_threadsafe(lines.put_nowait, line or None)
        except RuntimeError:
            return  # the loop is gone, and with it everybody who would answer
        if not line:
            return


def _parse(line: bytes, max_line: int) -> SessionMessage | bytes:
    """The message in a line, or the error to answer with."""
    if len(line) > max_line:
        return _error(types.INVALID_REQUEST, f"The message is longer than {max_line:,} bytes.")
    try:
        if has_wrong_id(loads_strict(line)):
            return _error(types.INVALID_REQUEST, WRONG_ID)
        return SessionMessage(types.jsonrpc_message_adapter.validate_json(line, by_name=False))
    except NotStrictJson as error:
        return _error(types.PARSE_ERROR, f"Not a JSON message: {error}.")
    except ValueError:
        return _error(types.INVALID_REQUEST, "Not a JSON-RPC 2.0 request, notification or response.")


def _encode(message: SessionMessage) -> bytes:
    try:
        return message.message.model_dump_json(by_alias=True, exclude_unset=True).encode()
    except ValueError:
        _log.exception("an answer cannot be written as JSON")
        return _error(types.INTERNAL_ERROR, "The answer cannot be written as JSON.", message.message)


def _error(code: int, message: str, instead_of: types.JSONRPCMessage | None = None) -> bytes:
    body = {
        "jsonrpc": "2.0",
        "id": getattr(instead_of, "id", None),
        "error": {"code": code, "message": message},
    }
    return json.dumps(body).encode()


async def _write(stdout: BinaryIO, line: bytes) -> None:
    """Write a line; in a thread where it is long enough for a slow reader to block it."""
    data = line + b"\n"
    if len(data) < 4096:
        _write_now(stdout, data)
    else:
        await anyio.to_thread.run_sync(_write_now, stdout, data)


def _write_now(stdout: BinaryIO, data: bytes) -> None:
    stdout.write(data)
    stdout.flush()
