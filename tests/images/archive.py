"""An image as it is shipped: its configuration, its history, and the files of its layers."""

import json
import os
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from images.engine import engine

HANDED_OVER = [
    value
    for name, value in os.environ.items()
    if re.fullmatch(r"UV_INDEX_\w+_(USERNAME|PASSWORD)|(PIP|UV)_\w*INDEX_URL", name) and len(value) >= 8
]
"""What a build was trusted with, if it ran in the environment that this program has."""

_GONE = ".wh."
_ALL_GONE = ".wh..wh..opq"


@dataclass(frozen=True, slots=True)
class Archive:
    """What `save` writes of an image.

    Attributes:
        config: What containers get: user, command, variables, labels, and so on.
        history: The steps that made it, as anybody can read them.
        files: What a container sees, by path.
        leaks: Where something stands that the build was trusted with.
        size: Of all layers, in bytes.
    """

    config: Mapping[str, Any]
    history: list[str]
    files: Mapping[PurePosixPath, tarfile.TarInfo]
    leaks: list[str]
    size: int


@cache
def archive_of(image: str) -> Archive:
    """Save an image and look into it."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "image.tar")
        engine("save", f"--output={path}", image, timeout=300)
        with tarfile.open(path) as saved:
            (manifest,) = json.loads(_content(saved, "manifest.json"))
            whole = _content(saved, manifest["Config"])
            described: dict[str, Any] = json.loads(whole)
            leaks = ["the configuration" for secret in HANDED_OVER if secret.encode() in whole]
            files: dict[PurePosixPath, tarfile.TarInfo] = {}
            size = 0
            for layer in manifest["Layers"]:
                for member, content in _members(saved, layer):
                    leaks += [member.name for secret in HANDED_OVER if secret.encode() in content]
                    size += len(content)
                    _apply(files, member)
    history = [str(step.get("created_by", "")) for step in described.get("history", ())]
    return Archive(described["config"], history, files, leaks, size)


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    assert file is not None, name
    return file.read()


def _members(saved: tarfile.TarFile, layer: str) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    with saved.extractfile(layer) as file, tarfile.open(fileobj=file) as archive:  # pyright: ignore[reportOptionalContextManager]
        for member in archive:
            content = archive.extractfile(member) if member.isreg() else None
            yield member, content.read() if content is not None else b""


def _apply(files: dict[PurePosixPath, tarfile.TarInfo], member: tarfile.TarInfo) -> None:
    """Put what a layer has on top of those below it: files of a special name say what is gone."""
    path = PurePosixPath("/") / member.name
    if path.name == _ALL_GONE:
        gone = path.parent
    elif path.name.startswith(_GONE):
        gone = path.with_name(path.name.removeprefix(_GONE))
        files.pop(gone, None)
    else:
        files[path] = member
        return
    for below in [one for one in files if gone in one.parents]:
        del files[below]
