"""What is said while a release is checked, and what was found to be wrong."""

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from release.running import Failed


class Report:
    """Writes to standard output, line by line.

    Attributes:
        faults: Everything that was found, in order.
    """

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._part = ""
        self._started = time.monotonic()

    def heading(self, title: str) -> None:
        """Begin a part."""
        self._part = title
        print(f"\n── {title} · {time.monotonic() - self._started:.0f} s", flush=True)

    def say(self, line: str) -> None:
        """Something to know, which is neither right nor wrong."""
        print(f"  {line}", flush=True)

    def check(self, what: str, faults: Sequence[str]) -> bool:
        """Say how something stands; whether it is right."""
        if not faults:
            print(f"  ✓ {what}", flush=True)
        for fault in faults:
            print(f"  ✗ {what}: {fault}", flush=True)
        self.faults += [f"{self._part}: {what}: {fault}" for fault in faults]
        return not faults

    @contextmanager
    def trying(self, what: str) -> Generator[None]:
        """Try something that may fail, and say how it went."""
        try:
            yield
        except Failed as error:
            self.check(what, [str(error)])
        else:
            self.check(what, [])

    def conclude(self) -> None:
        """Say how it stands altogether."""
        seconds = time.monotonic() - self._started
        if not self.faults:
            print(f"\nEverything is right, after {seconds:.0f} s.", flush=True)
            return
        print(f"\n{len(self.faults)} to mend:", flush=True)
        for fault in self.faults:
            print(f"  ✗ {fault}", flush=True)
