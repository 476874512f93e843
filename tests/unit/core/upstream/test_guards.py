import json

import anyio
import pytest

from ringmain_core.errors import UpstreamUnavailable
from ringmain_core.notify import Outages
from ringmain_core.upstream.background import background
from ringmain_core.upstream.breaker import Tripping
from ringmain_core.upstream.guard import Guard
from ringmain_core.upstream.guards import Guards
from ringmain_core.upstream.trouble import Trouble
from unit.core.upstream.parts import Heard, SharedState

pytestmark = pytest.mark.anyio
ONE_IS_ENOUGH = Tripping(in_a_row=1)


def down(_: Exception) -> Trouble:
    return Trouble("down")


async def state_of(guard: Guard, *, answers: bool) -> str:
    """Make one call; what came of it."""

    async def operation() -> str:
        if not answers:
            raise ConnectionError
        return "done"

    try:
        return await guard.call(operation, access="write", name="op")
    except UpstreamUnavailable as error:
        return error.detail["cause"]


async def test_replicas_tell_each_other_and_each_finds_out_for_itself_when_it_is_over() -> None:
    state, heard = SharedState(), Heard()
    async with background() as work:
        one, two = (Guards(state=state, background=work, signals=heard) for _ in range(2))
        here = one.guard("demo:a", down, tripping=ONE_IS_ENOUGH)
        there = two.guard("demo:a", down, tripping=ONE_IS_ENOUGH)
        other = two.guard("demo:b", down)
        assert await state_of(here, answers=False) == "down"
        await anyio.wait_all_tasks_blocked()
        assert await state_of(there, answers=True) == "breaker"
        assert await state_of(other, answers=True) == "done"

        await state.publish("breaker:demo:a", json.dumps({"by": "x", "state": "closed"}).encode())
        assert await state_of(there, answers=True) == "done"
        await anyio.wait_all_tasks_blocked()
        assert await state_of(here, answers=True) == "done"
        assert heard.breakers == ["open", "open", *["half_open"] * 2, "closed", "closed"]
        one.close()
        two.close()
        assert state.listeners == {"breaker:demo:a": [], "breaker:demo:b": []}


async def test_a_replica_does_not_follow_its_own_words_however_late_they_come() -> None:
    state, heard = SharedState(), Heard()
    said: list[bytes] = []
    state.subscribe("breaker:demo:a", said.append)
    async with background() as work:
        guard = Guards(state=state, background=work, signals=heard).guard(
            "demo:a", down, tripping=Tripping(in_a_row=1, pause=0.001)
        )
        assert await state_of(guard, answers=False) == "down"
        await anyio.wait_all_tasks_blocked()
        with anyio.fail_after(5):
            while await state_of(guard, answers=True) == "breaker":
                await anyio.lowlevel.checkpoint()
        await state.publish("breaker:demo:a", said[0])
        assert heard.breakers == ["open", "half_open", "closed"]


@pytest.mark.parametrize(
    "message",
    [
        b"\xff",
        b"[]",
        b"{}",
        b'{"state": "open"}',
        b'{"state": "open", "seconds": "9"}',
        b'{"state": "open", "seconds": -1}',
        b'{"state": "open", "seconds": NaN}',
    ],
)
async def test_what_no_replica_would_say_is_not_followed(message: bytes) -> None:
    state = SharedState()
    guard = Guards(state=state).guard("demo:a", down)
    await state.publish("breaker:demo:a", message)
    assert await state_of(guard, answers=True) == "done"


async def test_while_the_shared_state_is_away_a_replica_goes_on_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    state = SharedState()
    async with background() as work:
        guard = Guards(state=state, background=work).guard("demo:a", down, tripping=ONE_IS_ENOUGH)
        state.away = True
        assert await state_of(guard, answers=False) == "down"
        assert await state_of(guard, answers=True) == "breaker"
    assert caplog.messages[1:] == [
        "demo:a: op: down (ConnectionError)",
        "other replicas were not told of demo:a: away",
    ]


async def test_people_hear_of_the_beginning_and_of_the_first_answer() -> None:
    heard: list[str] = []

    class Told(Outages):
        def begun(self, system: str) -> None:
            heard.append(f"{system} begun")

        def over(self, system: str) -> None:
            heard.append(f"{system} over")

    async with background() as work:
        outages = Told("demo", (), SharedState(), work)
        guard = Guards(outages=outages).guard("demo:a", down, tripping=ONE_IS_ENOUGH)
        assert await state_of(guard, answers=True) == "done"
        assert await state_of(guard, answers=False) == "down"
    assert heard == ["demo:a over", "demo:a begun"]
