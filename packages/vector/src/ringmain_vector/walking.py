"""The files below a folder that are worth reading, and why the others are not."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ringmain_core.text import clean
from ringmain_vector.files import Format, format_of
from ringmain_vector.ignoring import Excluded, GitIgnored

_NOT_ENTERED = frozenset(
    {"node_modules", "__pycache__", "venv", "site-packages", "bower_components", "__pypackages__"}
)


@dataclass(frozen=True, slots=True)
class Found:
    """A file.

    Attributes:
        name: The path to it from the folder where the walk began, with `/`.
    """

    name: str
    path: Path
    format: Format


@dataclass(slots=True)
class Walk:
    """What a walk has found.

    Attributes:
        skipped: How many files and folders were left out, by reason.
        unread: Folders that could not be looked into, as paths from the root with a `/` at the end.
    """

    files: list[Found] = field(default_factory=list[Found])
    skipped: Counter[str] = field(default_factory=Counter[str])
    unread: list[str] = field(default_factory=list[str])


def walk(root: Path, exclude: Sequence[str] = ()) -> Walk:
    """Look at all files below a folder. Links are not followed, wherever they lead.

    Args:
        root: Where to begin, resolved.
        exclude: Patterns of what is left out, as in a `.gitignore`, beside what such files leave out.

    Raises:
        ConfigurationError: Where one of them is no pattern.
    """
    excluded, ignored = Excluded(exclude), GitIgnored(root)

    def reason_by_name(name: str, is_folder: bool) -> str | None:
        if excluded.has(name, is_folder=is_folder):
            return "excluded"
        return "by .gitignore" if ignored.has(name, is_folder=is_folder) else None

    found = Walk()
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        for entry in _entries(root, folder, found):
            name = folder + entry.name
            if (reason := _reason_to_skip(entry, name, reason_by_name)) is not None:
                found.skipped[reason] += 1
            elif entry.is_dir(follow_symlinks=False):
                waiting.append(f"{name}/")
            elif (form := format_of(entry.name)) is None:
                found.skipped["of a format that is not read"] += 1
            else:
                found.files.append(Found(name, Path(entry.path), form))
    found.files.sort(key=lambda one: one.name)
    return found


def _entries(root: Path, folder: str, found: Walk) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(root / folder) as entries:
            yield from list(entries)
    except OSError:
        found.unread.append(folder)


def _reason_to_skip(
    entry: os.DirEntry[str], name: str, by_name: Callable[[str, bool], str | None]
) -> str | None:
    if entry.is_symlink():
        return "links"
    is_folder = entry.is_dir(follow_symlinks=False)
    if not is_folder and not entry.is_file(follow_symlinks=False):
        return "no files"  # sockets, devices, pipes
    if entry.name.startswith("."):
        return "hidden"
    if clean(name) != name or any(mark in name for mark in "\t\r\n"):
        return "with characters in their names that nobody sees"
    if is_folder and entry.name in _NOT_ENTERED:
        return "made by tools"
    return by_name(name, is_folder)
