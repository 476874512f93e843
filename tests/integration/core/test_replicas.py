"""Two servers on one Valkey are one server: one limit, one effect for a key, one memory."""

from collections.abc import AsyncGenerator, Generator

import pytest

from bench import replicas
from bench.fleet import LEDGER, POSTGRES, Fleet, Town, town
from bench.replicas import Written

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Generator[Town]:
    with town(tmp_path_factory.mktemp("town")) as found:
        yield found


@pytest.fixture(scope="module")
async def ledger(place: Town) -> AsyncGenerator[Fleet]:
    async with place.fleet(LEDGER) as fleet:
        yield fleet


async def test_what_an_agent_may_do_in_a_time_it_may_do_once_and_not_once_a_replica(ledger: Fleet) -> None:
    limited = await replicas.one_limit(ledger, "look_up", 2.0, name="nothing")
    assert limited.others == []
    assert limited.sent > limited.most  # otherwise nothing was limited
    assert limited.most - 10 <= limited.admitted <= limited.most


async def test_a_write_that_is_sent_to_both_replicas_is_done_once(ledger: Fleet, place: Town) -> None:
    assert await replicas.written_twice(ledger, place, 24) == Written(off=0, unequal=0, replayed=24)


async def test_a_change_through_one_replica_is_heard_by_who_listens_at_the_other(ledger: Fleet) -> None:
    assert await replicas.heard_elsewhere(ledger) < replicas.HEARD_WITHIN


async def test_a_question_that_one_replica_asks_can_be_answered_to_the_other(ledger: Fleet) -> None:
    assert await replicas.finished_elsewhere(ledger)


async def test_a_cursor_of_one_replica_opens_at_the_other(place: Town) -> None:
    async with place.fleet(POSTGRES) as postgres:
        assert await replicas.cursor_elsewhere(postgres)
