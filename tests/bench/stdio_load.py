"""A lean client over standard input and output."""

import re
import subprocess
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager

import psutil

from bench import messages
from bench.setting import environment_with

Body = Callable[[int], tuple[bytes, bytes]]

_ANSWERED_WITHIN = 120
_STOPPED_WITHIN = 10
_FAILED = re.compile(rb'"isError": ?true')


class StdioLoad:
    """One client that calls a server over and over, one call at a time.

    Attributes:
        bytes_of_last: The size of one answer.
    """

    def __init__(self, process: subprocess.Popen[bytes], body: Body | None = None) -> None:
        self._process = process
        self._body = body
        self._numbers = iter(range(1_000_000, 1 << 40))
        self.process = psutil.Process(process.pid)
        self.bytes_of_last = 0

    def begin(self) -> None:
        """The handshake of 2025-11-25."""
        self.exchange(messages.initialize())
        self._write(messages.INITIALIZED)

    def exchange(self, message: bytes) -> bytes:
        """Send a request and wait for its answer."""
        with self._alarm():
            return self._exchange(message)

    def run(self, calls: int) -> None:
        """Make so many calls, and check every answer."""
        assert self._body is not None
        with self._alarm():
            for _ in range(calls):
                body, expected = self._body(next(self._numbers))
                answer = self._exchange(body)
                if expected not in answer or _FAILED.search(answer):
                    raise RuntimeError(f"wrong answer: {answer[:1000]!r}")
                self.bytes_of_last = len(answer)

    def _exchange(self, message: bytes) -> bytes:
        self._write(message)
        assert self._process.stdout is not None
        answer = self._process.stdout.readline()
        if not answer or b'"result"' not in answer:
            raise RuntimeError(f"wrong answer: {answer[:1000]!r}")
        return answer

    @contextmanager
    def _alarm(self) -> Generator[None]:
        """Reading a pipe has no time-out of its own: end the server when it takes too long."""
        alarm = threading.Timer(_ANSWERED_WITHIN, self._process.kill)
        alarm.daemon = True
        alarm.start()
        try:
            yield
        finally:
            alarm.cancel()

    def _write(self, message: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(message + b"\n")
        self._process.stdin.flush()


@contextmanager
def stdio_server(
    command: Sequence[str], environment: Mapping[str, str], body: Body | None = None
) -> Generator[StdioLoad]:
    """Run a server over stdio; it is ended by closing its input, as clients do."""
    process = subprocess.Popen(
        command,
        env=environment_with(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=1 << 20,
    )
    try:
        yield StdioLoad(process, body)
    finally:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            process.wait(_STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
