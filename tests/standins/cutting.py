"""A way to a Postgres that breaks at the worst moment: when COMMIT is on its way, or its answer is."""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import anyio
import anyio.lowlevel
from anyio.abc import ByteStream, SocketAttribute

_COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"


async def nothing() -> None:
    """What is done meanwhile, usually."""


@dataclass
class Way:
    """A loopback port that leads to a server's unix socket.

    Attributes:
        url: The database's address on this way.
        cut: What happens at the next COMMIT: `before` it is with the server, or `after` it is done.
        meanwhile: Done while COMMIT is held.
        commits: How many have passed or been cut.
    """

    url: str
    cut: Literal["before", "after"] | None = None
    meanwhile: Callable[[], Awaitable[None]] = nothing
    commits: int = field(default=0)

    async def carry(self, socket: Path, client: ByteStream) -> None:
        async with (
            client,
            await anyio.connect_unix(str(socket)) as server,
            anyio.create_task_group() as tasks,
        ):

            async def answers() -> None:
                async for data in server:
                    await client.send(data)
                tasks.cancel_scope.cancel()

            tasks.start_soon(answers)
            async for data in client:
                if data == _COMMIT:
                    self.commits += 1
                    await self.meanwhile()
                    if self.cut is not None:
                        tasks.cancel_scope.cancel()
                        await self._break(server, data)
                await server.send(data)
            tasks.cancel_scope.cancel()

    async def _break(self, server: ByteStream, data: bytes) -> None:
        cut, self.cut = self.cut, None
        if cut == "after":
            with anyio.CancelScope(shield=True), anyio.fail_after(10):
                await server.send(data)
                while not (await server.receive()).endswith(b"Z\x00\x00\x00\x05I"):
                    pass
        await anyio.lowlevel.checkpoint()  # the scope is cancelled: here it ends


@asynccontextmanager
async def way_to(dsn: str) -> AsyncGenerator[Way]:
    """A way to a database whose URL names a unix socket."""
    folder = re.search(r"host=([^&]+)", dsn)
    assert folder is not None
    (socket,) = [path for path in Path(folder[1]).glob(".s.PGSQL.*") if path.is_socket()]  # noqa: ASYNC240 (once, in a test)
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(SocketAttribute.local_port)  # noqa: S610 (no Django)
    way = Way(f"postgresql://postgres@127.0.0.1:{port}{urlsplit(dsn).path}?sslmode=disable")

    async def carry(client: ByteStream) -> None:
        try:
            await way.carry(socket, client)
        except* (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream, OSError):
            pass  # either end went away

    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, carry)
        yield way
        tasks.cancel_scope.cancel()
