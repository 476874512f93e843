"""What stands in a paragraph, as elements of rich text: styles, links, emoji, mentions."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from ringmain_slack.markdown import ADDRESS, Node, bare
from ringmain_slack.mentions import NAMED, Mentions

Element = dict[str, Any]

_STYLES = ("bold", "italic", "strike", "code")
_LINKS = ("http://", "https://", "mailto:", "tel:")
_LONGEST_URL = 3_000
_EMOJI = r"(?<![\w:]):(?P<emoji>(?=[\d_'-]*[a-z+]|-1)[a-z0-9_+'-]+):(?![\w:])"
_SPECIAL = re.compile(f"(?P<url>{ADDRESS.pattern})|{_EMOJI}|{NAMED.pattern}")


def elements_of(nodes: Iterable[Node], mentions: Mentions, styles: tuple[str, ...] = ()) -> list[Element]:
    """Elements of rich text for a paragraph's content; neighbours of the same style are one."""
    made: list[Element] = []
    for element in _elements(nodes, mentions, styles):
        before = made[-1] if made else None
        alike = before is not None and before["type"] == element["type"] == "text"
        if before is not None and alike and before.get("style") == element.get("style"):
            before["text"] += element["text"]
        else:
            made.append(element)
    return made


def text_element(text: str, styles: Iterable[str] = ()) -> Element:
    """A text, which is never empty, in these styles."""
    return _styled({"type": "text", "text": text}, styles)


def _elements(nodes: Iterable[Node], mentions: Mentions, styles: tuple[str, ...]) -> Iterator[Element]:
    for node in nodes:
        match node.kind:
            case "text":
                yield from _text(node.text, mentions, styles)
            case "break":
                yield text_element("\n", styles)
            case "code":
                yield text_element(node.text, (*styles, "code"))
            case "link":
                yield from _link(node.url, node.words(), mentions, (*styles, *_styles_of(node)))
            case style:
                yield from _elements(node.children, mentions, (*styles, style))


def _text(text: str, mentions: Mentions, styles: tuple[str, ...]) -> Iterator[Element]:
    """A text with the links, emoji and mentions in it, which rich text does not see by itself."""
    at = 0
    for found in _SPECIAL.finditer(text):
        end = found.end()
        if url := found["url"]:
            address = bare(url)
            end -= len(url) - len(address)
            fits = len(address) <= _LONGEST_URL
            element = _styled({"type": "link", "url": address}, styles) if fits else None
        elif found["emoji"]:
            element = {"type": "emoji", "name": found["emoji"]}
        else:
            element = mentions.element(found)
            element = None if element is None else _styled(element, styles)
        if element is None:
            continue
        if found.start() > at:
            yield text_element(text[at : found.start()], styles)
        yield element
        at = end
    if at < len(text):
        yield text_element(text[at:], styles)


def _link(url: str, label: str, mentions: Mentions, styles: tuple[str, ...]) -> Iterator[Element]:
    if url.startswith(_LINKS) and len(url) <= _LONGEST_URL:
        shown = {} if label in ("", url) else {"text": label}
        yield _styled({"type": "link", "url": url, **shown}, styles)
    elif label in ("", url):
        yield from _text(url, mentions, styles)
    else:  # Slack takes no other addresses
        yield from _text(f"{label} ({url})", mentions, styles)


def _styles_of(link: Node) -> tuple[str, ...]:
    """The styles that the whole label of a link has: it can have no others."""
    made: list[str] = []
    node = link
    while len(node.children) == 1:
        node = node.children[0]
        if node.kind in _STYLES:
            made.append(node.kind)
    return tuple(made)


def _styled(element: Element, styles: Iterable[str]) -> Element:
    worn = set(styles)
    style = {name: True for name in _STYLES if name in worn}
    return {**element, "style": style} if style else element
