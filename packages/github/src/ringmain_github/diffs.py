"""Diffs as they are told: each file on a line, then the patches as far as they fit, to the last line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ringmain_core.text import clean
from ringmain_github.globs import fits
from ringmain_github.said import one_line

Place = tuple[int, int]
"""Index of a file, and of a line of its patch."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Part of a diff.

    Attributes:
        stat: The files, a line each; only at the beginning.
        patches: Those that fit; of the last one perhaps a part.
        following: Where to go on; `None` after the last line.
    """

    stat: list[str]
    patches: list[str]
    following: Place | None


def chosen(files: Sequence[Mapping[str, Any]], globs: Sequence[str]) -> list[Mapping[str, Any]]:
    """The files whose path, now or before a renaming, fits one of the patterns; all without patterns."""
    if not globs:
        return list(files)
    return [file for file in files if any(fits(name, glob) for glob in globs for name in _names(file))]


def shown(files: Sequence[Mapping[str, Any]], begin: Place, max_lines: int, budget: int) -> Shown:
    """The diff from a place on, within so many lines and bytes; a patch is torn where it is alone."""
    stat: list[str] = []
    if begin == (0, 0):
        every = [stat_of(file) for file in files]
        stat = _leading(every, budget // 3)
        if len(stat) < len(every):
            stat.append(f"… and {len(every) - len(stat):,} more files")
    left = budget - sum(_size(line) for line in stat)
    lines_left = max_lines
    patches: list[str] = []
    first, skip = begin
    for at, file in enumerate(files[first:], start=first):
        lines = _lines(file)
        head = f"--- {one_line(file['filename'])}"
        head += f" (from line {skip + 1:,} of {len(lines):,} of its patch)" if skip else ""
        rest = lines[skip:]
        size = _size(head) + sum(_size(line) for line in rest)
        if size <= left and len(rest) <= lines_left:
            patches.append("\n".join([head, *rest]))
            left, lines_left, skip = left - size, lines_left - len(rest), 0
            continue
        if patches:
            return Shown(stat, patches, (at, 0))
        kept = _leading(rest[:lines_left], left - _size(head)) or [_beginning(rest[0], left - _size(head))]
        end = skip + len(kept)
        return Shown(stat, ["\n".join([head, *kept])], (at, end) if end < len(lines) else _next(files, at))
    return Shown(stat, patches, None)


def stat_of(file: Mapping[str, Any]) -> str:
    """A file on one line."""
    before = file.get("previous_filename")
    renamed = f" (was {one_line(before)})" if before else ""
    return f"{file['status']} {one_line(file['filename'])}{renamed} +{file['additions']} -{file['deletions']}"


def _names(file: Mapping[str, Any]) -> list[str]:
    return [str(file[key]) for key in ("filename", "previous_filename") if file.get(key)]


def _lines(file: Mapping[str, Any]) -> list[str]:
    patch = file.get("patch")
    if patch is not None:
        return clean(patch).split("\n")
    if file["status"] == "renamed" and not file["additions"] + file["deletions"]:
        return ["(only its name has changed)"]
    return ["(GitHub shows no patch: the file is no text, empty, or its change too large; see `read_file`)"]


def _next(files: Sequence[object], at: int) -> Place | None:
    return (at + 1, 0) if at + 1 < len(files) else None


def _size(line: str) -> int:
    return len(line.encode(errors="replace")) + 1


def _leading(lines: Sequence[str], budget: int) -> list[str]:
    kept: list[str] = []
    for line in lines:
        budget -= _size(line)
        if budget < 0:
            break
        kept.append(line)
    return kept


def _beginning(line: str, budget: int) -> str:
    """Of a line that does not fit alone, such as a minified one, what fits; said in the line itself."""
    kept = line.encode(errors="replace")[: max(0, budget - 100)].decode(errors="ignore")
    return f"{kept} [… the line has {len(line):,} characters; `read_file` may show more]"
