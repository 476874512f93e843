"""What `.gitignore` files leave out, as Git reads them (https://git-scm.com/docs/gitignore)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pathspec import GitIgnoreSpec

from ringmain_core.errors import ConfigurationError

_NAME = ".gitignore"
_NO_RULES = GitIgnoreSpec.from_lines(())


class GitIgnored:
    """The rules for what is below a folder: its own, of folders in it, and of the repository around it.

    Args:
        root: The folder, resolved. What is meant by name is read, whatever the repository says of it.
    """

    def __init__(self, root: Path) -> None:
        self._rules: dict[str, GitIgnoreSpec] = {}
        self._top = next((one for one in (root, *root.parents) if (one / ".git").exists()), root)
        self._base = ""
        if self._top != root:
            base = f"{root.relative_to(self._top).as_posix()}/"
            if any(self.has(f"{parent}/") for parent in _parents(f"{base}_") if parent):
                self._top = root
                self._rules.clear()
            else:
                self._base = base

    def has(self, name: str) -> bool:
        """Whether something is left out.

        Args:
            name: The path to it from the folder, with `/`; a folder's ends with one.
        """
        path = self._base + name
        for folder in _parents(path):
            within = path[len(folder) + 1 :] if folder else path
            said = self._rules_in(folder).check_file(within).include
            if said is not None:
                return said
        return False

    def _rules_in(self, folder: str) -> GitIgnoreSpec:
        if folder not in self._rules:
            self._rules[folder] = _rules_of(self._top / folder / _NAME)
        return self._rules[folder]


def excluding(patterns: Sequence[str]) -> GitIgnoreSpec:
    """Patterns of an operator, written as in a `.gitignore`.

    Raises:
        ConfigurationError: Where one of them is none.
    """
    for pattern in patterns:
        if _compiled([pattern]) is None:
            raise ConfigurationError(f"`{pattern}` is no pattern. Write it as in a .gitignore, like `*.log`.")
    return GitIgnoreSpec.from_lines(patterns)


def _rules_of(file: Path) -> GitIgnoreSpec:
    """Those of a file; like Git, without those that cannot be read, and without links."""
    if file.is_symlink() or not file.is_file():
        return _NO_RULES
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return _NO_RULES
    return GitIgnoreSpec.from_lines(line for line in lines if _compiled([line]) is not None)


def _compiled(lines: Iterable[str]) -> GitIgnoreSpec | None:
    try:
        return GitIgnoreSpec.from_lines(lines)
    except (ValueError, re.error):
        return None


def _parents(path: str) -> Iterator[str]:
    """The folders that a path goes through, the nearest first, the last of them without a name."""
    folder = path.rstrip("/")
    while folder:
        folder = folder.rpartition("/")[0]
        yield folder
