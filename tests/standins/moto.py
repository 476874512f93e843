"""AWS as `moto` plays it, in a process of its own on a free port."""

import re
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_STARTS_WITHIN = 30.0


@contextmanager
def running_moto() -> Generator[str]:
    """Start it, yield its address, and stop it in the end."""
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    said: list[str] = []
    ready = threading.Event()

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if "Running on" in line:
                ready.set()
        ready.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert ready.wait(_STARTS_WITHIN), said
        address = re.search(r"http://127\.0\.0\.1:\d+", "".join(said))
        assert address is not None, "".join(said)
        yield address[0]
    finally:
        process.kill()
        process.wait()
        reader.join()
        assert process.stderr is not None
        process.stderr.close()
