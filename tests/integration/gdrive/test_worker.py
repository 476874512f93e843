"""Files are read in processes that hold nothing, take little, and leave nothing behind."""

import os
import sys
import time
import zipfile
from collections.abc import AsyncGenerator, Callable
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import anyio
import psutil
import pytest

from integration.gdrive.working import call, client_of, refusal
from ringmain_core.errors import UpstreamRefused
from ringmain_gdrive.extraction.worker import Workers
from standins.gdrive.seeded import docx, pdf
from standins.gdrive.state import FakeDrive

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]


@pytest.fixture
async def workers() -> AsyncGenerator[Workers]:
    made = Workers(seconds=20.0)
    yield made
    await made.close()
    assert children() == []


def children() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if "ringmain_gdrive.extraction" in one.cmdline()]


def far_apart() -> bytes:
    """A sheet that says it is small, and is too large for any memory once it is laid out."""
    book: Any = import_module("openpyxl").Workbook()
    book.active["A1"], book.active["XFD1048576"] = 1, 2
    saved, into = BytesIO(), BytesIO()
    book.save(saved)
    with zipfile.ZipFile(saved) as honest, zipfile.ZipFile(into, "w") as lying:
        for name in honest.namelist():
            lying.writestr(name, honest.read(name).replace(b'ref="A1:XFD1048576"', b'ref="A1:B2"'))
    return into.getvalue()


def wait_for(condition: Callable[[], bool]) -> None:
    """Look again and again, in a thread, for ten seconds at most."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def descriptors(process: psutil.Process) -> list[str]:
    """What kinds of things it has open."""
    links = Path(f"/proc/{process.pid}/fd").iterdir()
    return sorted(str(path.readlink()).partition(":")[0] for path in links)


LARGE = b"text,1\n" * 4_000_000
"""A table that takes some seconds."""


async def test_one_process_reads_one_file_after_the_other(workers: Workers) -> None:
    assert children() == [], "none is started before there is a file"
    await workers.extract(docx(), "docx", "a")
    (first,) = children()
    await workers.extract(pdf(), "pdf", "b")
    assert children() == [first]


async def test_there_are_two_at_most(workers: Workers) -> None:
    async with anyio.create_task_group() as group:
        for number in range(6):
            group.start_soon(workers.extract, docx(), "docx", str(number))
    assert len(children()) == 2


async def test_a_worker_holds_nothing_of_the_server(
    workers: Workers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RINGMAIN_GDRIVE_SERVICE_ACCOUNT_KEY", "secret")
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        await workers.extract(b"text", "text", "a")
        (worker,) = children()
        assert set(worker.environ()) <= {"PYTHONPATH", "LC_CTYPE"}
        assert descriptors(worker) == ["/dev/null", "/dev/null", "pipe", "pipe"]
    limits = {
        psutil.RLIMIT_AS: (2**30, 2**30),
        psutil.RLIMIT_FSIZE: (0, 0),
        psutil.RLIMIT_CORE: (0, 0),
        psutil.RLIMIT_NOFILE: (64, 64),
    }
    assert {which: worker.rlimit(which) for which in limits} == limits
    assert 0 < worker.rlimit(psutil.RLIMIT_CPU)[0] < 60


async def test_a_file_that_breaks_a_worker_breaks_nothing_else(workers: Workers) -> None:
    await workers.extract(b"text", "text", "a")
    (before,) = children()
    with pytest.raises(UpstreamRefused, match="takes more memory than one file may"):
        await workers.extract(far_apart(), "workbook", "trap.xlsx")
    assert children() == []
    assert not before.is_running()
    assert (await workers.extract(b"text", "text", "a")).body == b"text"
    assert len(children()) == 1


async def test_what_takes_too_long_is_ended(workers: Workers) -> None:
    await workers.extract(b"text", "text", "a")
    (before,) = children()
    workers.seconds = 0.3
    with pytest.raises(UpstreamRefused, match=r"`large.csv` takes longer than 0 s to read"):
        await workers.extract(LARGE, "csv", "large.csv")
    assert not before.is_running()
    workers.seconds = 20.0
    assert (await workers.extract(b"text", "text", "a")).body == b"text"


async def test_a_worker_that_is_killed_is_replaced(workers: Workers) -> None:
    await workers.extract(b"text", "text", "a")
    (before,) = children()
    before.kill()
    await anyio.to_thread.run_sync(wait_for, lambda: is_gone(before))
    assert (await workers.extract(b"text", "text", "a")).body == b"text"


async def test_a_worker_that_is_killed_at_work_fails_that_file_only(workers: Workers) -> None:
    await workers.extract(b"text", "text", "a")
    (before,) = children()
    idle = before.cpu_times().user

    async def kill() -> None:
        await anyio.to_thread.run_sync(wait_for, lambda: before.cpu_times().user > idle + 0.3)
        before.kill()

    async with anyio.create_task_group() as group:
        group.start_soon(kill)
        with pytest.raises(UpstreamRefused, match=r"`large.csv` cannot be read"):
            await workers.extract(LARGE, "csv", "large.csv")
    assert (await workers.extract(b"text", "text", "a")).body == b"text"


async def test_a_caller_who_leaves_takes_the_worker_along(workers: Workers) -> None:
    with anyio.move_on_after(0.2) as scope:
        await workers.extract(LARGE, "csv", "large.csv")
    assert scope.cancelled_caught
    assert children() == []


async def test_a_worker_ends_with_its_parent(tmp_path: Path) -> None:
    program = tmp_path / "parent.py"
    program.write_text(
        "import anyio\n"
        "from ringmain_gdrive.extraction.worker import Workers\n"
        "async def main():\n"
        "    workers = Workers()\n"
        "    await workers.extract(b'x', 'text', 'a')\n"
        "    print(workers._idle[0].process.pid, flush=True)\n"
        "    await anyio.sleep(60)\n"
        "anyio.run(main)\n"
    )
    async with await anyio.open_process([sys.executable, str(program)]) as parent:
        assert parent.stdout is not None
        worker = psutil.Process(int(await parent.stdout.receive()))
        parent.kill()
    await anyio.to_thread.run_sync(wait_for, lambda: is_gone(worker))


async def test_texts_are_compared_within_a_time(workers: Workers) -> None:
    assert await workers.compare("a\nb", "a\nc", "x") == "--- old\n+++ new\n@@ -1,2 +1,2 @@\n a\n-b\n+c"
    assert await workers.compare("ä", "ä", "x") == ""
    lines = [f"row {number}" for number in range(20_000)]
    changed = [f"{line}!" if number % 2 else line for number, line in enumerate(lines)]
    workers.seconds = 0.3
    with pytest.raises(UpstreamRefused, match=r"two contents of `x` are too large, or differ in too much"):
        await workers.compare("\n".join(lines), "\n".join(changed), "x")
    assert children() == []


async def test_no_process_is_left_when_the_connector_ends(fake: FakeDrive) -> None:
    trap = fake.file("trap.xlsx", far_apart(), "ada@acme.example")
    async with client_of(fake) as client:
        await call(client, "read_file", file=fake.named("report.docx").id)
        assert len(children()) == 1
        said, error = await refusal(client, "read_file", file=trap.id)
        assert error["code"] == "upstream_refused"
        assert "`download` gives a link to it" in said
        await call(client, "read_file", file=fake.named("Budget").id)
    assert children() == []


async def test_a_large_server_wears_no_worker_out() -> None:
    """What a parent had in memory counts for `ru_maxrss` of its children."""
    worker = "from ringmain_gdrive.extraction.limits import is_worn; print(is_worn())"
    server = (
        "import subprocess, sys; large = b'x' * (600 << 20); del large; "
        f"subprocess.run([sys.executable, '-c', {worker!r}], check=True)"
    )
    done = await anyio.run_process([sys.executable, "-c", server])
    assert done.stdout.strip() == b"False"
