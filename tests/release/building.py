"""Builds wheels and sdists, and compares what comes of the same sources twice."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from release.running import output, uv

CONSTRAINTS = Path(__file__).with_name("build-constraints.txt")
_LONGEST = 300
_WHEN = "1580601600"  # where nobody says: what the builder takes itself


def build(source: Path, into: Path, *kinds: str) -> None:
    """Build a wheel and an sdist of a folder or an sdist, with the builder that every release has.

    Raises:
        Failed: Where it cannot be built.
    """
    how = ["--quiet", "--no-sources", "--no-create-gitignore", "--build-constraints", CONSTRAINTS]
    output(
        [uv(), "build", *how, "--require-hashes", "--out-dir", into, *kinds, source],
        folder=into.parent,
        seconds=_LONGEST,
        environment={"SOURCE_DATE_EPOCH": _WHEN, **os.environ},
    )


def differing(names: Sequence[str], one: Path, other: Path) -> list[str]:
    """Which files are not the same in two folders, byte for byte."""
    faults: list[str] = []
    for name in names:
        if not (other / name).is_file():
            faults.append(f"{name} was not built")
        elif digest(one / name) != digest(other / name):
            faults.append(f"{name} is not the same when it is built again")
    return faults


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
