"""A folder and an environment that are the show's own."""

import os
import shutil
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

_SOMEBODY_ELSES = ("RINGMAIN_", "PG", "PYTHONPATH")
_DELETED_WITHIN = 10.0


@contextmanager
def own_folder(name: str) -> Generator[Path]:
    """A temporary folder; at the end nothing runs in it any more, and it is gone.

    Settings of whoever starts the show are taken out of its environment, and so out of its children's.
    """
    for variable in list(os.environ):
        if variable.startswith(_SOMEBODY_ELSES):
            del os.environ[variable]
    folder = Path(tempfile.mkdtemp(prefix=f"ringmain-{name}-")).resolve()
    try:
        # The Postgres wheel keeps a lock file in one of these, and would leave it there.
        os.environ["XDG_RUNTIME_DIR"] = os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
        yield folder
    finally:
        _stop_left_overs(folder)
        _delete(folder)


def _stop_left_overs(folder: Path) -> None:
    """End what was interrupted while it started, so that nobody knew yet that it has to be stopped.

    That is a child of ours, or Postgres, which leaves its parents.
    """
    for process in [*psutil.Process().children(recursive=True), *psutil.process_iter()]:
        with suppress(psutil.Error):
            if _is_ours(process, folder):
                process.kill()
                process.wait(_DELETED_WITHIN)


def _is_ours(process: psutil.Process, folder: Path) -> bool:
    if process.name() == "postgres":
        return any(str(folder) in argument for argument in process.cmdline())
    return process.ppid() == os.getpid()


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
