"""Socket Mode: `apps.connections.open`, and the WebSocket behind it (`listening`, on a port of its own).

A connection greets with `hello`; events go out as `events_api` envelopes to one of the connections, each to
be answered with its `envelope_id`. A ticket opens one connection.
"""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import WSMsgType, web

from standins.slack.models import secret
from standins.slack.state import FakeSlack
from standins.slack.web import Asked, Routes

routes = Routes()


@routes.on("apps.connections.open")
def connections_open(asked: Asked) -> dict[str, Any]:
    events = asked.fake.events
    ticket = secret("ticket", asked.fake.next_number())
    events.tickets.add(ticket)
    return {"url": f"{events.socket_url}/link/?ticket={ticket}&app_id={asked.fake.app_id}"}


class _Gate:
    def __init__(self, fake: FakeSlack) -> None:
        self._fake = fake

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        events = self._fake.events
        ticket = request.query.get("ticket", "")
        if ticket not in events.tickets:
            raise web.HTTPForbidden
        events.tickets.remove(ticket)
        at = web.WebSocketResponse()
        await at.prepare(request)
        events.opened += 1
        events.connections.append(at)
        info = {"app_id": self._fake.app_id}
        debug = {"host": "fake", "build_number": 1, "approximate_connection_time": 18060}
        hello = {"type": "hello", "num_connections": len(events.connections), "debug_info": debug}
        await at.send_str(json.dumps(hello | {"connection_info": info}))
        try:
            async for message in at:
                if message.type == WSMsgType.TEXT:
                    self._answered(message.data)
        finally:
            events.connections.remove(at)
        return at

    def _answered(self, text: str) -> None:
        try:
            given = json.loads(text)
        except ValueError:
            self._fake.violations.append(f"Socket Mode: no JSON: {text[:100]}")
            return
        if given.get("envelope_id") not in self._fake.events.sent:
            self._fake.violations.append(f"Socket Mode: no such envelope: {text[:100]}")
            return
        self._fake.events.acknowledged.append(given["envelope_id"])


@asynccontextmanager
async def listening(fake: FakeSlack) -> AsyncGenerator[None]:
    """Let the WebSocket listen in this loop."""
    app = web.Application()
    app.router.add_get("/link/", _Gate(fake).handle)
    runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    fake.events.socket_url = f"ws://127.0.0.1:{listener.getsockname()[1]}"
    fake.events.loop = asyncio.get_running_loop()
    await web.SockSite(runner, listener).start()
    try:
        yield
    finally:
        fake.events.loop = None
        for one in list(fake.events.connections):
            await one.close()
        await runner.cleanup()
