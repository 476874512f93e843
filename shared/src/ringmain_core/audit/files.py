"""The few things the audit log asks of the operating system."""

import os
import stat
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ringmain_core.audit.errors import AuditUnavailable
from ringmain_core.audit.record import MAX_LINE

_LOCK_PATIENCE = 2.0
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)

if sys.platform == "win32":
    import msvcrt

    def _locked(fd: int) -> bool:
        # Windows locks bytes, and nobody may read them meanwhile: so it is a byte beyond the end of the head.
        os.lseek(fd, 1 << 20, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def unlock(fd: int) -> None:
        os.lseek(fd, 1 << 20, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)

    def write_at_start(fd: int, data: bytes) -> None:
        os.lseek(fd, 0, os.SEEK_SET)
        write_all(fd, data)

    sync = os.fsync
else:
    import fcntl

    def _locked(fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def unlock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_UN)

    def write_at_start(fd: int, data: bytes) -> None:
        written = os.pwrite(fd, data, 0)
        while written < len(data):
            written += os.pwrite(fd, data[written:], written)

    sync = os.fdatasync if sys.platform == "linux" else os.fsync


def lock(fd: int) -> None:
    """Waits for other processes, which hold it for microseconds, and gives up on one that was stopped."""
    if _locked(fd):
        return
    deadline = time.monotonic() + _LOCK_PATIENCE
    while not _locked(fd):
        if time.monotonic() > deadline:
            raise AuditUnavailable(f"Another process has held the audit log for {_LOCK_PATIENCE:g} s.")
        time.sleep(0.0005)


def open_private(path: str, flags: int = 0) -> int:
    """Opens or makes (0600) a regular file for reading and writing, never through a symbolic link."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | _NO_FOLLOW | _BINARY | flags, 0o600)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise AuditUnavailable(f"{path} is not a regular file.")
    return fd


@contextmanager
def held(path: Path) -> Generator[None]:
    """Hold a file that is nothing but a lock, in a folder of its user's alone, against other processes.

    Raises:
        AuditUnavailable: Where another process keeps it for long, or it is no file.
        OSError: Where it cannot be made.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = open_private(str(path))
    try:
        lock(descriptor)
        try:
            yield
        finally:
            unlock(descriptor)
    finally:
        os.close(descriptor)


def write_all(fd: int, data: bytes) -> None:
    written = os.write(fd, data)
    while written < len(data):
        written += os.write(fd, data[written:])


def read_at_start(fd: int, size: int) -> bytes:
    os.lseek(fd, 0, os.SEEK_SET)
    return os.read(fd, size)


def open_directory(path: Path) -> int | None:
    """To be synced, so that a new file's name is on disk too; Windows has no such thing."""
    return None if sys.platform == "win32" else os.open(path, os.O_RDONLY | os.O_DIRECTORY)


def read_lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines with their newline; one longer than any record comes in pieces, none of which is a record."""
    while line := file.readline(MAX_LINE + 1):
        yield line
