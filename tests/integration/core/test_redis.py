"""State in a real Valkey: what it does, and what becomes of calls when it is away."""

import asyncio
import logging
import signal
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from typing import Any, cast

import anyio
import pytest
from hypothesis import example, given, settings
from pydantic import SecretStr

from ringmain_core.call import Call
from ringmain_core.errors import ConfigurationError
from ringmain_core.gates.rate_limit import RateLimit
from ringmain_core.limits import Limits
from ringmain_core.on_disk import opened_state
from ringmain_core.policy import Policy, PolicyFile
from ringmain_core.principal import Principal
from ringmain_core.refusals import RateLimited
from ringmain_core.settings import CoreSettings
from ringmain_core.state import Exceeded, Quota, State, StateUnavailable
from ringmain_core.state.redis import RedisState
from ringmain_core.state.scripts import ADMIT, RELEASE, admit_call, read_admit, release_keys
from standins.valkey import Valkey, running_valkey
from unit.core.demo import connector
from unit.core.state.behaviour import BEHAVIOUR, until
from unit.core.state.reference import CHANGED, HISTORIES, Admit, Release, Step, agrees

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def server() -> Generator[Valkey]:
    with running_valkey() as valkey:
        yield valkey


@pytest.fixture
def valkey(server: Valkey) -> Valkey:
    """The server, with nothing in it."""
    with server.client() as client:
        client.flushall()
    return server


@pytest.fixture
def own_valkey() -> Generator[Valkey]:
    """A server to be stopped."""
    with running_valkey() as valkey:
        yield valkey


@asynccontextmanager
async def opened(url: str, name: str = "demo") -> AsyncGenerator[RedisState]:
    state = await RedisState.open(SecretStr(url), name)
    try:
        yield state
    finally:
        await state.close()


def gate_of(state: State, lease_seconds: float = 60.0, **limits: Any) -> RateLimit:
    policy = Policy(PolicyFile(limits={"*": Limits(**limits)}))
    return RateLimit(lambda: policy, state, lease_seconds)


async def attempt(
    gate: RateLimit, running: Callable[[], Awaitable[None]] = anyio.lowlevel.checkpoint
) -> bool:
    """Make one call; whether it was admitted."""
    nobody = cast("Any", None)
    call = Call(
        Principal("bot", "api_key"), "demo", "http", "v1", "tools/call", "echo", {}, nobody, "2026-07-28"
    )

    async def proceed() -> dict[str, Any]:
        await running()
        return {}

    try:
        await gate(call, proceed)
    except RateLimited:
        return False
    return True


def slots_taken(valkey: Valkey) -> int:
    with valkey.client() as client:
        return sum(client.zcard(key) for key in client.keys("ringmain:demo:running:*"))


@pytest.mark.parametrize("behaves", BEHAVIOUR)
async def test_it_behaves_as_a_state(behaves: Callable[[State], Awaitable[None]], valkey: Valkey) -> None:
    async with opened(valkey.url) as state:
        await behaves(state)
        assert state.trouble() == ""


async def test_replicas_see_the_same_and_connectors_do_not(valkey: Valkey) -> None:
    socket = f"unix://{valkey.socket}?db=0"
    async with opened(valkey.url) as one, opened(socket) as two, opened(valkey.url, "other") as other:
        heard: list[bytes] = []
        for state in (one, two, other):
            state.subscribe("live", heard.append)
        await one.put("a", b"1", 60)
        await one.publish("live", b"x")
        await until(lambda: len(heard) == 2)
        assert [await state.get("a") for state in (one, two, other)] == [b"1", b"1", None]
        quota = Quota("a", 1e-3, 1, None)
        assert [await state.admit([quota], "1", 1) is None for state in (one, two, other)] == [
            True,
            False,
            True,
        ]


async def test_everything_it_keeps_has_its_name_and_its_time(valkey: Valkey) -> None:
    async with opened(valkey.url) as state:
        await state.put("a", b"1", 60)
        await state.put("b", b"1", 1)
        await state.replace("b", b"1", b"2", 60)
        await state.admit([Quota("fast", 1000, 1000, 2), Quota("slow", 0.1, 3, 2)], "one", 60)
        await state.admit([Quota("fast", 1000, 1000, 2)], "two", 5)
        with valkey.client() as client:
            found = {key.decode(): client.pttl(key) / 1000 for key in sorted(client.keys("*"))}
    for brief in ("fast", "probe"):  # over in a moment; the second is there since it was connected
        found.pop(f"ringmain:demo:due:{brief}", None)
    assert {key: round(seconds) for key, seconds in found.items()} == {
        "ringmain:demo:due:slow": 10,
        "ringmain:demo:running:fast": 60,
        "ringmain:demo:running:slow": 60,
        "ringmain:demo:value:a": 60,
        "ringmain:demo:value:b": 60,
    }


async def test_values_have_their_time(valkey: Valkey) -> None:
    async with opened(valkey.url) as state:
        await state.put("a", b"1", 0.05)

        async def over() -> bool:
            return await state.get("a") is None

        assert not await over()
        await until(over, 2)
        assert await state.put("a", b"2", 60, only_if_absent=True) is True


@settings(max_examples=100, deadline=None)
@given(HISTORIES)
@example(CHANGED)
def test_limits_in_redis_do_what_the_model_does(server: Valkey, steps: list[Step]) -> None:
    # The very script, but for where it takes the time from.
    assert ADMIT.count("redis.call('TIME')") == 1
    with server.client() as client:
        client.flushall()

        def admit(now: int, step: Admit) -> Exceeded | None:
            script = ADMIT.replace("redis.call('TIME')", f"{{'{1_700_000_000 + now}', '0'}}")
            keys, args = admit_call("", step.quotas, step.lease, step.seconds)
            return read_admit(client.eval(script, len(keys), *keys, *args), step.quotas)

        def release(step: Release) -> None:
            keys = release_keys("", step.quotas)
            client.eval(RELEASE, len(keys), *keys, step.lease)

        agrees(steps, admit, release)


async def test_a_call_after_the_wait_that_was_said_is_admitted(valkey: Valkey) -> None:
    async with opened(valkey.url) as state:
        quota = Quota("a", 20, 2, None)
        refused = 0
        for number in range(12):
            exceeded = await state.admit([quota], str(number), 1)
            if exceeded is not None:
                refused += 1
                await anyio.sleep(exceeded.retry_after)
                assert await state.admit([quota], str(number), 1) is None
        assert refused >= 8


async def test_gates_of_two_replicas_share_one_limit(valkey: Valkey) -> None:
    async with opened(valkey.url) as one, opened(valkey.url) as two:
        gates = [gate_of(state, rate=1e-3, burst=10) for state in (one, two)]
        admitted: list[bool] = []

        async def call(number: int) -> None:
            admitted.append(await attempt(gates[number % 2]))

        async with anyio.create_task_group() as tasks:
            for number in range(40):
                tasks.start_soon(call, number)
        assert sorted(admitted) == [False] * 30 + [True] * 10


async def test_slots_are_shared_too_and_given_back_before_the_answer_goes_out(valkey: Valkey) -> None:
    async with opened(valkey.url) as one, opened(valkey.url) as two:
        mine, other = (gate_of(state, rate=1e4, burst=10_000, concurrency=1) for state in (one, two))
        inside: list[bool] = []

        async def meanwhile() -> None:
            inside.append(await attempt(other))

        for _ in range(20):
            assert await attempt(mine, meanwhile) is True
            assert await attempt(other) is True
        assert inside == [False] * 20


async def test_the_slots_of_a_replica_that_died_come_back(valkey: Valkey) -> None:
    async with opened(valkey.url) as two:
        gate = gate_of(two, rate=1e4, burst=10_000, concurrency=1)
        async with opened(valkey.url) as one:
            quota = Quota("api_key:*:bot", 1e4, 10_000, 1)
            assert await one.admit([quota], "of the dead", 0.3) is None
        assert await attempt(gate) is False
        await until(lambda: attempt(gate), 2)


async def test_a_call_that_is_cancelled_while_it_waits_for_redis_keeps_no_slot(own_valkey: Valkey) -> None:
    async with opened(own_valkey.url) as state:
        gate = gate_of(state, rate=1e4, burst=10_000, concurrency=1)
        assert await attempt(gate) is True
        own_valkey.process.send_signal(signal.SIGSTOP)
        try:
            with anyio.move_on_after(0.05):
                await attempt(gate)
        finally:
            own_valkey.process.send_signal(signal.SIGCONT)
        await until(lambda: state.trouble() == "", 5)
        await until(lambda: attempt(gate), 5)


async def test_calls_that_gave_up_waiting_for_redis_hold_no_slots_when_it_goes_on(own_valkey: Valkey) -> None:
    async with opened(own_valkey.url) as state:
        gate = gate_of(state, rate=1e4, burst=10_000, concurrency=4)

        async def four() -> list[bool]:
            return await asyncio.gather(*(attempt(gate) for _ in range(4)))

        assert await four() == [True] * 4  # over connections that are there when it stands still
        own_valkey.process.send_signal(signal.SIGSTOP)
        try:
            assert await four() == [True] * 4  # under limits of their own
        finally:
            own_valkey.process.send_signal(signal.SIGCONT)
        await until(lambda: not state.trouble())
        assert slots_taken(own_valkey) == 0


async def test_calls_that_end_while_redis_is_away_give_their_slots_back_when_it_is_found(
    own_valkey: Valkey,
) -> None:
    async with opened(own_valkey.url) as state:

        async def meanwhile() -> None:
            assert slots_taken(own_valkey) == 1
            own_valkey.process.send_signal(signal.SIGSTOP)

        try:
            assert await attempt(gate_of(state, rate=1e4, burst=10_000, concurrency=1), meanwhile)
        finally:
            own_valkey.process.send_signal(signal.SIGCONT)
        await until(lambda: not state.trouble())
        assert slots_taken(own_valkey) == 0


async def test_while_redis_is_away_calls_go_on_under_limits_of_their_own(
    own_valkey: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "ringmain_core")
    async with opened(own_valkey.url) as state:
        gaps: list[None] = []
        state.on_gap(lambda: gaps.append(None))
        gate = gate_of(state, rate=1e-3, burst=3)
        assert [await attempt(gate) for _ in range(4)] == [True, True, True, False]
        own_valkey.stop()
        assert [await attempt(gate) for _ in range(4)] == [True, True, True, False]
        for use in (state.get("a"), state.put("a", b"1", 60), state.publish("live", b"x")):
            with pytest.raises(StateUnavailable):
                await use
        assert state.trouble() == "the shared state cannot be reached (ConnectionError)"
        assert gaps == []
        own_valkey.start()
        await until(lambda: state.trouble() == "", 5)
        assert gaps == [None]
        assert [await attempt(gate) for _ in range(4)] == [True, True, True, False]  # it was empty
        heard: list[bytes] = []
        state.subscribe("live", heard.append)
        await state.publish("live", b"x")
        await until(lambda: heard == [b"x"])
    said = [record.getMessage() for record in caplog.records]
    assert said[0] == "the shared state cannot be reached (ConnectionError)"
    assert said[1] == (
        "limits now hold for this process alone: the shared state cannot be reached (ConnectionError)"
    )
    assert said[2].startswith("the shared state is back after ")
    assert said[3:] == ["limits hold for all processes again"]


async def test_a_redis_that_does_not_answer_costs_one_time_out(own_valkey: Valkey) -> None:
    async with opened(own_valkey.url) as state:
        own_valkey.process.send_signal(signal.SIGSTOP)
        try:
            took: list[float] = []
            for _ in range(20):
                began = time.monotonic()
                with pytest.raises(StateUnavailable):
                    await state.get("a")
                took.append(time.monotonic() - began)
        finally:
            own_valkey.process.send_signal(signal.SIGCONT)
        assert took[0] > 0.4
        assert sum(took[1:]) < 19 * 0.4 / 2
        assert state.trouble() == "the shared state cannot be reached (TimeoutError)"
        await until(lambda: state.trouble() == "", 5)
        assert await state.get("a") is None


async def test_without_redis_it_starts_and_finds_it_later() -> None:
    with running_valkey() as valkey:
        valkey.stop()
        async with opened(valkey.url) as state:
            assert state.trouble() == "the shared state cannot be reached (ConnectionError)"
            valkey.start()
            await until(lambda: state.trouble() == "", 5)
            assert await state.put("a", b"1", 60) is True


async def test_a_full_redis_is_trouble(own_valkey: Valkey) -> None:
    async with opened(own_valkey.url) as state:
        with own_valkey.client() as client:
            client.config_set("maxmemory", "1")
            with pytest.raises(StateUnavailable, match=r"^the shared state cannot be used: .*maxmemory"):
                await state.put("a", b"1", 60)
            await anyio.sleep(1.5)  # long enough to have looked again
            assert "maxmemory" in state.trouble()
            client.config_set("maxmemory", "0")
        await until(lambda: state.trouble() == "", 5)


async def test_users_and_passwords(caplog: pytest.LogCaptureFixture) -> None:
    with running_valkey() as valkey:
        with valkey.client() as client:
            client.execute_command("ACL SETUSER ringmain on >battery ~* &* +@all")
            client.config_set("requirepass", "correct-horse")
        address = valkey.url.removeprefix("redis://")
        for credentials in (":correct-horse@", "ringmain:battery@"):
            async with opened(f"redis://{credentials}{address}") as state:
                assert await state.put("a", b"1", 60) is True
        for credentials in (":wrong-donkey@", "ringmain:wrong-donkey@", ""):
            async with opened(f"redis://{credentials}{address}") as state:
                assert (
                    state.trouble() == "the shared state refuses the user or password of RINGMAIN_REDIS_URL"
                )
                with pytest.raises(StateUnavailable):
                    await state.get("a")
    assert "wrong-donkey" not in caplog.text
    assert "horse" not in caplog.text


@pytest.mark.parametrize(
    "url", ["http://:hush@host", "redis://:hush@host:port", "redis://:hush@host/0?nonsense=hush", "hush"]
)
async def test_a_url_that_cannot_be_used_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"^RINGMAIN_REDIS_URL cannot be read\. Write `redis:"
    ) as caught:
        await RedisState.open(SecretStr(url), "demo")
    assert "hush" not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "ringmain_core.state.redis")
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    core = CoreSettings(redis_url=SecretStr("redis://localhost"))
    with pytest.raises(ConfigurationError, match=r"pip install 'ringmain-core\[redis\]'"):
        async with opened_state(connector, core):
            pass


async def test_closing_leaves_nothing_running(valkey: Valkey) -> None:
    before = asyncio.all_tasks()
    async with opened(valkey.url) as state:
        await state.put("a", b"1", 60)
    assert asyncio.all_tasks() == before
    with valkey.client() as client:
        assert len(client.client_list()) == 1
