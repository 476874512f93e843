"""Markdown as Slack's messages: blocks within its limits, and a plain text beside them; nothing is lost."""

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ringmain_slack.incoming import text_of
from ringmain_slack.inline import Element, text_element
from ringmain_slack.markdown import Node
from ringmain_slack.pieces import Piece, Style, pieces_of, size_of

MOST_MESSAGES = 3
"""What needs more is sent as a file."""

_MOST_BLOCKS = 50
_MOST_CHARACTERS = 12_000  # of a message; Slack counts the containers of text, too, and does not say how
_LONGEST_TEXT = 3_000  # of the text beside the blocks
_FRAME = 200  # characters around the content of a piece
_ID = re.compile(r"([@#])([CGSUW][A-Z0-9]{2,20})\b")
_PARAGRAPHS = ("rich_text_section", "rich_text_quote")


@dataclass(slots=True)
class Message:
    """What one message is made of."""

    names: Mapping[str, str]
    blocks: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    size: int = 0

    @property
    def shown(self) -> str:
        """What it will look like, in Markdown."""
        said = text_of({"blocks": self.blocks}, {})
        return _ID.sub(lambda found: f"{found[1]}{self.names.get(found[2], found[2])}", said)

    @property
    def text(self) -> str:
        """For notifications: what the blocks say, escaped, so that nothing in it acts; its beginning."""
        return _fitting(self.shown)

    def takes(self, piece: Piece) -> bool:
        """Add a piece, if there is room for it."""
        begins_block = piece.is_block or not self._in_rich_text
        full = self.size + piece.size + _FRAME * begins_block > _MOST_CHARACTERS
        if self.blocks and (full or (begins_block and len(self.blocks) == _MOST_BLOCKS)):
            return False
        self.size += piece.size + _FRAME * begins_block
        if piece.is_block:
            self.blocks.append(piece.content)
        elif begins_block:
            self.blocks.append({"type": "rich_text", "elements": [piece.content]})
        else:
            _add(self.blocks[-1]["elements"], piece.content)
        return True

    @property
    def _in_rich_text(self) -> bool:
        return bool(self.blocks) and self.blocks[-1]["type"] == "rich_text"


def messages_of(blocks: Sequence[Node], style: Style) -> list[Message]:
    """The messages that a document needs, each within Slack's limits."""
    made = [Message(style.mentions.names)]
    for whole in pieces_of(blocks, style):
        for piece in _parts(whole):
            if not made[-1].takes(piece):
                made.append(Message(style.mentions.names))
                made[-1].takes(piece)
    return [message for message in made if message.blocks]


def _add(elements: list[dict[str, Any]], content: dict[str, Any]) -> None:
    """Paragraphs that follow each other are one, with an empty line between them, as people write them."""
    before = elements[-1]
    if content["type"] in _PARAGRAPHS and before["type"] == content["type"]:
        elements[-1] = {
            **before,
            "elements": [*before["elements"], text_element("\n\n"), *content["elements"]],
        }
    else:
        elements.append(content)


def _parts(piece: Piece) -> Iterator[Piece]:
    """A piece as it is, or in parts that each fit a message."""
    if piece.size <= _MOST_CHARACTERS - _FRAME or piece.is_block:
        yield piece
    elif piece.content["type"] == "rich_text_list":
        yield from _parts_of_list(piece.content)
    else:
        for elements in _portions(piece.content["elements"]):
            yield Piece({**piece.content, "elements": elements})


def _parts_of_list(content: dict[str, Any]) -> Iterator[Piece]:
    """A list in several ones, whose numbers go on; an item too long for a message goes on below it."""
    room = _MOST_CHARACTERS - 2 * _FRAME
    run: list[Element] = []
    begin, used = 0, 0

    def made() -> Piece:
        offset = content.get("offset", 0) + begin
        moved = {"offset": offset} if content["style"] == "ordered" and offset else {}
        return Piece({**content, "elements": run[:], **moved})

    for number, item in enumerate(content["elements"]):
        size = size_of(item)
        if run and used + size > room:
            yield made()
            run, begin, used = [], number, 0
        if size <= room:
            run.append(item)
            used += size
            continue
        first, *more = _portions(item["elements"])
        run.append({**item, "elements": first})
        yield made()
        for elements in more:
            yield Piece({"type": "rich_text_section", "elements": elements})
        run, begin, used = [], number + 1, 0
    if run:
        yield made()


def _portions(elements: Sequence[Element]) -> Iterator[list[Element]]:
    """Elements in portions that fit a message each; texts are parted at ends of lines, or between words."""
    room = _MOST_CHARACTERS - 2 * _FRAME
    portion: list[Element] = []
    used = 0
    for element in elements:
        for part in _cut(element, room):
            size = size_of(part)
            if portion and used + size > room:
                yield portion
                portion, used = [], 0
            portion.append(part)
            used += size
    if portion:
        yield portion


def _cut(element: Element, room: int) -> Iterator[Element]:
    """An element in parts: at an end of a line if there is one, else between words, else anywhere."""
    text: str = element.get("text", "")
    while size_of(element) > room and len(text) > 1:
        most = min(len(text), room)
        while size_of({**element, "text": text[:most]}) > room:
            most = most * 9 // 10
        at = (text.rfind("\n", 0, most) + 1) or (text.rfind(" ", 0, most) + 1) or most
        yield {**element, "text": text[:at]}
        text = text[at:]
        element = {**element, "text": text}
    yield element


def _fitting(text: str) -> str:
    """A text, escaped, as much of it as fits."""
    escaped = html.escape(text, quote=False)
    while len(escaped) > _LONGEST_TEXT:
        text = text[: len(text) * _LONGEST_TEXT // len(escaped) - 1]
        escaped = f"{html.escape(text, quote=False)}…"
    return escaped
