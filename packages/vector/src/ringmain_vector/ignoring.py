"""What the `.gitignore` files of a tree leave out, and what an operator does."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ringmain_core.errors import ConfigurationError
from ringmain_vector.git_patterns import NoPattern, Pattern, last_of, pattern, patterns_in

_RULES = ".gitignore"


class GitIgnored:
    """The rules for what is below a folder: its own, of folders in it, and of the repository around it.

    Args:
        root: The folder, resolved. What is meant by name is read, whatever the repository says of it.
    """

    def __init__(self, root: Path) -> None:
        self._kept: dict[str, list[Pattern]] = {}
        self._top = next((one for one in (root, *root.parents) if (one / ".git").exists()), root)
        self._base = ""
        if self._top != root:
            base = f"{root.relative_to(self._top).as_posix()}/"
            if any(self.has(parent, is_folder=True) for parent in _parents(f"{base}_") if parent):
                self._top = root
                self._kept.clear()
            else:
                self._base = base

    def has(self, name: str, *, is_folder: bool) -> bool:
        """Whether something is left out, that is in a folder that is not.

        Args:
            name: The path to it from the root, with `/`.
            is_folder: Whether it is one.
        """
        path = self._base + name
        for folder in _parents(path):
            within = path[len(folder) + 1 :] if folder else path
            found = last_of(self._rules(folder), os.fsencode(within), is_folder=is_folder)
            if found is not None:
                return not found.keeps
        return False

    def _rules(self, folder: str) -> list[Pattern]:
        if folder not in self._kept:
            rules = _content(self._top / folder / _RULES)
            local = b"" if folder else _content(self._top / ".git" / "info" / "exclude") + b"\n"
            self._kept[folder] = [*patterns_in(local), *patterns_in(rules)]
        return self._kept[folder]


class Excluded:
    """What an operator leaves out.

    Args:
        texts: Patterns as in a `.gitignore`.

    Raises:
        ConfigurationError: Where one of them is none.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._patterns = [_given(text) for text in texts]

    def has(self, name: str, *, is_folder: bool) -> bool:
        """Whether something is left out; `name` is the path to it from the root."""
        found = last_of(self._patterns, os.fsencode(name), is_folder=is_folder)
        return found is not None and not found.keeps


def _given(text: str) -> Pattern:
    try:
        return pattern(os.fsencode(text))
    except NoPattern:
        raise ConfigurationError(
            f"`{text}` is no pattern. Write it as in a .gitignore, like `*.log`."
        ) from None


def _content(file: Path) -> bytes:
    """What is in a file; like Git, nothing where it cannot be read, and nothing through a link."""
    if file.is_symlink() or not file.is_file():
        return b""
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _parents(path: str) -> Iterator[str]:
    """The folders that a path goes through, the nearest first, the last of them without a name."""
    folder = path
    while folder:
        folder = folder.rpartition("/")[0]
        yield folder
