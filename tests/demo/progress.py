"""A command as it runs on a terminal, where it shows how far it is."""

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager

from showing.failed import expect

_SECONDS = 120.0
_PAUSE = 0.1  # after it, a bar that was drawn is complete
_LINE_ENDS = re.compile(r"[\r\n]+")


def watched(command: Sequence[str], settings: Mapping[str, str]) -> Generator[str]:
    """Run a command to its end; each state of its bar is a line, like what it says. Closing it stops it.

    Raises:
        Failed: Where it takes too long, or does not succeed.
    """
    leader, follower = pty.openpty()
    try:
        with _running(command, settings, follower) as process:
            yield from _lines(leader)
            status = process.wait(_SECONDS)
    finally:
        os.close(leader)
    expect(status == 0, f"`{' '.join(command)}` ended with status {status}; what it said is above.")


@contextmanager
def _running(
    command: Sequence[str], settings: Mapping[str, str], follower: int
) -> Generator[subprocess.Popen[bytes]]:
    try:
        process = subprocess.Popen(
            command,
            env={**os.environ, **settings, "PYTHONIOENCODING": "utf-8"},
            stdin=subprocess.DEVNULL,
            stdout=follower,
            stderr=follower,
            start_new_session=True,  # Ctrl-C is for the demo
        )
    finally:
        os.close(follower)
    try:
        yield process
    finally:
        process.kill()  # nothing, where it has ended
        process.wait()


def _lines(leader: int) -> Iterator[str]:
    deadline = time.monotonic() + _SECONDS
    said = b""
    while time.monotonic() < deadline:
        if select.select([leader], [], [], _PAUSE)[0]:
            more = _read(leader)
            said += more
            if more:
                continue
        else:
            more = None
        yield from (line.rstrip() for line in _LINE_ENDS.split(said.decode(errors="replace")) if line.strip())
        said = b""
        if more == b"":
            return
    expect(False, f"The command was to end within {_SECONDS:.0f} s.")


def _read(leader: int) -> bytes:
    try:
        return os.read(leader, 4_096)
    except OSError:  # how Linux says that nobody writes any more
        return b""
