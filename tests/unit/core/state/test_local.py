import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from ringmain_core.state import State, StateUnavailable
from ringmain_core.state.local import LocalState
from ringmain_core.state.values import Values
from unit.core.state.behaviour import BEHAVIOUR

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def opened(path: Path | None, **how: Any) -> AsyncGenerator[LocalState]:
    state = LocalState(path, **how)
    try:
        yield state
    finally:
        await state.close()


@pytest.mark.parametrize("in_memory", [False, True])
@pytest.mark.parametrize("behaves", BEHAVIOUR)
async def test_it_behaves_as_a_state(
    behaves: Callable[[State], Awaitable[None]], in_memory: bool, tmp_path: Path
) -> None:
    async with opened(None if in_memory else tmp_path / "demo" / "state.sqlite") as state:
        await behaves(state)
        assert state.trouble() == ""


async def test_nothing_is_made_before_a_value_is_asked_for_and_then_for_this_user_alone(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path / "demo" / "state.sqlite") as state:
        await state.admit([], "1", 1)
        await state.publish("topic", b"")
        assert not (tmp_path / "demo").exists()
        old = os.umask(0o022)
        try:
            await state.put("a", b"1", 60)
        finally:
            os.umask(old)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "demo").iterdir()}
    assert modes == {"state.sqlite": 0o600, "state.sqlite-wal": 0o600, "state.sqlite-shm": 0o600}
    assert stat.S_IMODE((tmp_path / "demo").stat().st_mode) == 0o700


async def test_values_have_their_time_and_are_then_swept_away(tmp_path: Path) -> None:
    now = 1000.0
    async with opened(tmp_path / "state.sqlite", clock=lambda: now) as state:
        await state.put("a", b"1", 10)
        await state.put("b", b"1", 100)
        now += 9.9
        assert await state.get("a") == b"1"
        assert await state.replace("a", b"1", b"2", 10) is True
        now += 10
        assert await state.get("a") is None
        assert await state.replace("a", b"2", b"3", 10) is False
        assert await state.put("a", b"4", 10, only_if_absent=True) is True
        now += 60
        await state.put("c", b"1", 10)
    with sqlite3.connect(tmp_path / "state.sqlite") as database:
        assert database.execute("SELECT key FROM kept ORDER BY key").fetchall() == [("b",), ("c",)]
    database.close()


async def test_values_outlive_a_process_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import asyncio, os, signal, pathlib, sys\n"
        "from ringmain_core.state.local import LocalState\n"
        "async def main():\n"
        "    state = LocalState(pathlib.Path(sys.argv[1]))\n"
        "    await state.put('a', b'kept', 60)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    path = tmp_path / "state.sqlite"
    done = await anyio.to_thread.run_sync(
        lambda: subprocess.run([sys.executable, "-c", script, path], timeout=20, check=False)
    )
    assert done.returncode == -signal.SIGKILL
    async with opened(path) as state:
        assert await state.get("a") == b"kept"


async def test_processes_that_share_a_file_agree_on_who_was_first(tmp_path: Path) -> None:
    path = tmp_path / "demo" / "state.sqlite"
    async with opened(path) as one, opened(path) as two, opened(path) as three:
        won: list[str] = []

        async def run(state: LocalState, name: str) -> None:
            for key in map(str, range(20)):
                won.extend([key] * await state.put(key, name.encode(), 60, only_if_absent=True))

        async with anyio.create_task_group() as tasks:
            for name, state in {"one": one, "two": two, "three": three}.items():
                tasks.start_soon(run, state, name)
        assert sorted(won, key=int) == [str(number) for number in range(20)]
        assert await one.get("7") == await two.get("7") == await three.get("7")


def test_processes_that_make_the_file_at_once_wait_for_each_other(tmp_path: Path) -> None:
    together = threading.Barrier(4)

    def first(path: Path) -> bool:
        together.wait()
        values = Values(path, time.time)
        try:
            return values.put("key", b"mine", 60, only_if_absent=True)
        finally:
            values.close()

    with ThreadPoolExecutor(4) as threads:
        for number in range(50):
            won = list(threads.map(first, [tmp_path / f"{number}.sqlite"] * 4))
            assert sorted(won) == [False, False, False, True]


async def test_a_folder_that_cannot_be_used_is_trouble_until_it_can(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("a file in the way", "utf-8")
    async with opened(tmp_path / "demo" / "state.sqlite") as state:
        with pytest.raises(StateUnavailable, match=r"^the state folder cannot be used: File exists$"):
            await state.get("a")
        assert state.trouble() == "the state folder cannot be used: File exists"
        (tmp_path / "demo").unlink()
        assert await state.put("a", b"1", 60) is True
        assert state.trouble() == ""


async def test_what_is_no_state_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    path.write_text("something of somebody else's, long enough to be looked at", "utf-8")
    async with opened(path) as state:
        with pytest.raises(StateUnavailable, match="file is not a database"):
            await state.put("a", b"1", 60)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    async with opened(path) as state:
        with pytest.raises(StateUnavailable, match="symbolic link"):
            await state.put("a", b"1", 60)
    assert (tmp_path / "elsewhere").read_text("utf-8").startswith("something of somebody else's")


async def test_the_event_loop_does_not_wait_for_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    async with opened(path) as state:
        await state.put("a", b"1", 60)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        turns = 0
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: state.put("a", b"2", 60))
            for _ in range(100):
                await anyio.lowlevel.checkpoint()
                turns += 1
            assert other.execute("SELECT value FROM kept").fetchone() == (b"1",)
            other.execute("ROLLBACK")
        other.close()
        assert (turns, await state.get("a")) == (100, b"2")
