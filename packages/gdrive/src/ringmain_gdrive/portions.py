"""Which parts of a file are asked for, and as much of a text as fits."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ringmain_core.answers import size_of
from ringmain_core.errors import InvalidArguments
from ringmain_core.text import untrusted
from ringmain_gdrive.extraction.extracted import Entry, Extract

_NUMBERS = re.compile(r"(\d{1,6})(?:\s*[-:]\s*(\d{1,6}))?")
_MOST_NAMED = 30
_LEAST = 200  # bytes that are shown, however little room there is


def chosen(extract: Extract, part: str | None) -> Sequence[Entry]:
    """The parts that a name, a number or a range of numbers stands for; all without one.

    Of several that have the same name, all are meant.

    Raises:
        InvalidArguments: Where it stands for none, with those that there are.
    """
    entries = extract.entries
    if part is None:
        return entries
    wanted = part.strip()
    titled = [one for one in entries if one.title.casefold() == wanted.casefold()] if wanted else []
    if titled:
        return titled
    numbers = _NUMBERS.fullmatch(wanted)
    if numbers is not None:
        first, last = int(numbers[1]), int(numbers[2] or numbers[1])
        found = entries[max(first, 1) - 1 : last]
        if found and first <= last:
            return found
    raise InvalidArguments(f"There is no part `{wanted[:80]}`, but:\n{named(entries)}")


def sheet_of(extract: Extract, name: str | None) -> Entry:
    """The sheet of that name or number; the first one without.

    Raises:
        InvalidArguments: Where there is none, with those that there are.
    """
    sheets = [one for one in extract.entries if one.kind == "sheet"]
    if not sheets:
        said = ["There is no table in it: `read_file` shows its text.", *remarked(extract)]
        raise InvalidArguments("\n".join(said))
    if name is None:
        return sheets[0]
    for one in sheets:
        if one.title.casefold() == name.strip().casefold():
            return one
    if name.strip().isdecimal() and 1 <= int(name) <= len(sheets):
        return sheets[int(name) - 1]
    raise InvalidArguments(f"There is no sheet `{name[:80]}`, but:\n{named(sheets)}")


def remarked(extract: Extract) -> list[str]:
    """What a reader should know about what is not there, if there is something."""
    rest = len(extract.remarks) - _MOST_NAMED
    said = [*extract.remarks[:_MOST_NAMED], *([f"and {rest:,} more"] if rest > 0 else [])]
    return [untrusted("\n".join(said), "the file")] if said else []


def named(entries: Sequence[Entry]) -> str:
    """Parts by number and name, for a message; of many only the first."""
    if not any(one.title for one in entries):
        return _counted(entries)
    first = ", ".join(_named(one) for one in entries[:_MOST_NAMED])
    rest = len(entries) - _MOST_NAMED
    return untrusted(f"{first} and {rest:,} more" if rest > 0 else first, "the file")


def _named(entry: Entry) -> str:
    return f"{entry.number} `{entry.title[:60]}`{' (hidden)' if entry.hidden else ''}"


def listed(entries: Sequence[Entry], room: int) -> tuple[str, int]:
    """A table of parts within a number of bytes, and how many are in it."""
    if not any(one.title for one in entries):
        return _counted(entries), len(entries)
    lines: list[str] = []
    for one in entries:
        about = f"{one.rows:,} rows x {one.columns:,} columns" if one.kind == "sheet" else ""
        about = about or f"{one.characters:,} characters"
        line = f"{one.number}. {one.title or one.kind} ({about}{', hidden' if one.hidden else ''})"
        room -= size_of(line)
        if room < 0:
            break
        lines.append(line)
    return "\n".join(lines), len(lines)


def _counted(entries: Sequence[Entry]) -> str:
    """Parts that have no names."""
    return f"{entries[0].kind}s 1 to {len(entries):,}" if entries else "nothing"


@dataclass(frozen=True, slots=True)
class Portion:
    """A piece of a text.

    Attributes:
        start: In characters.
        total: Characters of the whole.
    """

    text: str
    start: int
    total: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def is_last(self) -> bool:
        return self.end >= self.total


def portion(text: str, start: int, most: int, room: int) -> Portion:
    """As much of a text as may be shown from a place on; it ends with a line, if there is one.

    Args:
        text: The whole.
        start: Where to begin, in characters.
        most: Characters.
        room: Bytes, once it is JSON.
    """
    piece = text[start : start + most]
    while size_of(piece) > max(room, _LEAST):
        piece = piece[: len(piece) * 7 // 8]
    if start + len(piece) < len(text):
        line = piece.rfind("\n") + 1
        piece = piece[:line] if line > len(piece) // 2 else piece
    return Portion(piece, start, len(text))
