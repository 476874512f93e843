"""What fakes have in common: an ASGI application at work on a free loopback port, and ways not to answer."""

import asyncio
import socket
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, Protocol

import uvicorn

_STARTS_WITHIN = 10.0
_STOPS_WITHIN = 5.0


class Application(Protocol):
    """Attributes: stopping: Set when it ends; whoever waits in it waits for that, too."""

    stopping: asyncio.Event

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


async def whole_body(receive: Any) -> bytes:
    parts: list[bytes] = []
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


async def respond(send: Any, status: int, headers: Mapping[str, str], content: bytes) -> None:
    await begin(send, status, headers)
    await send({"type": "http.response.body", "body": content})


async def begin(send: Any, status: int, headers: Mapping[str, str]) -> None:
    made = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": made})


async def break_off(send: Any, content: bytes) -> None:
    """End the connection when half of the content is sent."""
    await send({"type": "http.response.body", "body": content[: len(content) // 2], "more_body": True})
    send.__self__.transport.close()  # ASGI has no word for it; what was sent still leaves


async def cut(receive: Any, send: Any) -> None:
    """End the connection instead of an answer."""
    send.__self__.transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass


async def pause(app: Application, seconds: float) -> None:
    """Wait, unless the end comes before."""
    try:
        await asyncio.wait_for(app.stopping.wait(), seconds)
    except TimeoutError:
        return


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
def listening(app: Application, http: Literal["h11", "httptools"]) -> Generator[str]:
    """Let it listen, and give its address; gone afterwards."""
    config = uvicorn.Config(
        app, http=http, ws="none", lifespan="off", log_config=None, access_log=False, date_header=False
    )
    server = _Server(config, app.stopping)
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:  # told so, asyncio does not delay small packets
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
        thread.start()
        assert server.ready.wait(_STARTS_WITHIN)
        assert server.loop is not None
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.loop.call_soon_threadsafe(app.stopping.set)
            thread.join(_STARTS_WITHIN)
            assert not thread.is_alive()
