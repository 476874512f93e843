"""The demo and the sandbox as a user starts them, and what they may not leave behind."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
WITHIN = 180


@contextmanager
def starting(module: str, folder: Path, *arguments: str) -> Generator[subprocess.Popen[str]]:
    """A program in an environment that has only what it needs, and a setting that it must not heed."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PYTHONPATH": "tests",
        "RINGMAIN_AUDIT": "off",
    }
    with subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()


@contextmanager
def own_folder() -> Generator[Path]:
    """Not pytest's own: a socket's path has little room, and under root Postgres is another user."""
    with tempfile.TemporaryDirectory(prefix="ringmain-test-") as name:
        yield Path(name)


def said_until(process: subprocess.Popen[str], mark: str) -> str:
    """What it says up to a line that begins so, or all of it if none does."""
    assert process.stdout is not None
    shown: list[str] = []
    for line in process.stdout:
        shown.append(line)
        if line.strip().startswith(mark):
            break
    return "".join(shown)


def assert_nothing_is_left(folder: Path) -> None:
    """Neither files in a folder, nor processes that were started in it or told of it."""
    assert list(folder.iterdir()) == []
    left: list[str] = []
    for process in psutil.process_iter():
        try:
            known = [*process.cmdline(), *process.environ().values()]
        except psutil.Error:
            continue
        if process.pid != os.getpid() and any(str(folder) in text for text in known):
            left.append(f"{process.pid} {known[:3]}")
    assert left == []
