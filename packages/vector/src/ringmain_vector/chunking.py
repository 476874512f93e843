"""Texts cut into passages: at headings, paragraphs or sentences, and at the place where each was."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["markdown", "code", "text"]

CHUNKER = "ringmain-chunks-2"
"""Changes with the way that texts are cut, so that what was cut otherwise is taken in again."""

_SIZE = 1_000  # characters: in English, about as much as small models look at
_WIDE = re.compile("[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]")
_WIDE_SIZE = 4  # a character of Chinese, Japanese or Korean is as many tokens as four of English
_PIECE = 20_000  # characters cut at once: the library's time grows with the square of a paragraph
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t#]*$")
_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_LONGEST_TITLE = 200
_MOST_INDENTED = 100


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a text, which is `text[start : start + len(chunk.text)]` of it.

    Attributes:
        start: In characters.
        title: The heading that it stands under; empty where there is none.
    """

    text: str
    start: int
    title: str = ""


def chunks(text: str, kind: Kind) -> list[Chunk]:
    """The passages of a text, in their order; what lies between them is space."""
    cut = _cutter(text, kind)
    headings = list(_headings(text)) if kind == "markdown" else []
    places = [place for place, _ in headings]
    found: list[Chunk] = []
    for start, end in _with_headings(text, _spans(text, cut)) if headings else _spans(text, cut):
        above = bisect_right(places, start)
        found.append(Chunk(text[start:end], start, headings[above - 1][1] if above else ""))
    return found


def first_heading(text: str) -> str:
    """The first heading of a text in Markdown; empty where there is none."""
    return next((title for _, title in _headings(text)), "")


def _cutter(text: str, kind: Kind) -> Callable[[str], list[tuple[int, str]]]:
    import semantic_text_splitter as library

    splitter = library.MarkdownSplitter if kind == "markdown" else library.TextSplitter
    if _WIDE.search(text) is None:
        return splitter(_SIZE).chunk_indices
    return splitter.from_callback(_size, _SIZE).chunk_indices


def _spans(text: str, cut: Callable[[str], list[tuple[int, str]]]) -> Iterator[tuple[int, int]]:
    end = 0
    for begin, piece in _pieces(text):
        for start, part in cut(piece):
            first = _with_indentation(text, begin + start, end)
            end = begin + start + len(part)
            yield first, end


def _with_indentation(text: str, start: int, least: int) -> int:
    """Where the line of a passage begins, if there is only space before it: it means something in code."""
    line = max(text.rfind("\n", least, start) + 1, least)
    is_indented = start - line <= _MOST_INDENTED and not text[line:start].strip(" \t")
    return line if is_indented and (line == 0 or text[line - 1] == "\n") else start


def _with_headings(text: str, spans: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The same, but a heading goes with what follows, even if that is as large as it may be."""
    alone: tuple[int, int] | None = None
    for start, end in spans:
        span: tuple[int, int] = (start, end)
        if alone is not None:
            if end - alone[0] <= _SIZE + _LONGEST_TITLE:
                span = (alone[0], end)
            else:  # there is more space between them than anybody wants to read
                yield alone
        alone = span if _is_heading(text[slice(*span)]) else None
        if alone is None:
            yield span
    if alone is not None:
        yield alone


def _is_heading(part: str) -> bool:
    """Whether it is nothing but headings."""
    if len(part) > _LONGEST_TITLE:
        return False
    return all(not line or _HEADING.match(line) for line in part.split("\n"))


def _size(text: str) -> int:
    return len(text) + (_WIDE_SIZE - 1) * len(_WIDE.findall(text))


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """Parts that are short enough for the library, cut where it would cut, too."""
    begin = 0
    while len(text) - begin > _PIECE:
        end = _gap(text, begin + _PIECE // 2, begin + _PIECE)
        yield begin, text[begin:end]
        begin = end
    yield begin, text[begin:]


def _gap(text: str, low: int, high: int) -> int:
    """A good place to cut between two others: before a heading, a paragraph, a line, a word."""
    for mark in ("\n# ", "\n## ", "\n### ", "\n\n", "\n", ". ", " "):
        found = text.rfind(mark, low, high)
        if found >= 0:
            return found + 1
    return high


def _headings(text: str) -> Iterator[tuple[int, str]]:
    """Where each heading stands, and what it says; what is in a block of code is none."""
    place, fence = 0, ""
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if mark is not None and fence in ("", mark[1]):
            fence = "" if fence else mark[1]
        elif not fence and (heading := _HEADING.match(line[: _LONGEST_TITLE + 10])):
            yield place, heading[1].strip()[:_LONGEST_TITLE]
        place += len(line) + 1
