"""The newest records of a log, for people."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from ringmain_core.audit.record import decode

_BLOCK = 64 * 1024


def _a_moment() -> bool:
    time.sleep(0.2)
    return True


def tail(
    path: Path, n: int = 10, *, follow: bool = False, pause: Callable[[], bool] = _a_moment
) -> Iterator[dict[str, Any]]:
    """The last `n` records of this file, unverified, and with `follow` all that come later, across rotation.

    A line that is no JSON becomes `{"phase": "unreadable", "bytes": …}`. When there is nothing new, `pause`
    is called; following ends when it returns False. Raises `OSError` if the file cannot be opened.
    """
    file = path.open("rb")
    try:
        file.seek(_start_of_last(file, n))
        while True:
            yield from _complete_lines(file)
            if not follow:
                return
            if not _is_still(path, file) and path.exists():
                yield from _complete_lines(file)
                file.close()
                file = path.open("rb")
            elif not pause():
                return
    finally:
        file.close()


def _start_of_last(file: BinaryIO, n: int) -> int:
    end = file.seek(0, os.SEEK_END)
    position, found = end, -1
    while position > 0:
        start = max(0, position - _BLOCK)
        file.seek(start)
        block = file.read(position - start)
        cut = len(block)
        while (cut := block.rfind(b"\n", 0, cut)) >= 0:
            found += 1
            if found == n:
                return start + cut + 1
        position = start
    return 0


def _complete_lines(file: BinaryIO) -> Iterator[dict[str, Any]]:
    while True:
        start = file.tell()
        line = file.readline()
        if not line.endswith(b"\n"):
            file.seek(start)
            return
        try:
            yield decode(line)
        except ValueError:
            yield {"phase": "unreadable", "bytes": len(line)}


def _is_still(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
