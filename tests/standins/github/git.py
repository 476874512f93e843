"""Blobs, trees and commits with the names that git gives them, and what differs between two trees."""

import difflib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

Files = dict[str, str]


@dataclass(frozen=True)
class Commit:
    """A commit; `files`: the name of the blob at each path."""

    sha: str
    tree: str
    files: Files
    parents: tuple[str, ...]
    message: str
    author: str
    date: str


@dataclass(frozen=True)
class Change:
    """A file that differs; `patch` is `None` for what is not text."""

    path: str
    status: str
    sha: str
    additions: int
    deletions: int
    patch: str | None


@dataclass
class Objects:
    """All that a repository's git knows, by name.

    Attributes:
        links: The blobs that are symbolic links.
    """

    blobs: dict[str, bytes] = field(default_factory=dict[str, bytes])
    links: set[str] = field(default_factory=set[str])
    trees: dict[str, list[tuple[str, str, str]]] = field(
        default_factory=dict[str, list[tuple[str, str, str]]]
    )
    commits: dict[str, Commit] = field(default_factory=dict[str, Commit])

    def blob(self, content: bytes) -> str:
        sha = _name("blob", content)
        self.blobs[sha] = content
        return sha

    def tree(self, files: Mapping[str, str]) -> str:
        """The tree of these paths, with all those below it."""
        entries: dict[str, tuple[str, str]] = {}
        folders: dict[str, Files] = {}
        for path, sha in files.items():
            first, _, rest = path.partition("/")
            if rest:
                folders.setdefault(first, {})[rest] = sha
            else:
                entries[first] = ("120000" if sha in self.links else "100644", sha)
        for name, below in folders.items():
            entries[name] = ("40000", self.tree(below))
        order = sorted(entries, key=lambda name: name + "/" * (entries[name][0] == "40000"))
        packed = b"".join(
            f"{entries[name][0]} {name}\0".encode() + bytes.fromhex(entries[name][1]) for name in order
        )
        made = _name("tree", packed)
        self.trees[made] = [(entries[name][0], name, entries[name][1]) for name in order]
        return made

    def commit(self, files: Files, parents: tuple[str, ...], message: str, author: str, date: str) -> Commit:
        tree = self.tree(files)
        seconds = int(datetime.fromisoformat(date).timestamp())
        signature = f"{author} <{author}@example.com> {seconds} +0000"
        head = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        text = "\n".join([*head, f"author {signature}", f"committer {signature}", "", message])
        made = Commit(_name("commit", text.encode()), tree, files, parents, message, author, date)
        self.commits[made.sha] = made
        return made

    def history(self, sha: str) -> Iterator[Commit]:
        """A commit and all before it, the latest first."""
        seen: dict[str, Commit] = {}
        waiting = [sha]
        while waiting:
            commit = self.commits[waiting.pop()]
            if commit.sha not in seen:
                seen[commit.sha] = commit
                waiting += commit.parents
        return iter(sorted(seen.values(), key=lambda commit: commit.date, reverse=True))

    def merge_base(self, one: str, other: str) -> str | None:
        known = {commit.sha for commit in self.history(one)}
        return next((commit.sha for commit in self.history(other) if commit.sha in known), None)

    def changes(self, before: Mapping[str, str], after: Mapping[str, str]) -> list[Change]:
        return [
            self._change(path, before.get(path), after.get(path))
            for path in sorted({*before, *after})
            if before.get(path) != after.get(path)
        ]

    def _change(self, path: str, before: str | None, after: str | None) -> Change:
        status = "added" if before is None else "removed" if after is None else "modified"
        old = _lines(self.blobs[before] if before else b"")
        new = _lines(self.blobs[after] if after else b"")
        sha = after or before or ""
        if old is None or new is None:
            return Change(path, status, sha, 0, 0, None)
        hunks = list(difflib.unified_diff(old, new, lineterm=""))[2:]
        added = sum(line.startswith("+") for line in hunks)
        deleted = sum(line.startswith("-") for line in hunks)
        return Change(path, status, sha, added, deleted, "\n".join(hunks))


def unified(changes: list[Change]) -> str:
    """These as `git diff` writes them."""
    parts: list[str] = []
    for change in changes:
        old = "/dev/null" if change.status == "added" else f"a/{change.path}"
        new = "/dev/null" if change.status == "removed" else f"b/{change.path}"
        parts.append(f"diff --git a/{change.path} b/{change.path}\n")
        if change.status != "modified":
            parts.append(f"{'new' if change.status == 'added' else 'deleted'} file mode 100644\n")
        parts.append(
            f"Binary files {old} and {new} differ\n"
            if change.patch is None
            else f"--- {old}\n+++ {new}\n{change.patch}\n"
        )
    return "".join(parts)


def _lines(content: bytes) -> list[str] | None:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text.splitlines()


def _name(kind: str, content: bytes) -> str:
    return hashlib.sha1(f"{kind} {len(content)}\0".encode() + content).hexdigest()  # noqa: S324 (as git)
