"""Diffs as they are told: each file on a line, then patches of whole files as far as they fit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ringmain_core.text import clean


@dataclass(frozen=True, slots=True)
class Shown:
    """Part of a diff.

    Attributes:
        stat: All files, a line each.
        patches: Those that fit.
        next_file: Index of the file to go on with; `None` after the last one.
        cut: What is not whole, with how to get the rest.
    """

    stat: list[str]
    patches: list[str]
    next_file: int | None
    cut: list[str]


def chosen(files: Sequence[Mapping[str, Any]], globs: Sequence[str]) -> list[Mapping[str, Any]]:
    """The files whose path, or name, fits one of the patterns; all without patterns."""
    if not globs:
        return list(files)
    return [file for file in files if any(_fits(str(file["filename"]), glob) for glob in globs)]


def shown(files: Sequence[Mapping[str, Any]], first: int, max_lines: int, budget: int) -> Shown:
    """Files from an index on, within so many lines and bytes.

    One file that does not fit by itself is cut, and said to be; GitHub leaves out patches that are very large
    or binary, which is said as well.
    """
    stat = [stat_of(file) for file in files] if first == 0 else []
    if sum(len(line.encode()) + 1 for line in stat) > budget // 3:
        stat = [*_leading(stat, budget // 3), f"… {len(files):,} files in all"]
    left = budget - sum(len(line.encode()) + 1 for line in stat)
    lines_left = max_lines
    patches: list[str] = []
    cut: list[str] = []
    for at, file in enumerate(files[first:], start=first):
        patch = file.get("patch")
        name = clean(file["filename"])
        if patch is None:
            text = f"--- {name}: no patch (binary, renamed only, or too large for GitHub to show)"
        else:
            text = f"--- {name}\n{clean(patch)}"
        lines = text.split("\n")
        size = len(text.encode(errors="replace")) + 1
        if size > left or len(lines) > lines_left:
            if patches:
                return Shown(stat, patches, at, cut)
            kept = _leading(lines[:lines_left], left)
            patches.append("\n".join(kept))
            cut.append(f"{name}: {len(kept):,} of {len(lines):,} lines; `read_file` has the rest")
            return Shown(stat, patches, at + 1 if at + 1 < len(files) else None, cut)
        patches.append(text)
        left -= size
        lines_left -= len(lines)
    return Shown(stat, patches, None, cut)


def stat_of(file: Mapping[str, Any]) -> str:
    """A file on one line."""
    before = file.get("previous_filename")
    renamed = f" (was {clean(before)})" if before else ""
    return f"{file['status']} {clean(file['filename'])}{renamed} +{file['additions']} -{file['deletions']}"


def _leading(lines: Sequence[str], budget: int) -> list[str]:
    kept: list[str] = []
    for line in lines:
        budget -= len(line.encode(errors="replace")) + 1
        if budget < 0:
            break
        kept.append(line)
    return kept


def _fits(path: str, glob: str) -> bool:
    return fnmatchcase(path, glob) or fnmatchcase(path.rpartition("/")[2], glob)
