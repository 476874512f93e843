"""What replicas agree on about writes, in a real Valkey that goes away and stands still."""

import signal
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from pydantic import SecretStr

from ringmain_core.errors import InProgress, StateLost
from ringmain_core.flow import Flow, Reading
from ringmain_core.state.redis import RedisState
from standins.valkey import Valkey, running_valkey
from unit.core.state.behaviour import until
from unit.core.test_flow import DM, EVERYBODY, asked, saw
from unit.core.test_idempotency import DONE, Writer

pytestmark = pytest.mark.anyio


@pytest.fixture
def valkey() -> Generator[Valkey]:
    with running_valkey() as valkey:
        yield valkey


@asynccontextmanager
async def two_replicas(valkey: Valkey) -> AsyncGenerator[tuple[RedisState, RedisState]]:
    async with AsyncExitStack() as stack:
        states = [await RedisState.open(SecretStr(valkey.url), "demo") for _ in range(2)]
        for state in states:
            stack.push_async_callback(state.close)
        yield states[0], states[1]


async def test_what_one_replica_has_read_keeps_the_other_from_telling_it(valkey: Valkey) -> None:
    async with two_replicas(valkey) as (first, second):
        one, two = Flow(first), Flow(second)
        await saw(one, DM)
        await saw(two, EVERYBODY, Reading("organisation", "general"))
        assert await asked(one, EVERYBODY)
        assert await asked(two, EVERYBODY)
        valkey.stop()
        await saw(two, Reading("group", "ops"))
        valkey.start()  # it is empty now
        await until(lambda: first.trouble() == second.trouble() == "", 5)
        for replica in (one, two):
            await until(lambda replica=replica: asked(replica, Reading("public", "dm")), 5)


async def test_a_key_whose_beginning_was_held_up_is_free_when_the_state_answers_again(valkey: Valkey) -> None:
    async with two_replicas(valkey) as (first, second):
        one, two = Writer(first), Writer(second)

        async def stand_still() -> None:
            valkey.process.send_signal(signal.SIGSTOP)

        one.prepare = stand_still
        try:
            with pytest.raises(StateLost):
                await one.write()
        finally:
            valkey.process.send_signal(signal.SIGCONT)
        await until(lambda: first.trouble() == second.trouble() == "", 5)

        async def done() -> bool:
            try:
                return await two.write() == DONE
            except InProgress:
                return False

        await until(done, 5)
        assert (one.done, two.done) == (0, 1)
