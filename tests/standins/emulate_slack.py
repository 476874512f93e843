"""npm `emulate` as a Slack, behind a shim: arguments become form POSTs, and only known tokens get through.

```python
tokens = {"xoxb-one": {"login": "ringmain", "scopes": ["chat:write"]}}
slack = {"users": [...], "channels": [{"name": "general"}], "tokens": [...], "strict_scopes": True}
with emulated(slack, tokens) as url: ...        # http://127.0.0.1:port/api/ for `base_url`
```
"""

import asyncio
import json
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web

from standins.node import MODULES, node

_STARTS_WITHIN = 30.0


class _Shim:
    """Forwards to the emulator; refuses tokens that are not in the list, as it does not do so itself."""

    def __init__(self, behind: str, tokens: set[str]) -> None:
        self._behind = behind
        self._tokens = tokens

    async def handle(self, request: web.Request) -> web.Response:
        given: dict[str, Any] = dict(request.query)
        if request.path.startswith("/api/"):
            kind = request.content_type
            if kind == "application/json" and request.can_read_body:
                given |= await request.json()
            elif kind == "application/x-www-form-urlencoded":
                given |= dict(await request.post())
            token = request.headers.get("authorization", "").removeprefix("Bearer ") or given.get("token", "")
            if token not in self._tokens:
                return web.json_response({"ok": False, "error": "invalid_auth" if token else "not_authed"})
            headers = {"authorization": f"Bearer {token}"}
            form = {name: _field(one) for name, one in given.items()}
            return await self._ask("POST", request.path, headers, form)
        headers = {
            name: request.headers[name]
            for name in ("authorization", "content-type")
            if name in request.headers
        }
        return await self._ask(request.method, request.path_qs, headers, await request.read())

    async def _ask(self, verb: str, path: str, headers: Mapping[str, str], data: Any) -> web.Response:
        async with (
            ClientSession() as session,
            session.request(verb, self._behind + path, headers=headers, data=data) as answer,
        ):
            body = await answer.read()
            return web.Response(status=answer.status, body=body, content_type=answer.content_type)


def _field(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < end:
        assert process.poll() is None, "emulate ended"
        try:
            with socket.create_connection(("127.0.0.1", port), 1.0):
                return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError("emulate did not start")


@contextmanager
def emulated(slack: Mapping[str, Any], tokens: Mapping[str, Mapping[str, Any]]) -> Generator[str]:
    """Start the emulator with this seed, and give the base URL of the shim."""
    port = _free_port()
    behind = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        seed = Path(folder) / "seed.json"
        content = {"tokens": dict(tokens), "slack": {"baseUrl": behind, **slack}}
        seed.write_text(json.dumps(content), encoding="utf-8")
        program = [node(), MODULES / "emulate/dist/index.js", "start", "--service", "slack"]
        process = subprocess.Popen(
            [*program, "--port", str(port), "--seed", seed],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for(port, process)
            with _shim(behind, {*tokens}) as url:
                yield url
        finally:
            process.terminate()
            process.wait(10.0)


@contextmanager
def _shim(behind: str, tokens: set[str]) -> Generator[str]:
    ready, loops = threading.Event(), list[asyncio.AbstractEventLoop]()
    stop = asyncio.Event()

    async def serve() -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", _Shim(behind, tokens).handle)
        runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        loops.append(asyncio.get_running_loop())
        ready.set()
        await stop.wait()
        await runner.cleanup()

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/api/"
        thread = threading.Thread(target=lambda: asyncio.run(serve()))
        thread.start()
        assert ready.wait(10.0)
        try:
            yield url
        finally:
            loops[0].call_soon_threadsafe(stop.set)
            thread.join(10.0)
