"""Exact edits of a text: what is to go has to stand there once, so that nothing else can be hit."""

import difflib
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from ringmain_core.errors import InvalidArguments

_MOST_NAMED = 10
_MOST_LINES, _MOST_COMPARED = 1_000, 100  # comparing takes time that others wait for


class Edit(BaseModel):
    """What stands there, with enough around it to be there once, and what stands there afterwards."""

    model_config = ConfigDict(extra="forbid")

    old: str = Field(min_length=1)
    new: str


def edited(path: str, text: str, edits: Sequence[Edit]) -> str:
    """The text after the edits, one after the other.

    Raises:
        InvalidArguments: Where something stands there not at all or several times; with the lines.
    """
    for number, edit in enumerate(edits, start=1):
        old, new = _ended_as_there(text, edit)
        places = _places(text, old)
        if len(places) == 1:
            text = text.replace(old, new)
            continue
        where = f"Nothing was committed: edit {number} of `{path}`"
        if not places:
            near = _near(text, old)
            hint = f" Line {near} is the most alike." if near else ""
            raise InvalidArguments(f"{where}: `old` does not stand there; it has to be exact.{hint}")
        lines = ", ".join(str(text.count("\n", 0, at) + 1) for at in places)
        count = max(text.count(old), len(places))
        raise InvalidArguments(
            f"{where}: `old` stands there {count} times (lines {lines}); add what is around the one meant."
        )
    return text


def difference(path: str, before: str | None, after: str | None) -> str:
    """The change of a file as a unified diff; `None` for one that is not there, or no text."""
    old = "/dev/null" if before is None else f"a/{path}"
    new = "/dev/null" if after is None else f"b/{path}"
    lines = list(
        difflib.unified_diff((before or "").splitlines(), (after or "").splitlines(), old, new, lineterm="")
    )
    return "\n".join(lines) if lines else f"--- {old}\n+++ {new}\n(nothing to show of `{path}`)"


def _ended_as_there(text: str, edit: Edit) -> tuple[str, str]:
    """Both texts with the line ends of the place: whoever has read the file has seen no carriage returns."""
    old, new = edit.old, edit.new
    if "\r" in old or "\r\n" not in text:
        return old, new
    if "\n" in old:
        is_there = old in text
    else:
        end = text.find("\n", text.find(old))
        is_there = end > 0 and text[end - 1] != "\r"
    return (old, new) if is_there else (_with_returns(old), _with_returns(new))


def _with_returns(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


def _places(text: str, part: str) -> list[int]:
    """Where it stands, also where that overlaps; the first few are enough."""
    found: list[int] = []
    at = text.find(part)
    while at >= 0 and len(found) < _MOST_NAMED:
        found.append(at)
        at = text.find(part, at + 1)
    return found


def _near(text: str, part: str) -> int | None:
    """The line that is most like the first line of what was looked for; most often its spaces differ."""
    wanted = part.strip().split("\n")[0].strip()
    lines = [line.strip() for line in text.split("\n")]
    if wanted in lines:
        return lines.index(wanted) + 1
    few = [line[:_MOST_COMPARED] for line in lines[:_MOST_LINES]]
    close = difflib.get_close_matches(wanted[:_MOST_COMPARED], filter(None, few), n=1, cutoff=0.6)
    return few.index(close[0]) + 1 if close else None
