"""Starts the servers that are compared, reads what they have used, and leaves none behind."""

import subprocess
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from bench.setting import environment_with

_STARTED_WITHIN = 60
_STOPPED_WITHIN = 10


@dataclass(frozen=True, slots=True)
class HttpServer:
    """A server that takes connections."""

    host: str
    port: int
    path: str
    process: psutil.Process


@contextmanager
def http_server(command: Sequence[str], environment: Mapping[str, str]) -> Generator[HttpServer]:
    """Run a server that says its URL on stderr once it can be called."""
    lines: list[str] = []
    ready = threading.Event()

    def listen(stderr: IO[str]) -> None:
        for line in stderr:
            lines.append(line)
            if line.rstrip().endswith("/mcp"):  # the metrics have a URL, too
                ready.set()
        ready.set()

    with started(command, environment, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        listener = threading.Thread(target=listen, args=(process.stderr,), daemon=True)
        listener.start()
        ready.wait(_STARTED_WITHIN)
        url = next((line.strip() for line in lines if line.rstrip().endswith("/mcp")), "")
        if not url:
            raise RuntimeError(f"{command[-1]} did not start:\n{''.join(lines)}")
        host, _, path = url.removeprefix("http://").partition("/")
        name, _, port = host.rpartition(":")
        try:
            yield HttpServer(name, int(port), f"/{path}", psutil.Process(process.pid))
        finally:
            process.terminate()
            process.wait(_STOPPED_WITHIN)
            listener.join(_STOPPED_WITHIN)
            complaints = [line for line in lines if not line.startswith("http://")]
            if complaints:
                raise RuntimeError(f"{command[-1]} complained:\n{''.join(complaints[:20])}")


@contextmanager
def started(
    command: Sequence[str], environment: Mapping[str, str], *, stderr: int, pipes: bool = False
) -> Generator[subprocess.Popen[str]]:
    """A process with text pipes, gone at the end whatever happened."""
    stream = subprocess.PIPE if pipes else subprocess.DEVNULL
    process = subprocess.Popen(
        command,
        env=environment_with(environment),
        stdin=stream,
        stdout=stream,
        stderr=stderr,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def cpu_of(process: psutil.Process) -> float:
    """Seconds of CPU that a process has used, its threads included.

    On Linux to the nanosecond, but without threads that have ended; elsewhere in steps of the kernel's clock.
    """
    tasks = Path(f"/proc/{process.pid}/task").glob("*/schedstat")
    nanoseconds = [int(text.split()[0]) for text in map(_read, tasks) if text]
    if nanoseconds:
        return sum(nanoseconds) / 1e9
    times = process.cpu_times()
    return times.user + times.system


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:  # the thread has just ended
        return ""


def cpu_of_family(process: psutil.Process) -> float:
    """The same, of a process and its children; those that have ended in between are missing."""
    total = 0.0
    for member in (process, *process.children(recursive=True)):
        try:
            total += cpu_of(member)
        except psutil.NoSuchProcess:
            continue
    return total
