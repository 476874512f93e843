"""A listener on this machine that lives as long as somebody connects an account (RFC 8252)."""

import asyncio
import logging
import socket
from collections.abc import Generator, Sequence
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ringmain_core.errors import ConfigurationError
from ringmain_core.identity.accounts.tickets import LIVES
from ringmain_core.refusals import Refusal
from ringmain_core.transport.neighbours import Neighbours

_ENDS_WITHIN = 2  # seconds, for answers that are under way
_log = logging.getLogger(__name__)


class Loopback:
    """Serves pages on 127.0.0.1 from the first link on, until they are done with or nobody comes.

    Args:
        routes: The pages.
        port: To listen on; 0 takes a free one.
    """

    def __init__(self, routes: Sequence[Route], port: int) -> None:
        self._app = _for_this_machine(Starlette(routes=list(routes)))
        self._port = port
        self._url = ""
        self._server: uvicorn.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self._end: asyncio.TimerHandle | None = None
        self._starting = asyncio.Lock()

    async def url(self) -> str:
        """Where the pages are; they are served for as long as a link made now lives.

        Raises:
            ConfigurationError: Where the port cannot be listened on.
        """
        async with self._starting:
            if self._server is None or self._server.should_exit:
                if self._port and self._serving:  # not `await`: whoever gives up must not end it
                    await asyncio.wait(self._serving)
                self._start()
        if self._end is not None:
            self._end.cancel()
        self._end = asyncio.get_running_loop().call_later(LIVES, self.end)
        return self._url

    def end(self) -> None:
        """Stop after what is being answered."""
        if self._server is not None:
            self._server.should_exit = True

    async def close(self) -> None:
        """Stop, and wait until it has stopped."""
        self.end()
        if self._end is not None:
            self._end.cancel()
        if self._serving:
            await asyncio.wait(self._serving)

    def _start(self) -> None:
        try:
            listener = socket.create_server(("127.0.0.1", self._port))
        except OSError as error:
            raise ConfigurationError(
                f"127.0.0.1 port {self._port} cannot be listened on: {error.strerror}. "
                "Set RINGMAIN_ACCOUNTS_PORT to another one, or to 0."
            ) from error
        config = uvicorn.Config(
            self._app,
            log_config=None,
            access_log=False,
            server_header=False,
            ws="none",
            lifespan="off",
            timeout_graceful_shutdown=_ENDS_WITHIN,
        )
        self._server = _Quiet(config)
        self._url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        serving = asyncio.create_task(_serve(self._server, listener))
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)


async def _serve(server: uvicorn.Server, listener: socket.socket) -> None:
    with listener:
        await server.serve(sockets=[listener])
        for each in server.servers:  # left open by a uvicorn that was told to end before it had begun
            each.close()


class _Quiet(uvicorn.Server):
    """uvicorn that leaves signals to the process it is a guest in."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def _for_this_machine(app: ASGIApp) -> ASGIApp:
    """The app, for requests that name this machine and come from no foreign page."""
    neighbours = Neighbours((), ())

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        try:
            neighbours.check(headers.getlist("host"), headers.getlist("origin"))
        except Refusal as refusal:
            _log.warning("a request was refused: %s", refusal.message)
            await PlainTextResponse(refusal.message, refusal.http_status)(scope, receive, send)
            return
        await app(scope, receive, send)

    return serve
