"""Where collections lie: a folder for each, with the shard and a manifest beside it."""

import json
import os
import re
import secrets
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from ringmain_core.errors import InvalidArguments, UpstreamRefused
from ringmain_vector.domain import Manifest

SHARD = "shard"
"""Where in a collection's folder the library keeps its files."""

_MANIFEST = "manifest.json"
_FORMAT = 1
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OURS_ALONE = 0o700


def names(folder: Path) -> list[str]:
    """The collections in a folder; whatever else is there is not ours."""
    found = [one.parent.name for one in folder.glob(f"*/{_MANIFEST}")]
    return sorted(name for name in found if is_name(name))


def is_name(name: str) -> bool:
    """Whether a collection may be called so."""
    return _NAME.fullmatch(name) is not None


def read_manifest(folder: Path) -> Manifest | None:
    """How the collection in a folder was made; `None` where there is no such folder, or an empty one.

    Raises:
        UpstreamRefused: What is there is not ours, or of a format that is not known.
    """
    try:
        written = (folder / _MANIFEST).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
            return None
        raise UpstreamRefused(
            f"{folder} is there, but no collection of ringmain-vector: it has no {_MANIFEST}. Choose "
            "another name, or move it away."
        ) from None
    try:
        kept = cast("dict[str, Any]", json.loads(written))
        if kept["format"] != _FORMAT:
            raise UpstreamRefused(
                f"The collection in {folder} has the format {kept['format']!s:.20}, and this version "
                f"of ringmain-vector knows only {_FORMAT}. Use the version that made it, or move the "
                "folder away and run `ringmain-vector index` again."
            )
        return Manifest(**kept["manifest"])
    except (ValueError, TypeError, KeyError) as error:
        raise UpstreamRefused(
            f"{folder / _MANIFEST} is damaged. Move {folder} away and run `ringmain-vector index` again."
        ) from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Keep how a collection was made; a reader sees the old one or the new one."""
    draft = folder / f"{_MANIFEST}.{secrets.token_hex(8)}"
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        json.dump({"format": _FORMAT, "manifest": asdict(manifest)}, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / _MANIFEST)


def make_folder(folder: Path, name: str, manifest: Manifest, fill: Callable[[Path], None]) -> None:
    """Make a collection's folder. It is there as a whole or not at all, and one that is there stays.

    Args:
        folder: With all collections.
        name: Of the new one.
        manifest: How it is made.
        fill: Puts a shard into the empty folder that it is given.

    Raises:
        InvalidArguments: A collection cannot be called so.
    """
    if not is_name(name):
        raise InvalidArguments(
            f"`{name[:80]}` cannot be a collection's name: use 1 to 64 letters, digits, `-` and `_`."
        )
    folder.mkdir(mode=_OURS_ALONE, parents=True, exist_ok=True)
    draft = folder / f".{name}.{secrets.token_hex(8)}"
    draft.mkdir(mode=_OURS_ALONE)
    try:
        (draft / SHARD).mkdir(mode=_OURS_ALONE)
        fill(draft / SHARD)
        write_manifest(draft, manifest)
        draft.rename(folder / name)
    except BaseException as error:
        shutil.rmtree(draft, ignore_errors=True)
        if not isinstance(error, OSError) or not (folder / name).exists():
            raise
