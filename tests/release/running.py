"""Runs the programs that a release needs, and says what was wrong where one fails."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from contract.discover import ROOT

_ENOUGH = 2_000


class Failed(Exception):
    """A program that did not do what it was to; says which, and what it said itself."""


def uv() -> str:
    """The program, wherever `make` has it from."""
    return shutil.which("uv") or str(ROOT / ".cache/uv/bin/uv")


def output(
    command: Sequence[str | Path],
    *,
    folder: Path,
    seconds: float,
    environment: Mapping[str, str] | None = None,
) -> str:
    """What a program says, once it has ended well.

    Raises:
        Failed: Where it has not, or takes too long.
    """
    shown = " ".join(map(str, command))
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=os.environ if environment is None else environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"`{shown}` took more than {seconds:g} s") from None
    if done.returncode:
        said = f"{done.stdout}{done.stderr}".strip()[-_ENOUGH:]
        raise Failed(f"`{shown}` ended with {done.returncode}: {said}")
    return done.stdout
