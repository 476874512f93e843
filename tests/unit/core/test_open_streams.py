"""What a client holds open ends with the credential that it was opened with: at the next word, or soon."""

import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from mcp.shared.subscriptions import ToolsListChanged

from ringmain_core.identity.api_keys import KeyFile
from ringmain_core.live import listen
from ringmain_core.transport import front
from unit.core.http_bench import LEGACY, MODERN, Exchange, Headers, HttpBench, http_bench
from unit.core.issuing import AUDIENCE, ISSUER, Issuing

pytestmark = pytest.mark.anyio

Open = Callable[[HttpBench, str], Awaitable[Exchange]]
TOKENS = f"""
[roles.all]
allow = ["*:*"]
[[issuers]]
issuer = "{ISSUER}"
audience = "{AUDIENCE}"
roles = [{{ role = "all" }}]
scopes = false
"""


async def until(condition: Callable[[], object]) -> None:
    with anyio.fail_after(5):
        while not condition():
            await anyio.lowlevel.checkpoint()


async def ended(stream: Exchange) -> None:
    with anyio.fail_after(5):
        await stream.done.wait()


async def listening(at: HttpBench, key: str) -> Exchange:
    """A listen stream of 2026-07-28 that has begun."""
    wanted = {"notifications": {"toolsListChanged": True}}
    stream = at.start_call(MODERN, "subscriptions/listen", wanted, key=key)
    await until(lambda: b"acknowledged" in stream.content)
    return stream


async def in_session(at: HttpBench, key: str) -> Exchange:
    """The stream in which a session of 2025-11-25 is told things."""
    headers: Headers = {
        "authorization": f"Bearer {key}",
        "mcp-session-id": await at.open_session(key),
        "mcp-protocol-version": LEGACY,
        "accept": "text/event-stream",
    }
    stream = at.start("GET", "/v1/mcp", headers)
    await until(lambda: stream.status)
    return stream


def change(at: HttpBench) -> None:
    """Tell everybody that there are other tools now."""
    at.app._server.live._bus.tell(ToolsListChanged())  # pyright: ignore[reportPrivateUsage]


@asynccontextmanager
async def with_a_key(folder: Path) -> AsyncGenerator[tuple[HttpBench, KeyFile, str, str]]:
    """An app, its key file, a key and the key's id."""
    keys = KeyFile(folder / "keys.json")
    key, stored = keys.create("ann")
    async with http_bench(state_dir=folder) as at:
        yield at, keys, key, stored.id


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials are looked at again without delay."""
    for module in (listen, front):
        monkeypatch.setattr(module, "KNOWN_FOR", 0.01)


both = pytest.mark.parametrize("opened", [listening, in_session])


@both
async def test_a_stream_is_told_nothing_once_its_key_is_revoked(opened: Open, tmp_path: Path) -> None:
    async with with_a_key(tmp_path) as (at, keys, key, key_id):
        stream = await opened(at, key)
        change(at)
        await until(lambda: b"list_changed" in stream.content)
        heard = stream.content.count(b"list_changed")
        keys.revoke(key_id)
        change(at)
        await ended(stream)
        assert (stream.status, stream.complete, stream.content.count(b"list_changed")) == (200, True, heard)


@both
@pytest.mark.usefixtures("soon")
async def test_a_stream_in_which_nothing_happens_ends_when_its_key_is_revoked(
    opened: Open, tmp_path: Path
) -> None:
    async with with_a_key(tmp_path) as (at, keys, key, key_id):
        stream = await opened(at, key)
        keys.revoke(key_id)
        await ended(stream)
        assert (stream.status, stream.complete) == (200, True)


@both
@pytest.mark.usefixtures("soon")
async def test_a_stream_ends_when_its_key_has_become_that_of_another(opened: Open, tmp_path: Path) -> None:
    async with with_a_key(tmp_path) as (at, keys, key, _):
        stream = await opened(at, key)
        written = json.loads(keys.path.read_text(encoding="utf-8"))
        written["keys"][0]["agent"] = "bob"
        keys.path.write_text(json.dumps(written), encoding="utf-8")
        assert (await at.call(MODERN, "tools/list", key=key)).status == 200
        await ended(stream)


@both
@pytest.mark.usefixtures("soon")
async def test_a_stream_ends_with_its_token(opened: Open) -> None:
    issuing = Issuing()
    async with http_bench(TOKENS, fetch=issuing.fetch) as at:
        token = issuing.token(exp=int(time.time()) - 28)  # good for a second or two more, with the leeway
        stream = await opened(at, token)
        assert not stream.done.is_set()
        await ended(stream)
        assert (stream.status, stream.complete) == (200, True)
        assert (await at.call(MODERN, "tools/list", key=token)).status == 401
