"""The container engine as these tests use it: what `docker` and `podman` have in common."""

import os
import re
import subprocess
import threading
import time
import uuid
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

PROGRAM = os.environ.get("IMAGES_ENGINE", "")
HARDENED = (
    "--read-only",
    "--tmpfs=/tmp:size=64m,mode=1777,noexec,nosuid,nodev",
    "--cap-drop=all",
    "--security-opt=no-new-privileges",
)

_STARTS_WITHIN = 60.0
_STOPS_WITHIN = 30
_GONE_WITHIN = 20.0


def engine(*arguments: str, timeout: float = 120.0) -> str:
    """What the engine prints; it must succeed."""
    done = subprocess.run(
        [PROGRAM, *arguments],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, f"{PROGRAM} {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout


def ended(name: str) -> bool:
    """Whether a container that removes itself is gone, now or in a moment."""
    until = time.monotonic() + _GONE_WITHIN
    while there := engine("ps", "--all", "--quiet", f"--filter=name={name}"):
        if time.monotonic() > until:
            break
    return not there


def options(settings: Mapping[str, str], volumes: Sequence[str] = ()) -> list[str]:
    """The options that give a container settings and volumes."""
    given = [f"--env={name}={value}" for name, value in settings.items()]
    return [*given, *(f"--volume={volume}" for volume in volumes)]


@dataclass
class Container:
    """A container at work.

    Attributes:
        client: The engine's own process, attached; it ends with the container, and with its exit status.
        log: What came on stderr so far.
    """

    name: str
    client: subprocess.Popen[str]
    log: list[str] = field(default_factory=list[str])
    ready: threading.Event = field(default_factory=threading.Event)

    def does(self, *command: str) -> str:
        """What a command in the container prints; it must succeed."""
        return engine("exec", self.name, *command)

    def is_healthy(self, check: Sequence[str]) -> bool:
        """Run the image's health check, as the engine does by itself every now and then."""
        asked = ["healthcheck", "run", self.name] if "podman" in PROGRAM else ["exec", self.name, *check]
        done = subprocess.run([PROGRAM, *asked], capture_output=True, timeout=60, check=False)
        return done.returncode == 0

    def signal(self, name: str) -> None:
        engine("kill", f"--signal={name}", self.name)

    def stop(self) -> tuple[int, float]:
        """Stop it as operators do.

        Returns:
            The exit status, and the seconds that it took.
        """
        began = time.monotonic()
        engine("stop", f"--time={_STOPS_WITHIN}", self.name)
        return self.client.wait(_STOPS_WITHIN), time.monotonic() - began

    def read_log(self) -> None:
        """Collect stderr until the container ends; an address means that it serves."""
        assert self.client.stderr is not None
        for line in self.client.stderr:
            self.log.append(line)
            if re.match(r"http://\S+/v\d/mcp", line):
                self.ready.set()
        self.ready.set()


@contextmanager
def serving(image: str, *given: str) -> Generator[Container]:
    """`run IMAGE serve` with these options, hardened, until the end of the block."""
    name = f"{image}-{uuid.uuid4().hex[:12]}"
    client = subprocess.Popen(
        [PROGRAM, "run", "--rm", f"--name={name}", *HARDENED, *given, image, "serve"],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    container = Container(name, client)
    reader = threading.Thread(target=container.read_log)
    reader.start()
    try:
        assert container.ready.wait(_STARTS_WITHIN), container.log
        assert client.poll() is None, "".join(container.log)
        yield container
    finally:
        if client.poll() is None:
            engine("rm", "--force", "--volumes", name)
        client.wait(_STOPS_WITHIN)
        reader.join()
        assert client.stderr is not None
        client.stderr.close()
