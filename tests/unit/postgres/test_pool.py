"""The pool without a server: whom it gives which connection, and that no place is ever lost."""

from collections.abc import Callable
from typing import Any, cast

import anyio
import pytest

from ringmain_postgres.pool import Pool
from ringmain_postgres.session import Connection

pytestmark = pytest.mark.anyio


class _Fake:
    """A connection that can be closed."""

    def __init__(self) -> None:
        self.ended = anyio.Event()

    def is_closed(self) -> bool:
        return self.ended.is_set()

    def terminate(self) -> None:
        self.ended.set()

    async def close(self) -> None:
        self.ended.set()


def pool_of(size: int, patience: float = 5, made: list[Any] | None = None) -> tuple[Pool, list[Any]]:
    connections: list[Any] = [] if made is None else made

    async def connect() -> Connection:
        connections.append(_Fake())
        return cast("Connection", connections[-1])

    return Pool(connect, size, patience), connections


async def test_the_last_used_connection_is_used_again() -> None:
    pool, made = pool_of(3)
    one, two = await pool.take(), await pool.take()
    pool.give_back(one)
    pool.give_back(two)
    assert [await pool.take(), await pool.take()] == [two, one]
    assert len(made) == 2


async def test_a_connection_that_was_lost_is_replaced() -> None:
    pool, made = pool_of(1)
    one = await pool.take()
    pool.give_back(one)
    one.terminate()  # while nobody used it
    two = await pool.take()
    two.terminate()
    pool.give_back(two)
    assert await pool.take() is made[2]


async def test_whoever_waits_is_given_the_next_one_and_is_told_if_none_comes() -> None:
    pool, made = pool_of(1, patience=0.01)
    one = await pool.take()
    with pytest.raises(TimeoutError):
        await pool.take()
    pool.give_back(one)
    assert await pool.take() is one
    assert len(made) == 1


async def test_giving_up_the_wait_loses_no_place() -> None:
    pool, _ = pool_of(1)
    one = await pool.take()

    async def use() -> None:
        pool.give_back(await pool.take())

    for promised in (True, False):  # the place, to the one who waits and is gone before he has it
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(use)
            await anyio.wait_all_tasks_blocked()
            if promised:
                pool.give_back(one)
            tasks.cancel_scope.cancel()
        if promised:
            one = await pool.take()
    pool.give_back(one)
    with anyio.fail_after(1):
        assert await pool.take() is one


async def test_a_connection_that_cannot_be_made_takes_no_place() -> None:
    async def fail() -> Connection:
        raise OSError("nobody there")

    pool = Pool(fail, 1, 0.01)
    for _ in range(2):
        with pytest.raises(OSError, match="nobody there"):
            await pool.take()


async def test_a_renewed_pool_hands_out_new_connections_only() -> None:
    pool, made = pool_of(2)
    idle, busy = await pool.take(), await pool.take()
    pool.give_back(idle)
    pool.renew()
    assert (idle.is_closed(), busy.is_closed()) == (True, False)
    pool.give_back(busy)
    assert busy.is_closed()
    assert await pool.take() is made[2]


async def test_what_nobody_uses_for_a_while_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringmain_postgres.pool._IDLE_SECONDS", 0.01)
    pool, made = pool_of(3)
    taken = [await pool.take() for _ in range(3)]
    for connection in taken[:2]:
        pool.give_back(connection)
    with anyio.fail_after(5):
        await made[0].ended.wait()
        await made[1].ended.wait()
    assert not made[2].is_closed()


@pytest.mark.parametrize("comes_back", [True, False])
async def test_closing_waits_for_those_at_work_but_not_for_ever(comes_back: bool) -> None:
    pool, made = pool_of(2)
    busy, idle = await pool.take(), await pool.take()
    pool.give_back(idle)

    async def come_back(give: Callable[[Connection], None]) -> None:
        await anyio.wait_all_tasks_blocked()
        assert not busy.is_closed()
        give(busy)

    async with anyio.create_task_group() as tasks:
        if comes_back:
            tasks.start_soon(come_back, pool.give_back)
        with anyio.fail_after(5):
            await pool.close(5 if comes_back else 0.01)
    assert [connection.is_closed() for connection in made] == [True, True]
