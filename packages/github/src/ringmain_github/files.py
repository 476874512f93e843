"""Files of a repository at a commit: found by path, decoded, and told from what is no text."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from ringmain_core.errors import NotFound, UpstreamRefused
from ringmain_github.api import GitHub, Repository
from ringmain_github.references import file_parts

_LARGEST = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class File:
    """A file.

    Attributes:
        sha: Of its blob.
        size: In bytes.
        text: `None` for one that is no text.
    """

    path: str
    sha: str
    size: int
    text: str | None


async def file_at(github: GitHub, repository: Repository, path: str, ref: str | None) -> File:
    """A file as it is at a branch, tag or commit.

    Raises:
        NotFound: Where there is none, or a folder.
        UpstreamRefused: Where it is too large to be read here.
    """
    url = repository.path("contents", *file_parts(path))
    at = f" at `{ref}`" if ref else ""
    try:
        found = (await github.get(url, params={"ref": ref})).json()
    except NotFound:
        raise NotFound(
            f"{repository.full_name} has no file `{path}`{at}; `list_files` shows what there is."
        ) from None
    if isinstance(found, list):
        raise NotFound(f"`{path or '/'}` is a folder: use `list_files`.")
    entry = cast("Mapping[str, Any]", found)
    if entry["type"] != "file":
        raise NotFound(f"`{path}` is a {entry['type']}, not a file of {repository.full_name}.")
    if entry["size"] > _LARGEST:
        raise UpstreamRefused(
            f"`{path}` has {entry['size']:,} bytes; files up to {_LARGEST:,} can be read here."
        )
    if entry.get("encoding") != "base64":  # larger than what this answer can hold
        entry = {**entry, **(await github.get(repository.path("git", "blobs", entry["sha"]))).json()}
    return File(entry["path"], entry["sha"], entry["size"], _text(base64.b64decode(entry["content"])))


def _text(content: bytes) -> str | None:
    if b"\0" in content[:8_192]:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None
