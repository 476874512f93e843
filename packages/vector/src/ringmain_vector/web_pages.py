"""Web pages as text: what a person sees of them, its headings as in Markdown."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from html import unescape
from typing import NamedTuple

# What was read is not given back (`*+`): what follows can begin with nothing of it.
_TOKEN = re.compile(r"<!--.*?(?:-->|\Z)|<(/?)([a-zA-Z][^\s/<>]*+)([^<>]*+)>|<[!?/][^<>]*+>", re.DOTALL)
_ATTRIBUTE = re.compile(r"""([^\s=>"'/]++)(?:\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s"'>]++))?""")
_RAW = ("script", "style", "textarea", "title", "noscript", "iframe", "xmp", "noembed", "noframes")
_END_OF_RAW = {tag: re.compile(rf"</{tag}(?=[\s/>])[^>]*+(?:>|\Z)|\Z", re.IGNORECASE) for tag in _RAW}
_SKIPPED = frozenset({"template", "svg", "math", "object", "select", "canvas", "audio", "video"})
_VOID = frozenset({"img", "input", "br", "hr", "meta", "link", "source", "col", "wbr", "embed", "area"})
_NOT_SHOWN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_FLOW = frozenset({"address", "article", "aside", "blockquote", "body", "div", "dl", "figure"})
_MORE = frozenset(
    {"figcaption", "footer", "form", "header", "hr", "main", "nav", "ol", "p", "section", "table", "ul"}
)
_HEADINGS = {f"h{level}": "\n\n" + "#" * level + " " for level in range(1, 7)}
_LINES = {"li": "\n- ", "br": "\n", "tr": "\n", "td": " ", "th": " ", "dt": "\n", "dd": "\n"}
_MARKS = {**_LINES, **_HEADINGS}
_SPACE = re.compile(r"\s+")
_ROWS = frozenset({"tr", "tbody", "thead", "tfoot"})


class _Left(NamedTuple):
    """How an element ends that may be left without an end tag.

    Attributes:
        before: What begins after it.
        within: What ends with it inside, and begins anew inside of it.
        at_end_of: What else ends with it inside.
    """

    before: Collection[str]
    within: Collection[str]
    at_end_of: Collection[str] = ()


_BLOCKS = _FLOW | _MORE | frozenset(_HEADINGS) | {"pre"}
_CELL = _Left({"td", "th"} | _ROWS, {"table"}, _ROWS)
_ENDLESS = {
    "p": _Left(_BLOCKS, (), _BLOCKS | {"li", "td", "th", "dd"}),
    "li": _Left({"li"}, {"ul", "ol", "menu"}),
    "dt": _Left({"dt", "dd"}, {"dl"}),
    "dd": _Left({"dt", "dd"}, {"dl"}),
    "tr": _Left(_ROWS, {"table"}, _ROWS - {"tr"}),
    "td": _CELL,
    "th": _CELL,
}


@dataclass(frozen=True, slots=True)
class WebPage:
    """What is left of a page.

    Attributes:
        title: As it says itself; empty where it does not.
    """

    text: str
    title: str


def web_page(html: str) -> WebPage:
    """Read a page.

    The standard library's parser gives up on some pages, and takes minutes for others of 100 KB. Here
    every step goes on where the last one ended, so that a page takes no longer than its length asks for.
    """
    title = ""
    parts: list[str] = []
    hidden: _Hidden | None = None
    pre = 0
    for tag, is_end, attributes, data in _tokens(html):
        if hidden is not None and not hidden.ends_before(tag, is_end=is_end):
            hidden = None if hidden.ends_with(tag, is_end=is_end) else hidden
            continue
        hidden = None
        if tag == "title":
            title = title or _SPACE.sub(" ", unescape(data)).strip()
        elif tag in _RAW:
            continue
        elif not tag:
            parts.append(unescape(data) if pre else _flowing(unescape(data), after=parts))
        elif not is_end and _hides(tag, attributes):
            hidden = _Hidden(tag)
        elif tag == "pre":
            if pre or not is_end:
                pre += -1 if is_end else 1
                parts.append("\n```\n")
        elif tag in _MARKS and not is_end:
            parts.append(_MARKS[tag])
        elif tag in _FLOW or tag in _MORE or tag in _HEADINGS:
            parts.append("\n\n")
    return WebPage(_tidy("".join(parts)), title)


def _tokens(html: str) -> Iterator[tuple[str, bool, str, str]]:
    """Tags, each with whether it is an end and its attributes, and between them text, with the tag `""`.

    What is inside of elements that hold no elements comes with the start of theirs.
    """
    at = 0
    while (found := _TOKEN.search(html, at)) is not None:
        if found.start() > at:
            yield "", False, "", html[at : found.start()]
        at = found.end()
        tag = (found[2] or "").lower()
        if tag in _RAW and not found[1]:
            end = _END_OF_RAW[tag].search(html, at)
            stop = len(html) if end is None else end.start()
            yield tag, False, found[3], html[at:stop]
            at = len(html) if end is None else end.end()
        elif tag:
            yield tag, bool(found[1]), found[3], ""
    if at < len(html):
        yield "", False, "", html[at:]


class _Hidden:
    """An element that people do not see, while what is inside of it is passed over."""

    def __init__(self, tag: str) -> None:
        self._tag = tag
        self._left = _ENDLESS.get(tag)
        self._depth = 1
        self._within = 0

    def ends_before(self, tag: str, *, is_end: bool) -> bool:
        """Whether it is over without an end of its own; what comes is not in it."""
        if self._left is None or self._within or (is_end and tag == self._tag):
            return False
        return tag in ({*self._left.within, *self._left.at_end_of} if is_end else self._left.before)

    def ends_with(self, tag: str, *, is_end: bool) -> bool:
        """Whether it is over with this, which is its last."""
        step = -1 if is_end else 1
        if self._left is not None and tag in self._left.within:
            self._within += step
        if tag == self._tag and not self._within:
            self._depth += step
        return self._depth == 0


def _hides(tag: str, attributes: str) -> bool:
    if tag in _VOID or attributes.endswith("/"):
        return False
    if tag in _SKIPPED:
        return True
    given = {one[1].lower(): (one[2] or "").strip("\"'") for one in _ATTRIBUTE.finditer(attributes)}
    is_unread = given.get("aria-hidden", "").strip().lower() == "true"
    return "hidden" in given or is_unread or _NOT_SHOWN.search(given.get("style", "")) is not None


def _flowing(text: str, *, after: list[str]) -> str:
    """Text whose spaces are one, and none where a line begins."""
    flat = _SPACE.sub(" ", text)
    return flat.lstrip(" ") if not after or after[-1].endswith((" ", "\n")) else flat


def _tidy(text: str) -> str:
    lines = [line.rstrip() for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
