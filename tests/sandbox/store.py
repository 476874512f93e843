"""The embedded vector store: this project's documentation and a runbook, taken in as an operator does it."""

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from showing.documentation import GENERAL, copy_documentation
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
        pages = folder / "docs"
        copy_documentation(pages, *GENERAL)  # the connectors' own would take longer than all the rest
        (pages / "runbooks").mkdir()
        shutil.copyfile(_RUNBOOK, pages / "runbooks" / _RUNBOOK.name)
        self._log = folder / "index.log"
        self._begin = time.monotonic()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [command_path("ringmain-vector"), "index", str(pages)],
                env={**os.environ, **self.settings, "RINGMAIN_STATE_DIR": str(folder / "state")},
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
