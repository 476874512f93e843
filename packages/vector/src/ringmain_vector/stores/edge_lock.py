"""A lock between processes that share a folder: who holds it learns that others wait."""

import os
import sys
import time
from pathlib import Path

_LOOK_AGAIN = 0.005  # seconds; no system wakes whoever waits for a lock on a file, and stops in time
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_LONGEST_PID = 20

if sys.platform == "win32":
    import msvcrt

    _BEYOND = 1 << 20  # Windows lets nobody read a byte that is locked, so it is none with content

    def _locked(fd: int) -> bool:
        os.lseek(fd, _BEYOND, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(fd: int) -> None:
        os.lseek(fd, _BEYOND, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _locked(fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_UN)


class Busy(Exception):
    """It did not come free in time.

    Attributes:
        holder: Who has it, for people.
    """

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


class ProcessLock:
    """Two files, locked by whoever uses the folder and by whoever is next.

    The second one makes waiting fair: who gives the lock back and wants it again comes after who is
    next. It ends with its process, however that ends. One thread at a time may use an object.

    Args:
        folder: Where the files are made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held = -1
        self._next = -1

    def acquire(self, deadline: float) -> None:
        """Wait for it.

        Args:
            deadline: As `time.monotonic` counts.

        Raises:
            Busy: It was not to be had until then.
            OSError: Where the files cannot be made.
        """
        try:
            self._next = self._opened("next")
            self._held = self._opened("lock")
            self._wait(self._next, deadline)
            self._wait(self._held, deadline)
            _unlock(self._next)
            os.ftruncate(self._held, 0)
            os.lseek(self._held, 0, os.SEEK_SET)
            os.write(self._held, str(os.getpid()).encode())
        except BaseException:
            self.release()
            raise

    def is_wanted(self) -> bool:
        """Whether somebody waits for it, asked by who holds it."""
        if not _locked(self._next):
            return True
        _unlock(self._next)
        return False

    def release(self) -> None:
        """Give it back."""
        for fd in (self._held, self._next):
            if fd >= 0:
                os.close(fd)
        self._held = self._next = -1

    def _opened(self, name: str) -> int:
        return os.open(self._folder / name, os.O_RDWR | os.O_CREAT | _NO_FOLLOW, 0o600)

    def _wait(self, fd: int, deadline: float) -> None:
        while not _locked(fd):
            if time.monotonic() >= deadline:
                raise Busy(self._holder())
            time.sleep(_LOOK_AGAIN)

    def _holder(self) -> str:
        os.lseek(self._held, 0, os.SEEK_SET)
        pid = os.read(self._held, _LONGEST_PID)
        return f"process {pid.decode()}" if pid.isdigit() else "another process"
