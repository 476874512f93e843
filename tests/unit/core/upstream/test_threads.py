import gc
import threading
from contextvars import ContextVar
from functools import partial

import anyio
import pytest

from ringmain_core.errors import DeadlineExceeded, UpstreamUnavailable
from ringmain_core.upstream.threads import Threads
from unit.core.upstream.test_guard import Rig, Vendor

pytestmark = pytest.mark.anyio


def nothing() -> None:
    """What a thread's end means here."""


async def until_free(rig: Rig) -> None:
    with anyio.fail_after(5):
        while rig.bulkhead.taken:
            await anyio.lowlevel.checkpoint()


async def test_a_blocking_function_runs_beside_the_loop_and_is_tried_again() -> None:
    rig = Rig()
    threads: list[str] = []

    def block() -> str:
        threads.append(threading.current_thread().name)
        if len(threads) == 1:
            raise Vendor("down")
        return "done"

    assert await rig.guard.call_in_thread(block, access="read", name="op") == "done"
    assert len(threads) == 2
    assert threading.main_thread().name not in threads
    await until_free(rig)


async def test_a_thread_keeps_its_place_until_it_ends_whoever_has_stopped_waiting() -> None:
    rig = Rig(at_once=1, patience=0.01)
    go_on = threading.Event()
    ended: list[str] = []

    def block() -> str:
        assert go_on.wait(5)
        ended.append("ended")
        return "nobody wants it"

    with pytest.raises(DeadlineExceeded):
        await rig.guard.call_in_thread(block, access="read", name="op", timeout=0.02)
    assert (rig.bulkhead.taken, ended) == (1, [])
    with pytest.raises(UpstreamUnavailable, match="Too many calls"):
        await rig.guard.call_in_thread(block, access="read", name="op")
    go_on.set()
    await until_free(rig)
    assert ended == ["ended"]
    assert await rig.guard.call_in_thread(lambda: "next", access="read", name="op") == "next"


async def test_a_thread_that_was_never_needed_gives_its_place_back() -> None:
    ended: list[str] = []
    ran: list[str] = []
    with anyio.CancelScope() as scope:
        scope.cancel()
        await Threads().run(partial(ran.append, "ran"), partial(ended.append, "ended"))
    assert (ended, ran) == (["ended"], [])


async def test_threads_are_used_again_and_end_with_what_they_belong_to() -> None:
    threads, used = Threads(), set[threading.Thread]()

    def meet(others: threading.Barrier) -> None:
        used.add(threading.current_thread())
        others.wait()

    async def run(together: int) -> None:
        others = threading.Barrier(together, timeout=5)
        async with anyio.create_task_group() as group:
            for _ in range(together):
                group.start_soon(threads.run, partial(meet, others), nothing)

    for together in (1, 3, 2, 3):
        await run(together)
    assert len(used) == 3
    threads.close()
    for thread in used:
        thread.join(5)
    assert not any(thread.is_alive() for thread in used)


async def test_threads_of_which_nobody_knows_any_more_end() -> None:
    used: list[threading.Thread] = []
    await Threads().run(lambda: used.append(threading.current_thread()), nothing)
    gc.collect()
    used[0].join(5)
    assert not used[0].is_alive()


async def test_a_function_sees_the_context_of_its_caller() -> None:
    word = ContextVar("word", default="none")
    word.set("said")
    assert await Threads().run(word.get, nothing) == "said"


async def test_what_is_raised_in_a_thread_is_raised_for_its_caller_though_it_be_no_error() -> None:
    ended: list[str] = []

    def leave() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        await Threads().run(leave, partial(ended.append, "ended"))
    assert ended == ["ended"]
