"""A text on its way to Slack: what it becomes, whom it notifies, and what a rehearsal shows of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import anyio.to_thread

from ringmain_core.answers import size_of
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments
from ringmain_slack.api import Slack
from ringmain_slack.markdown import Node, parse
from ringmain_slack.mentions import Mentions, mentions_in
from ringmain_slack.outgoing import MOST_MESSAGES, Message, messages_of
from ringmain_slack.pieces import Style
from ringmain_slack.workspace import Place

T = TypeVar("T")
MOST_TEXT = 1_000_000  # bytes
_SURELY_A_FILE = 50_000  # characters that are no space: more than messages take, however they are formed
_LONGEST_READ = 200_000  # characters of any kind
_IN_PASSING = 4_000  # characters: longer texts are read in a thread, for others not to wait meanwhile
_LONGEST_COMMENT = 500  # characters of a file that stand beside it
_APART = "\n\n— next message, in the thread —\n\n"


@dataclass(frozen=True, slots=True)
class Draft:
    """A text as messages.

    Attributes:
        blocks: Of its Markdown.
        messages: None where it is seen at once that it is more than messages are for.
    """

    source: str
    blocks: Sequence[Node] = ()
    mentions: Mentions = field(default_factory=Mentions)
    messages: Sequence[Message] = ()

    @property
    def needs_file(self) -> bool:
        """Whether it is more than messages are for."""
        return not 0 < len(self.messages) <= MOST_MESSAGES

    @property
    def beginning(self) -> str:
        """Its first lines, for beside the file."""
        lines = self.source.strip().split("\n")
        kept = lines[0][:_LONGEST_COMMENT]
        for line in lines[1:]:
            if len(kept) + len(line) >= _LONGEST_COMMENT:
                break
            kept = f"{kept}\n{line}"
        return kept

    @property
    def unknown(self) -> list[str]:
        """What looks like a mention and is none, as whoever has sent it should know."""
        if not self.mentions.unknown:
            return []
        names = ", ".join(self.mentions.unknown[:20])
        return [f"these stay text: {names} (not found, or needs notify; ids as <@U…>, <#C…> are looked up)"]

    def warnings(self, place: Place) -> list[str]:
        """What whoever sends it should know."""
        elements = [element for message in self.messages for element in _elements(message.blocks)]
        people = {each["user_id"]: None for each in elements if each.get("type") == "user"}
        groups = {each["usergroup_id"]: None for each in elements if each.get("type") == "usergroup"}
        notified = [f"@{self.mentions.names.get(name, name)}" for name in (*people, *groups)]
        made = [f"{', '.join(notified)} will be notified"] if notified else []
        if any(each.get("type") == "broadcast" for each in elements):
            of = place.conversation.members
            made.append(f"everybody in {place.title}{f' ({of:,})' if of else ''} will be notified")
        made += self.unknown
        tables = sum(node.kind == "table" for block in self.blocks for node in block.walk())
        as_text = tables - sum(block["type"] == "table" for each in self.messages for block in each.blocks)
        if as_text:
            made.append(f"{as_text} of {tables} tables become aligned text: Slack shows one in a message")
        if len(self.messages) > 1:
            made.append(f"it takes {len(self.messages)} messages; what follows the first is in its thread")
        if place.conversation.is_external:
            made.append(f"{place.title} is shared with other organisations (Slack Connect)")
        return made

    def preview(self, call: Call) -> str:
        """How it will look, as much of it as an answer has room for."""
        if self.needs_file:
            return excerpt(self.source, call.room // 2)
        return excerpt(_APART.join(message.shown for message in self.messages), call.room // 2)


async def draft_of(
    slack: Slack, call: Call, place: Place, text: str, *, notify: bool = False, only_rich: bool = False
) -> Draft:
    """What a text becomes.

    Args:
        slack: Knows the fences.
        call: Whose fence decides which channels may be named.
        place: Where it goes.
        text: Markdown.
        notify: Whether whole channels and groups may be notified.
        only_rich: Whether it has to be rich text alone, as beside files.

    Raises:
        InvalidArguments: Where there is nothing in it, or far too much.
    """
    if len(text.encode(errors="replace")) > MOST_TEXT:
        raise InvalidArguments(f"The text has more than {MOST_TEXT:,} bytes.")
    if len(text) > _LONGEST_READ or len("".join(text.split())) > _SURELY_A_FILE:
        return Draft(text)
    blocks = await _aside(text, lambda: parse(text))
    mentions = await mentions_in(slack, call, place.workspace, blocks, notify=notify)
    messages = await _aside(text, lambda: messages_of(blocks, Style(mentions, only_rich=only_rich)))
    if not messages:
        raise InvalidArguments("There is nothing in `text` that could be seen.")
    return Draft(text, blocks, mentions, messages)


def one_message(draft: Draft, what: str) -> Message:
    """The draft's only message.

    Raises:
        InvalidArguments: Where it takes more.
    """
    if draft.needs_file or len(draft.messages) > 1:
        takes = str(len(draft.messages)) if draft.messages else "more"
        raise InvalidArguments(
            f"{what} has to fit one message, of about 12,000 characters; this takes {takes}."
        )
    return draft.messages[0]


async def _aside(text: str, work: Callable[[], T]) -> T:
    return work() if len(text) <= _IN_PASSING else await anyio.to_thread.run_sync(work)


def request_of(call: Call, method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """A request as a rehearsal shows it; blocks for which there is no room are counted."""
    given = {name: value for name, value in arguments.items() if value is not None}
    if "blocks" in given and size_of(given) > call.room // 4:
        given["blocks"] = f"<{len(given['blocks'])} blocks, as previewed>"
    return {method: given}


def excerpt(text: str, most: int = 2_000) -> str:
    """A text as a rehearsal or a question repeats it."""
    if len(text) <= most:
        return text
    return f"{text[:most]}… (and {len(text) - most:,} characters more)"


def _elements(value: Any) -> list[dict[str, Any]]:
    """Every object in some blocks."""
    if isinstance(value, list):
        return [each for item in value for each in _elements(item)]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(value, dict):
        return []
    return [value, *(each for item in value.values() for each in _elements(item))]  # pyright: ignore[reportUnknownVariableType]
