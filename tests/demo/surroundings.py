"""A folder and an environment that are the demo's own, and a clean end on Ctrl-C and SIGTERM."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import psutil

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SOMEBODY_ELSES = ("RINGMAIN_", "PG", "PYTHONPATH")
_DELETED_WITHIN = 10.0
_INTERRUPTED_AGAIN_AFTER = 10


@contextmanager
def own_folder() -> Generator[Path]:
    """A temporary folder; at the end nothing runs in it any more, and it is gone.

    Settings of whoever starts the demo are taken out of its environment, and so out of its children's.
    """
    for name in list(os.environ):
        if name.startswith(_SOMEBODY_ELSES):
            del os.environ[name]
    folder = Path(tempfile.mkdtemp(prefix="ringmain-demo-")).resolve()
    try:
        # The Postgres wheel keeps a lock file in one of these, and would leave it there.
        os.environ["XDG_RUNTIME_DIR"] = os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
        yield folder
    finally:
        _stop_left_overs(folder)
        _delete(folder)


@contextmanager
def stopping_on_signals() -> Generator[None]:
    """The first signal interrupts what runs inside; after that none disturbs the cleaning up.

    Where the interrupt gets lost, as in a callback of C code that cannot raise, it comes again.
    """

    def stop(_: int, __: FrameType | None) -> None:
        _ignore()
        signal.alarm(_INTERRUPTED_AGAIN_AFTER)
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, stop)

    for number in _SIGNALS:
        signal.signal(number, stop)
    try:
        yield
    finally:
        signal.alarm(0)
        _ignore()


def _ignore() -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _stop_left_overs(folder: Path) -> None:
    """End Postgres where it was interrupted while it started: its own clean-up does not know it yet."""
    for process in psutil.process_iter():
        try:
            if process.name() == "postgres" and str(folder / "pg") in process.cmdline():
                process.kill()
                process.wait(_DELETED_WITHIN)
        except psutil.Error:
            continue


def _delete(folder: Path) -> None:
    deadline = time.monotonic() + _DELETED_WITHIN
    while True:
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            if not folder.exists():
                return
        except OSError:  # a process that was killed a moment ago may still have made a file
            if time.monotonic() > deadline:
                raise
        else:
            return
        time.sleep(0.05)
