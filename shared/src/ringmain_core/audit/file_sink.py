"""A log file that several processes may append to, and the head beside it."""

import os
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any

from ringmain_core.audit.chain import NO_MAC, Chain, Tip, read_head, seal_head
from ringmain_core.audit.errors import AuditUnavailable, BadLine
from ringmain_core.audit.files import (
    lock,
    open_directory,
    open_private,
    read_at_start,
    sync,
    unlock,
    write_all,
    write_at_start,
)
from ringmain_core.audit.keys import AuditKey, key_ring
from ringmain_core.audit.recovery import Standing, take_stock

_NOWHERE = (-1, -1)


class FileSink:
    """Appends under a lock on the head, which unlike the log is never renamed.

    Order: the log first, then the head. Killed in between, the log is one record ahead of the head, never
    behind.
    """

    def __init__(
        self, path: Path, key: AuditKey, old_keys: tuple[AuditKey, ...], max_bytes: int | None
    ) -> None:
        self.chain: Chain | None = Chain(key)
        self._chain = self.chain
        self._keys = key_ring((*old_keys, key))
        self._max_bytes = max_bytes
        self._path = os.fspath(path)
        self._head_path = f"{self._path}.head"
        self._inode = _NOWHERE
        self._size = 0
        self._tip: Tip | None = None
        self._prefix = b""
        self._rotated_to = ""
        self._to_close: deque[int] = deque()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._log_fd = -1
        self._head_fd = open_private(self._head_path)
        try:
            self._lock()
            try:
                self._settle()
            finally:
                unlock(self._head_fd)
        except BaseException:
            self.close()
            raise

    def write(self, values: dict[str, Any]) -> None:
        self._lock()
        try:
            self._settle()
            if self._max_bytes is not None and self._size >= self._max_bytes and os.name == "posix":
                self._rotate()
            self._append(values)
        finally:
            unlock(self._head_fd)

    def sync(self) -> None:
        """The log first, so that a head that is on disk speaks of a log that is on disk, as far as can be."""
        sync(self._log_fd)
        sync(self._head_fd)
        while self._to_close:
            fd = self._to_close.popleft()
            sync(fd)
            os.close(fd)

    def close(self) -> None:
        for fd in (*self._to_close, self._log_fd, self._head_fd):
            if fd >= 0:
                os.close(fd)
        self._to_close.clear()
        self._log_fd = self._head_fd = -1

    def head(self) -> bytes:
        return seal_head(self._tip, self._chain.key) if self._tip else b""

    def _lock(self) -> None:
        lock(self._head_fd)
        while os.fstat(self._head_fd).st_nlink == 0:
            # Somebody deleted or replaced the head: a lock on a file without a name keeps nobody out.
            unlock(self._head_fd)
            self._to_close.append(self._head_fd)
            self._head_fd = open_private(self._head_path)
            self._inode = _NOWHERE
            lock(self._head_fd)

    def _settle(self) -> None:
        """Fast when nobody else has touched the log since our last record."""
        try:
            found = os.lstat(self._path)
        except FileNotFoundError:
            found = None
        if found and (found.st_dev, found.st_ino) == self._inode and found.st_size == self._size:
            return
        self._inode = _NOWHERE
        inode, self._size = self._open_log(found)
        known, lost_head = self._known()
        if self._size == 0:
            forged = {"head": lost_head} if known is None and lost_head != "missing" else {}
            self._resume(Standing(known or Tip(0, NO_MAC, 0), b"", forged), begins=True)
        else:
            with os.fdopen(os.dup(self._log_fd), "rb") as file:
                try:
                    standing = take_stock(file, self._size, known, lost_head, self._keys)
                except AuditUnavailable as error:
                    raise AuditUnavailable(f"{self._path} cannot be continued: {error}") from None
            self._resume(standing, begins=standing.tip.end == 0)
        self._inode = inode

    def _resume(self, standing: Standing, *, begins: bool) -> None:
        self._chain.seq, self._chain.mac = standing.tip.seq, standing.tip.mac
        self._prefix = standing.prefix
        if begins:
            detail = {"file": Path(self._path).name, **standing.remarks}
            if self._rotated_to:
                detail["after"] = self._rotated_to
            self._append({"phase": "anchor", "detail": detail})
            self._rotated_to = ""
        elif standing.remarks:
            self._append({"phase": "recovery", "detail": standing.remarks})
        else:
            self._tip = standing.tip
            self._write_head()

    def _open_log(self, found: os.stat_result | None) -> tuple[tuple[int, int], int]:
        """Opens the file that now has our name, if that is another one; its inode and size."""
        opened = os.fstat(self._log_fd) if self._log_fd >= 0 else None
        if opened is None or found is None or not os.path.samestat(found, opened):
            fd = open_private(self._path, os.O_APPEND)
            if self._log_fd >= 0:
                self._to_close.append(self._log_fd)
            self._log_fd = fd
            if (directory := open_directory(Path(self._path).parent)) is not None:
                self._to_close.append(directory)
            opened = os.fstat(fd)
        return (opened.st_dev, opened.st_ino), opened.st_size

    def _known(self) -> tuple[Tip | None, str]:
        """The newest record that the head or this process vouches for, and what is wrong with the head."""
        data = read_at_start(self._head_fd, 1024)
        try:
            head = read_head(data, self._keys)
        except BadLine as error:
            # Without the head, what others appended since our last record cannot be told from what was left
            # of it.
            mine = self._tip if self._tip and self._size in (0, self._tip.end) else None
            return mine, f"not genuine: {error}" if data else "missing"
        return (self._tip if self._tip and self._tip.seq > head.seq else head), ""

    def _append(self, values: dict[str, Any]) -> None:
        line, mac = self._chain.seal(values)
        if self._prefix:
            line = self._prefix + line
        try:
            write_all(self._log_fd, line)
        except OSError:
            # Takes back part of a line nobody was told of; where that fails, the next append vouches for it.
            with suppress(OSError):
                os.ftruncate(self._log_fd, self._size)
            raise
        self._prefix = b""
        self._size += len(line)
        self._chain.advance(mac)
        self._tip = Tip(self._chain.seq, mac, self._size)
        self._write_head()

    def _write_head(self) -> None:
        try:
            write_at_start(self._head_fd, self.head())
        except OSError:
            self._inode = _NOWHERE  # so that the next append settles, which writes the head first
            raise

    def _rotate(self) -> None:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        target = Path(f"{self._path}.{stamp}-{self._chain.seq}")
        if os.path.lexists(target):
            raise AuditUnavailable(f"{target} is already there.")
        Path(self._path).rename(target)
        self._rotated_to = target.name
        self._settle()
