"""Which lines of a diff can be commented on: those that its hunks show, on either side."""

import re
from dataclasses import dataclass, field

_HEAD = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")


@dataclass(frozen=True, slots=True)
class Lines:
    """Numbers of lines: `left` as they were, `right` as they are."""

    left: set[int] = field(default_factory=set[int])
    right: set[int] = field(default_factory=set[int])


def lines_of(patch: str) -> Lines:
    """The lines that a file's patch shows."""
    lines, old, new = Lines(), 0, 0
    for text in patch.split("\n"):
        head = _HEAD.match(text)
        if head:
            old, new = int(head[1]), int(head[2])
            continue
        mark = text[:1]
        if mark in {"-", " "}:
            lines.left.add(old)
            old += 1
        if mark in {"+", " "}:
            lines.right.add(new)
            new += 1
    return lines
