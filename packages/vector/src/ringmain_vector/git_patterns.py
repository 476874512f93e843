"""Patterns of `.gitignore`, as Git reads them (https://git-scm.com/docs/gitignore; its wildmatch.c).

They are held against bytes, as there: `?` is one byte. Each star takes the first place that fits, so that
no pattern takes long.
"""

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass

_BACKSLASH, _CLOSE, _DASH, _OPEN = b"\\]-["
_BLANK = b" "
_ANY_IN_NAME = rb"[^/]"
_GLOBSTAR = re.compile(rb"\*\*+")
_WILDCARD = re.compile(rb"[*?\[\\]")
_LETTERS = string.ascii_letters.encode()
_CLASSES = {
    b"alnum": _LETTERS + string.digits.encode(),
    b"alpha": _LETTERS,
    b"blank": b" \t",
    b"cntrl": bytes([*range(32), 127]),
    b"digit": string.digits.encode(),
    b"graph": bytes(range(33, 127)),
    b"lower": string.ascii_lowercase.encode(),
    b"print": bytes(range(32, 127)),
    b"punct": string.punctuation.encode(),
    b"space": string.whitespace.encode(),
    b"upper": string.ascii_uppercase.encode(),
    b"xdigit": string.hexdigits.encode(),
}


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line of such a file.

    Attributes:
        keeps: Whether it takes back what a pattern before it leaves out (`!`).
        only_folders: Whether it is about folders only.
        of_names: Whether it is held against the name alone, and not against the path.
    """

    keeps: bool
    only_folders: bool
    of_names: bool
    fits: re.Pattern[bytes]


class NoPattern(ValueError):
    """A text that nothing can fit."""


def patterns_in(content: bytes) -> Iterator[Pattern]:
    """Those in a file; Git passes over lines that are none, and so is done here."""
    for line in content.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        text = _trimmed(line.removesuffix(b"\r"))
        if text and not text.startswith(b"#"):
            try:
                yield pattern(text)
            except NoPattern:
                continue


def pattern(text: bytes) -> Pattern:
    """Understand a pattern.

    Raises:
        NoPattern: Where nothing can fit it.
    """
    keeps = text.startswith(b"!")
    rest = text[keeps:]
    only_folders = rest.endswith(b"/")
    path = rest[: len(rest) - only_folders]
    of_names = b"/" not in path
    if not path:
        raise NoPattern
    if of_names:
        return Pattern(keeps, only_folders, of_names, re.compile(_name(path), re.DOTALL))
    return Pattern(keeps, only_folders, of_names, re.compile(_path(path.removeprefix(b"/")), re.DOTALL))


def last_of(patterns: list[Pattern], path: bytes, *, is_folder: bool) -> Pattern | None:
    """The last pattern that something fits, which decides; `path` is from where the patterns stand."""
    name = path.rpartition(b"/")[2]
    for one in reversed(patterns):
        if one.only_folders and not is_folder:
            continue
        if one.fits.fullmatch(name if one.of_names else path):
            return one
    return None


def _trimmed(line: bytes) -> bytes:
    """A line without the blanks at its end, unless a backslash stands before them."""
    bare = line.rstrip(_BLANK)
    escaped = (len(bare) - len(bare.rstrip(b"\\"))) % 2 == 1
    return line[: len(bare) + 1] if escaped and len(line) > len(bare) else bare


def _path(path: bytes) -> bytes:
    """A path; a part of stars alone, two or more, stands for any number of folders.

    Git compares what is before the first wildcard by itself, so stars right behind it are such a part, too.
    """
    wildcard = _WILDCARD.search(path)
    literal = path[: wildcard.start()] if wildcard else path
    first, *others = _between_globstars(path[len(literal) :].split(b"/"))
    made = re.escape(literal) + first
    if not others:
        return made
    *middle, last = others
    return (
        (made + b"/" if first else made)
        + b"".join(rb"(?>(?:[^/]*/)*?" + one + b"/)" for one in middle if one)
        + (rb"(?:[^/]*/)*" + last if last else rb".*")
    )


def _between_globstars(parts: list[bytes]) -> list[bytes]:
    made: list[list[bytes]] = [[]]
    for part in parts:
        if _GLOBSTAR.fullmatch(part):
            made.append([])
        else:
            made[-1].append(_name(part))
    return [b"/".join(names) for names in made]


def _name(glob: bytes) -> bytes:
    """A name, or a part of a path: text between stars, each of which takes as little as it can."""
    first, *others = _between_stars(glob)
    if not others:
        return first
    *middle, last = others
    return first + b"".join(rb"(?>[^/]*?" + one + b")" for one in middle if one) + rb"[^/]*" + last


def _between_stars(glob: bytes) -> list[bytes]:
    made = [b""]
    at = 0
    while at < len(glob):
        mark = glob[at : at + 1]
        if mark == b"*":
            made.append(b"")
        elif mark == b"?":
            made[-1] += _ANY_IN_NAME
        elif mark == b"[":
            members, at = _class(glob, at + 1)
            made[-1] += members
        else:
            at += mark == b"\\"
            if at == len(glob):
                raise NoPattern
            made[-1] += re.escape(glob[at : at + 1])
        at += 1
    return made


def _class(glob: bytes, at: int) -> tuple[bytes, int]:
    """What stands in brackets, and where the closing one is."""
    negated = glob[at : at + 1] in (b"!", b"^")
    at += negated
    members = set[int]()
    before: int | None = None
    is_first = True
    while is_first or _at(glob, at) != _CLOSE:
        is_first = False
        mark = _at(glob, at)
        if glob[at : at + 2] == b"[:" and (end := _end_of_class(glob, at)) is not None:
            members |= set(_named(glob[at + 2 : end]))
            at, before = end + 1, None
        elif mark == _DASH and before is not None and _at(glob, at + 1) != _CLOSE:
            at += 1 + (_at(glob, at + 1) == _BACKSLASH)
            members |= set(range(before, _at(glob, at) + 1))
            before = None
        else:
            at += mark == _BACKSLASH
            before = _at(glob, at)
            members.add(before)
        at += 1
    members = (set(range(256)) - members if negated else members) - {ord("/")}
    return (b"[" + b"".join(b"\\x%02x" % one for one in sorted(members)) + b"]" if members else rb"(?!)"), at


def _end_of_class(glob: bytes, at: int) -> int | None:
    """Where `:]` ends a class that begins here; `None` where it is none, but marks like others."""
    close = glob.find(b"]", at + 2)
    if close < 0:
        raise NoPattern
    return close - 1 if close > at + 2 and glob[close - 1 : close] == b":" else None


def _named(name: bytes) -> bytes:
    if name not in _CLASSES:
        raise NoPattern
    return _CLASSES[name]


def _at(glob: bytes, at: int) -> int:
    if at >= len(glob):
        raise NoPattern
    return glob[at]
