"""What of a page is passed over: elements that a person does not see, from their beginning to their end."""

from collections import Counter
from collections.abc import Mapping

_TABLE = frozenset({"table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption"})
_LIST = frozenset({"ul", "ol", "li", "dl", "dt", "dd"})
_FLOW = frozenset(
    {"address", "article", "aside", "blockquote", "body", "center", "div", "figcaption", "figure"}
)
_MORE = frozenset({"footer", "form", "header", "hr", "html", "legend", "main", "nav", "p", "pre", "section"})
BLOCKS = _TABLE | _LIST | _FLOW | _MORE
HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
VOID = frozenset({"img", "input", "br", "hr", "meta", "link", "source", "col", "wbr", "embed"})

_GROUPS = frozenset({"thead", "tbody", "tfoot"})
_ENDED_BY: Mapping[str, frozenset[str]] = {  # the ends of these need not be written
    "p": BLOCKS | HEADINGS.keys(),
    "li": frozenset({"li"}),
    "dt": frozenset({"dt", "dd"}),
    "dd": frozenset({"dt", "dd"}),
    "td": frozenset({"td", "th", "tr"}) | _GROUPS,
    "th": frozenset({"td", "th", "tr"}) | _GROUPS,
    "tr": frozenset({"tr"}) | _GROUPS,
}


class Hidden:
    """An element that is passed over, with those in it that are open."""

    def __init__(self, tag: str) -> None:
        self._open = [tag]
        self._count = Counter(self._open)

    def ends_before(self, tag: str) -> bool:
        """Take the beginning of another element; whether that is one behind this one."""
        while self._open and tag in _ENDED_BY.get(self._open[-1], ()):
            self._close()
        if self._open and tag not in VOID:
            self._open.append(tag)
            self._count[tag] += 1
        return not self._open

    def ends_with(self, tag: str) -> bool:
        """Take the end of an element; whether this one is over."""
        while self._count[tag] and self._close() != tag:
            pass
        return not self._open

    def is_left_by(self, tag: str) -> bool:
        """Whether the end of an element means one around this one, whose own end is not written."""
        around = tag in BLOCKS and tag != "p"  # of which stray ends are common
        return around and self._open[0] in _ENDED_BY and not self._count[tag]

    def _close(self) -> str:
        tag = self._open.pop()
        self._count[tag] -= 1
        return tag
