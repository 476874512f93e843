"""Bodies that never end or are costly to read: nobody fills the memory with them, or holds up the others."""

import json
import threading
from collections.abc import Awaitable

import anyio
import anyio.lowlevel
import pytest
from starlette.types import Message

from ringmain_core.principal import Principal
from ringmain_core.refusals import MalformedRequest, PayloadTooLarge, RateLimited
from ringmain_core.transport import bodies
from ringmain_core.transport.bodies import Bodies
from unit.core.http_bench import MODERN, http_bench

pytestmark = pytest.mark.anyio

ANN, BOB = Principal("ann", "api_key"), Principal("bob", "api_key")
INTRICATE = json.dumps([[]] * 10_001).encode()


class Unfinished:
    """A body of which only the beginning comes, until the client is told to go away."""

    def __init__(self, beginning: bytes) -> None:
        self._beginning = beginning
        self.began, self.gone = anyio.Event(), anyio.Event()

    async def receive(self) -> Message:
        if not self.began.is_set():
            self.began.set()
            return {"type": "http.request", "body": self._beginning, "more_body": True}
        await self.gone.wait()
        return {"type": "http.disconnect"}


async def read(reader: Bodies, who: Principal, *parts: bytes) -> object:
    """What a reader makes of a body that comes in parts."""
    left = list(parts)

    async def receive() -> Message:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    body, message = await reader.read(who, "", receive)
    assert body == b"".join(parts)
    return message


async def refused(reading: Awaitable[object]) -> str:
    with pytest.raises(RateLimited) as caught:
        await reading
    return caught.value.message


async def test_a_body_in_parts_is_put_together() -> None:
    assert await read(Bodies(100), ANN, b"[", b"1", b"]") == [1]


@pytest.mark.parametrize("beginning", [b"x", b"x" * 100_000])
async def test_one_caller_cannot_hold_many_unfinished_bodies(beginning: bytes) -> None:
    reader = Bodies(100_000)
    held = [Unfinished(beginning) for _ in range(400_000 // max(len(beginning), 65_536))]
    async with anyio.create_task_group() as tasks:

        async def hold(body: Unfinished) -> None:
            with pytest.raises(MalformedRequest):
                await reader.read(BOB, "", body.receive)

        for body in held:
            tasks.start_soon(hold, body)
            await body.began.wait()
        assert "bytes of unfinished requests" in await refused(read(reader, BOB, b"[", b"]"))
        assert await read(reader, BOB, b"{}") == {}
        assert await read(reader, ANN, b"[", b"]") == []
        for body in held:
            body.gone.set()
    assert await read(reader, BOB, b"[", b"]") == []


async def test_all_callers_together_cannot_hold_more_than_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "_BODIES", 2)
    reader = Bodies(100_000)
    held = [Unfinished(b"x" * 100_000) for _ in range(2)]
    async with anyio.create_task_group() as tasks:
        for number, body in enumerate(held):
            tasks.start_soon(reader.read, Principal(f"bot-{number}", "api_key"), "", body.receive)
            await body.began.wait()
        assert "of this server are taken" in await refused(read(reader, ANN, b"[", b"]"))
        tasks.cancel_scope.cancel()
    assert await read(reader, ANN, b"[", b"]") == []


@pytest.mark.parametrize("beginning", [[], [b"{"]])
async def test_a_body_that_does_not_come_is_waited_for_only_so_long(
    beginning: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "_READ_WITHIN", 0.05)
    async with http_bench() as at:
        body = Unfinished(beginning[0]) if beginning else None
        slow = at.start("POST", "/v1/mcp", body=[b"never read"])
        slow.receive = anyio.sleep_forever if body is None else body.receive  # type: ignore[method-assign]
        with anyio.fail_after(5):
            await slow.done.wait()
        assert (slow.status, slow.header("connection"), slow.json["error"]["message"]) == (
            408,
            "close",
            "The body did not come within 0.05 seconds.",
        )
        assert (at.audit.records[-1]["code"], at.audit.records[-1]["principal"]) == ("body_timeout", "ann")


async def test_what_takes_long_to_read_does_not_hold_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    loop_went_on = threading.Event()

    def slow(body: bytes) -> object:
        assert loop_went_on.wait(5)
        return json.loads(body)

    monkeypatch.setattr(bodies, "loads_strict", slow)
    reader = Bodies(1 << 20)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read, reader, BOB, INTRICATE)
        await anyio.lowlevel.checkpoint()
        loop_went_on.set()


async def test_one_caller_can_send_only_so_much_that_takes_long_to_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "_INTRICATE_RATE", 1e-3)
    reader = Bodies(1 << 20)
    for _ in range(10):
        assert await read(reader, BOB, INTRICATE) == [[]] * 10_001
    assert "Too many messages with very many values" in await refused(read(reader, BOB, INTRICATE))
    assert await read(reader, BOB, b"[1]") == [1]
    assert await read(reader, ANN, INTRICATE) == [[]] * 10_001


@pytest.mark.parametrize("part", [b"[],", b'{"":0},', b'"",', b'""', b'"\\"", '])
async def test_what_is_made_of_too_many_parts_is_not_read(part: bytes) -> None:
    with pytest.raises(PayloadTooLarge, match="made of more than 250,000 parts"):
        await read(Bodies(4 << 20), BOB, b"[" + b"1," * 10_000 + part * 240_000 + b"1]")


async def test_a_long_text_with_commas_is_one_part() -> None:
    text = '"[a,b],\\' * 300_000
    async with http_bench() as at:
        said = await at.call(MODERN, "tools/call", {"name": "echo", "arguments": {"text": text}})
        assert said.status == 200
