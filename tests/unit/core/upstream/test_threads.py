import threading
from functools import partial

import anyio
import pytest

from ringmain_core.errors import DeadlineExceeded, UpstreamUnavailable
from ringmain_core.upstream.threads import Threads
from unit.core.upstream.test_guard import Rig, Vendor

pytestmark = pytest.mark.anyio


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
        await Threads(1).run(partial(ran.append, "ran"), partial(ended.append, "ended"))
    assert (ended, ran) == (["ended"], [])
