"""The real command in a process of its own, as an operator starts it; stopped as one stops it."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_STARTS_WITHIN = 30.0
_STOPS_WITHIN = 25.0


@dataclass
class Served:
    """A server at work.

    Attributes:
        url: Of the MCP path.
        key: Made at the start, where there was no policy.
        log: What it wrote to stderr so far.
    """

    process: subprocess.Popen[str]
    url: str = ""
    key: str = ""
    log: list[str] = field(default_factory=list[str])


def command(distribution: str) -> str:
    """The installed command of a connector."""
    return str(Path(sys.executable).with_name(distribution))


def clean_environment(**settings: str) -> dict[str, str]:
    """This environment without anybody's Ringmain settings, and with these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGMAIN_")}
    return kept | settings


@contextmanager
def serving(distribution: str, settings: Mapping[str, str]) -> Generator[Served]:
    """Start `<distribution> serve` on a free port; end it with SIGTERM and see that it goes in order."""
    process = subprocess.Popen(
        [command(distribution), "serve", "--port", "0"],
        env=clean_environment(**settings),
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    served = Served(process)
    ready = threading.Event()

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            served.log.append(line)
            if match := re.search(r"\brm_\S+", line):
                served.key = match[0]
            if match := re.match(r"http://\S+/v\d/mcp", line):
                served.url = match[0]
                ready.set()
        ready.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert ready.wait(_STARTS_WITHIN), served.log
        assert served.url, "".join(served.log)
        yield served
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        finally:
            reader.join()
            assert process.stderr is not None
            process.stderr.close()
