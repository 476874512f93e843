"""Files of a repository at a commit: found by path, decoded, and told from what is no text."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from ringmain_core.errors import NotFound, UpstreamRefused
from ringmain_github.api import GitHub
from ringmain_github.references import file_parts
from ringmain_github.repository import Repository

LINK = "120000"
"""The mode of a symbolic link."""

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


class NoSuchFile(NotFound):
    """There is nothing at a path."""


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
        raise NoSuchFile(
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


async def files_at(
    github: GitHub, repository: Repository, paths: Sequence[str], ref: str
) -> list[File | None]:
    """Several files at a commit, in the same order; `None` for those that are not there.

    Raises:
        NotFound, UpstreamRefused: Where one is a folder, say, or too large.
    """
    files: dict[str, File | None] = {}

    async def read(path: str) -> None:
        try:
            files[path] = await file_at(github, repository, path, ref)
        except NoSuchFile:
            files[path] = None

    await github.for_each(paths, read)
    return [files[path] for path in paths]


async def links_at(github: GitHub, repository: Repository, paths: Sequence[str], ref: str) -> set[str]:
    """Those of some files that are symbolic links: GitHub gives what they lead to as if it were theirs."""
    found: set[str] = set()

    async def look(folder: str) -> None:
        name = f"{ref}:{folder}" if folder else ref
        tree = (await github.get(repository.path("git", "trees", name))).json()
        above = f"{folder}/" if folder else ""
        found.update(above + entry["path"] for entry in tree["tree"] if entry["mode"] == LINK)

    await github.for_each({path.rpartition("/")[0] for path in paths}, look)
    return found & set(paths)


def lines_of(text: str) -> list[str]:
    """Its lines as git and GitHub number them: a form feed, say, ends none."""
    lines = text.replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _text(content: bytes) -> str | None:
    if b"\0" in content[:8_192]:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None
