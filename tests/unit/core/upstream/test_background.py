from functools import partial

import anyio
import pytest

from ringmain_core.call import current_call
from ringmain_core.upstream.background import background
from unit.core.upstream.parts import call_of

pytestmark = pytest.mark.anyio


async def test_what_fails_is_logged_and_keeps_nothing_from_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done: list[object] = []

    async def fail() -> None:
        raise LookupError

    async def work() -> None:
        done.append(current_call.get())

    token = current_call.set(call_of())
    async with background() as started:
        started.start(fail, "failing")
        started.start(work, "working")
    current_call.reset(token)
    assert (done, caplog.messages) == ([None], ["failing failed"])


async def test_too_much_is_left_undone(caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []
    go_on = anyio.Event()

    async def work(name: str) -> None:
        await go_on.wait()
        done.append(name)

    async with background(most=2) as started:
        for name in "abc":
            started.start(partial(work, name), name)
        go_on.set()
    assert (done, caplog.messages) == (["a", "b"], ["left undone: c"])


async def test_the_end_wakes_those_who_pause_and_does_not_wait_for_those_who_hang() -> None:
    seen: list[object] = []

    async def pause() -> None:
        seen.append(await started.pause(3600))

    with anyio.fail_after(5):
        async with background(grace=0.02) as started:
            started.start(pause, "pausing")
            started.start(anyio.sleep_forever, "hanging")
            await anyio.wait_all_tasks_blocked()
    assert seen == [False]


async def test_what_ends_the_block_comes_out_as_it_is() -> None:
    async def fail() -> None:
        async with background():
            raise LookupError("the end")

    with pytest.raises(LookupError, match="the end"):
        await fail()
