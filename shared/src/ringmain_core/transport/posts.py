"""Answers to POST requests: the body that was read, the client that leaves, the status of a refusal."""

import asyncio
from collections.abc import Callable, Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ringmain_core.gates.adapter import Exchange
from ringmain_core.transport.refusals import Challenge, restated

_NOTICE_DISCONNECT_AFTER = 0.2  # seconds; shorter calls are over before it would help
_SESSION = b"mcp-session-id"
Headers = Sequence[tuple[bytes, bytes]]


async def answer_post(
    app: ASGIApp,
    scope: Scope,
    body: bytes,
    receive: Receive,
    send: Send,
    exchange: Exchange,
    challenge: Callable[[], Challenge],
) -> int:
    """Serve one POST: replay the body, notice when the client leaves, give a refusal its status line.

    Returns:
        The status of the answer; 0 where there was none.
    """
    replayed = answered = False
    status = 0
    start: Message | None = None
    dead_session: bytes | None = None
    watching: list[asyncio.Task[None]] = []

    async def replay() -> Message:
        nonlocal replayed
        if replayed:
            return await receive()
        replayed = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send_with_status(message: Message) -> None:
        nonlocal start, answered, status, dead_session
        if message["type"] == "http.response.start":
            status = message["status"]
            start = message  # held until there is a body: only then is it known whether a gate refused
            return
        if start is not None:
            if exchange.refusal is not None:
                start = restated(start, exchange.refusal, challenge())
            if exchange.handshake_failed:
                start, dead_session = _without_session(start)
            await send(start)
            start = None
        answered = not message.get("more_body", False)
        await send(message)

    def cancel() -> None:
        exchange.gone = True
        if exchange.on_disconnect is not None:
            exchange.on_disconnect()

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        cancel()

    timer = None
    if exchange.transport == "http":  # the 2024 transport answers a POST at once and works on
        loop = asyncio.get_running_loop()
        timer = loop.call_later(_NOTICE_DISCONNECT_AFTER, lambda: watching.append(loop.create_task(watch())))
    try:
        await app(scope, replay, send_with_status)
    finally:
        if timer is not None:
            timer.cancel()
            if not answered:
                cancel()
        for task in watching:
            task.cancel()
        if dead_session is not None:
            await _end_session(app, scope, dead_session)
    return status


def _without_session(start: Message) -> tuple[Message, bytes | None]:
    """The start of an answer to a handshake that failed, and the session that it would have announced."""
    headers = list(start.get("headers", ()))
    session = next((value for name, value in headers if name.lower() == _SESSION), None)
    return {**start, "headers": [pair for pair in headers if pair[0].lower() != _SESSION]}, session


async def _end_session(app: ASGIApp, scope: Scope, session: bytes) -> None:
    """End a session that nobody can use, the way its client would: the SDK keeps it otherwise."""
    headers = [pair for pair in scope["headers"] if pair[0] not in (_SESSION, b"content-length")]

    async def nothing() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def nowhere(_: Message) -> None: ...

    await app({**scope, "method": "DELETE", "headers": [*headers, (_SESSION, session)]}, nothing, nowhere)


def with_headers(headers: Headers, send: Send) -> Send:
    """Send answers with further headers."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *headers]}
        await send(message)

    return send_with_headers
