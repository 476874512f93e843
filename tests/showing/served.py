"""A connector's command at work over HTTP: started, ready, asked to stop, gone."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx2

from showing.failed import Failed, expect

_READY_WITHIN = 30.0
_STOPPED_WITHIN = 30.0


def command_path(name: str) -> str:
    """An installed command, beside the Python that runs this."""
    path = Path(sys.executable).with_name(name)
    expect(path.exists(), f"{path} is not there; run `make install`.")
    return str(path)


class Server:
    """`<command> serve` on a free port, from the moment that it is made.

    Attributes:
        command: Its name.
        url: Where it listens, once it is ready.
        was_ready: Whether it has become so.

    Args:
        command: Of a connector.
        settings: What an operator puts into its environment.
        log: Where its stderr goes.
    """

    def __init__(self, command: str, settings: Mapping[str, str], log: Path) -> None:
        self.command = command
        self.url = ""
        self.was_ready = False
        self._log = log
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                [command_path(command), "serve", "--port", "0"],
                env={**os.environ, **settings},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,  # Ctrl-C is for the show, which then stops the server in order
            )

    def wait_until_ready(self) -> None:
        """Wait until it says its URL and then that it is ready.

        Raises:
            Failed: Where that takes too long, or it ends.
        """
        deadline = time.monotonic() + _READY_WITHIN
        while not self._is_ready():
            if self.has_ended or time.monotonic() > deadline:
                raise Failed(f"`{self.command} serve` did not get ready; its log is above.")
            time.sleep(0.05)
        self.was_ready = True

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def wait_until_it_ends(self) -> None:
        """Wait, for ever if nothing happens."""
        status = self._process.wait()
        raise Failed(f"`{self.command} serve` ended by itself with status {status}; its log is above.")

    def ask_to_stop(self) -> None:
        """Send SIGTERM, on which it finishes what it is at."""
        self._process.terminate()

    def wait_until_stopped(self) -> int:
        """Wait until it has ended; where that takes too long, end it. Returns its exit status."""
        try:
            return self._process.wait(_STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def log(self) -> str:
        """The end of what it wrote."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-4_000:]

    def _is_ready(self) -> bool:
        self.url = next((line for line in self.log().splitlines() if line.startswith("http://")), "")
        if not self.url:
            return False
        try:
            ready = httpx2.get(re.sub(r"/v\d/mcp$", "/readyz", self.url), timeout=5, trust_env=False)
        except httpx2.HTTPError:
            return False
        return ready.status_code == 200
