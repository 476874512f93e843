"""Which versions of Python are there, without asking for any that is not."""

import os
from pathlib import Path

from release.running import Failed, output, uv

_LONGEST = 60


def found(version: str) -> Path | None:
    """A Python of a version on this machine: the system's, uv's or pyenv's; `None` where there is none."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = [str(folder) for folder in sorted(pyenv.glob(f"versions/{version}*/bin"))]
    path = os.pathsep.join([*folders, os.environ["PATH"]])
    how = ["--no-project", "--system", "--no-python-downloads"]
    try:
        said = output(
            [uv(), "python", "find", *how, version],
            folder=Path.home(),
            seconds=_LONGEST,
            environment={**os.environ, "PATH": path},
        )
    except Failed:
        return None
    return Path(said.strip())
