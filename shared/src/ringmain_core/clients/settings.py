"""This computer, as the environment describes it; read where somebody asks for `install`, and never else."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path, PurePath

from ringmain_core.clients.computer import Computer, Platform
from ringmain_core.settings import CoreSettings


def this_computer() -> Computer:
    """Where this process runs."""
    known: dict[str, Platform] = {"win32": "win32", "darwin": "darwin"}
    return Computer(known.get(sys.platform, "linux"), dict(os.environ), Path.home(), _names)


def state_folder(computer: Computer) -> Path:
    """Where this user's servers keep state; other settings need not be right for it."""
    given = computer.environment.get("RINGMAIN_STATE_DIR")
    default: Path = CoreSettings.model_fields["state_dir"].get_default(call_default_factory=True)
    return Path(given).absolute() if given else default


def _names(folder: PurePath) -> Sequence[str]:
    try:
        return sorted(entry.name for entry in Path(folder).iterdir())
    except OSError:
        return ()
