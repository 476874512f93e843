"""The embedded vector store: this project's documentation and a runbook, taken in as an operator does it."""

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from showing.documentation import GENERAL, OF_CONNECTORS, copy_documentation
from showing.failed import Failed, expect
from showing.served import command_path

_FILLED_WITHIN = 120.0
_RUNBOOK = Path(__file__).with_name("pages") / "wrong-delays.md"


class Store:
    """A store that is filled while other things are done; made, it is on its way.

    Attributes:
        settings: By which its server finds it.
    """

    def __init__(self, folder: Path) -> None:
        self.settings: Mapping[str, str] = {"RINGMAIN_VECTOR_STORE": f"edge://{folder / 'store'}"}
        self._environment = {**os.environ, **self.settings, "RINGMAIN_STATE_DIR": str(folder / "state")}
        self._pages = folder / "docs"
        self._log = folder / "index.log"
        copy_documentation(self._pages, *GENERAL)
        (self._pages / "runbooks").mkdir()
        shutil.copyfile(_RUNBOOK, self._pages / "runbooks" / _RUNBOOK.name)
        self._take_in()

    def take_in_the_rest(self) -> None:
        """Begin with the connectors' pages, which take longer than everything else."""
        copy_documentation(self._pages, *OF_CONNECTORS)
        self._take_in()

    @property
    def is_filling(self) -> bool:
        return self._process.poll() is None

    def _take_in(self) -> None:
        self._begin = time.monotonic()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [command_path("ringmain-vector"), "index", str(self._pages)],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the sandbox
            )

    def wait_until_filled(self) -> str:
        """What the command has said in the end, and how long it took.

        Raises:
            Failed: Where it takes too long, or does not succeed.
        """
        try:
            status = self._process.wait(_FILLED_WITHIN)
        except subprocess.TimeoutExpired:
            raise Failed(f"`ringmain-vector index` was to end within {_FILLED_WITHIN:.0f} s.") from None
        said = self._log.read_text(encoding="utf-8", errors="replace").strip()
        expect(status == 0, f"`ringmain-vector index` ended with status {status}. It wrote:\n{said}")
        return f"{said.splitlines()[-1]}; {time.monotonic() - self._begin:.1f} s"

    def stop(self) -> None:
        """End the command, if it is still at it."""
        self._process.kill()
        self._process.wait()
