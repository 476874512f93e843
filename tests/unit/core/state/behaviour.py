"""What every state does, whatever it is kept in: each function is a test of one."""

from collections.abc import Awaitable, Callable

import anyio

from ringmain_core.state import Quota, State


async def until(true: Callable[[], bool | Awaitable[bool]], seconds: float = 5.0) -> None:
    """Wait for something that happens elsewhere."""
    with anyio.fail_after(seconds):
        while True:
            answer = true()
            if answer if isinstance(answer, bool) else await answer:
                return
            await anyio.sleep(0.005)


async def values_are_kept_replaced_and_forgotten(state: State) -> None:
    assert await state.get("a") is None
    assert await state.put("a", b"1", 60) is True
    assert await state.put("a", b"\0\xff", 60) is True
    assert await state.get("a") == b"\0\xff"
    assert await state.get("b") is None
    await state.delete("a")
    await state.delete("a")
    assert await state.get("a") is None


async def a_value_may_be_kept_only_where_there_is_none(state: State) -> None:
    assert await state.put("a", b"1", 60, only_if_absent=True) is True
    assert await state.put("a", b"2", 60, only_if_absent=True) is False
    assert await state.get("a") == b"1"


async def of_many_who_want_to_be_the_first_one_is(state: State) -> None:
    won: list[int] = []

    async def run(number: int) -> None:
        if await state.put("first", str(number).encode(), 60, only_if_absent=True):
            won.append(number)

    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(run, number)
    assert [str(number).encode() for number in won] == [await state.get("first")]


async def a_value_is_replaced_only_by_who_knows_it(state: State) -> None:
    assert await state.replace("a", b"", b"1", 60) is False
    assert await state.get("a") is None
    await state.put("a", b"1", 60)
    assert await state.replace("a", b"2", b"3", 60) is False
    assert await state.replace("a", b"1", b"3", 60) is True
    assert await state.get("a") == b"3"


async def messages_reach_who_listens_to_their_topic(state: State) -> None:
    heard: list[bytes] = []
    stop = state.subscribe("live", heard.append)
    state.subscribe("live", heard.append)
    state.subscribe("other", heard.append)
    await state.publish("live", b"\0x")
    await until(lambda: len(heard) == 2)
    stop()
    stop()
    await state.publish("live", b"y")
    await until(lambda: len(heard) == 3)
    assert heard == [b"\0x", b"\0x", b"y"]


async def a_listener_that_fails_keeps_nothing_from_others(state: State) -> None:
    heard: list[bytes] = []

    def fail(_: bytes) -> None:
        raise LookupError

    state.subscribe("live", fail)
    state.subscribe("live", heard.append)
    for message in (b"1", b"2"):
        await state.publish("live", message)
    await until(lambda: len(heard) == 2)
    assert heard == [b"1", b"2"]


async def a_lease_is_given_back_once_and_only_by_its_name(state: State) -> None:
    quotas = [Quota("all", 1e3, 1000, 2), Quota("tool", 1e3, 1000, 1)]
    assert await state.admit(quotas[:1], "one", 60) is None
    assert await state.admit(quotas, "two", 60) is None
    for _ in range(3):
        await state.release(quotas, "nobody's")
    exceeded = await state.admit(quotas, "three", 60)
    assert exceeded is not None
    assert (exceeded.quota, exceeded.by, exceeded.retry_after) == (quotas[0], "concurrency", 0.25)
    for _ in range(3):
        await state.release(quotas[:1], "one")
    exceeded = await state.admit(quotas, "three", 60)
    assert exceeded is not None
    assert (exceeded.quota, exceeded.by) == (quotas[1], "concurrency")
    await state.release(quotas, "two")
    assert await state.admit(quotas, "three", 60) is None


async def all_quotas_count_or_none(state: State) -> None:
    wide, narrow = Quota("wide", 1e-3, 5, None), Quota("narrow", 1e-3, 1, None)
    assert await state.admit([wide, narrow], "1", 60) is None
    for _ in range(10):
        exceeded = await state.admit([wide, narrow], "2", 60)
        assert exceeded is not None
        assert (exceeded.quota, exceeded.by) == (narrow, "rate")
        assert 990 < exceeded.retry_after <= 1000
    assert [await state.admit([wide], "3", 60) is None for _ in range(5)] == [True] * 4 + [False]


BEHAVIOUR: list[Callable[[State], Awaitable[None]]] = [
    values_are_kept_replaced_and_forgotten,
    a_value_may_be_kept_only_where_there_is_none,
    of_many_who_want_to_be_the_first_one_is,
    a_value_is_replaced_only_by_who_knows_it,
    messages_reach_who_listens_to_their_topic,
    a_listener_that_fails_keeps_nothing_from_others,
    a_lease_is_given_back_once_and_only_by_its_name,
    all_quotas_count_or_none,
]
