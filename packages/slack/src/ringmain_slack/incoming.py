"""What people have written, as Markdown for a model: Slack's own markup undone, ids replaced by names."""

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from ringmain_core.text import prose
from ringmain_slack.conversations import Person, one_line

NOISE = frozenset(
    {"channel_join", "channel_leave", "group_join", "group_leave", "tombstone", "bot_add", "bot_remove"}
)
"""Kinds of message that nobody has said."""

_BROADCASTS = {"here", "channel", "everyone", "group"}
_PERSON = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
_SCHEMES = ("http://", "https://", "mailto:", "tel:")
_TEXTS = ("pretext", "title", "text")


def people_in(message: Mapping[str, Any], raw: str | None = None) -> Iterator[str]:
    """Ids of whoever a message is from, or names; `raw` is what it says, where that is known."""
    if "user" in message:
        yield message["user"]
    raw = raw_of(message) if raw is None else raw
    if "<@" in raw:
        yield from _PERSON.findall(raw)


def author_of(message: Mapping[str, Any], people: Mapping[str, Person]) -> str:
    """The name of whoever wrote a message."""
    name = str(message.get("user", ""))
    if name in people:
        return people[name].name
    profile: Mapping[str, Any] = message.get("bot_profile") or {}
    return one_line(str(message.get("username") or profile.get("name") or name or "somebody"))


def text_of(message: Mapping[str, Any], people: Mapping[str, Person], raw: str | None = None) -> str:
    """The text of a message, cleaned: nothing in it loads by itself, and people are named."""
    text = prose(_unescaped(raw_of(message) if raw is None else raw, people))
    return (text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text).strip()


def plain(text: str, people: Mapping[str, Person]) -> str:
    """A text with Slack's markup, such as a topic, on one line."""
    return " ".join(prose(_unescaped(text, people)).split())


def subject_of(told: Mapping[str, Any], name: str) -> str:
    """The `topic` or `purpose` of a channel, on one line."""
    said: Mapping[str, Any] = told.get(name) or {}
    return plain(str(said.get("value") or ""), {})


def raw_of(message: Mapping[str, Any]) -> str:
    """Everything that a message says, in Slack's markup."""
    text = str(message.get("text") or "")
    if text and not text.isspace() and not message.get("attachments") and not message.get("bot_id"):
        return text
    said = [text]
    # Beside an app's blocks, which are what people see, the text is only for notifications.
    if message.get("bot_id") or not said[0].strip():
        said = list(_of_blocks(message.get("blocks") or ())) or said
    for attachment in message.get("attachments") or ():
        lines = list(_of_attachment(attachment)) or [str(attachment.get("fallback") or "")]
        said += [f"> {line}" for line in "\n".join(lines).split("\n") if line.strip()]
    return "\n".join(line for line in said if line)


def _of_attachment(attachment: Mapping[str, Any]) -> Iterator[str]:
    yield from (str(attachment[name]) for name in _TEXTS if attachment.get(name))
    yield from _of_blocks(attachment.get("blocks") or ())
    for one in attachment.get("fields") or ():
        yield ": ".join(str(one[name]) for name in ("title", "value") if one.get(name))


def _of_blocks(blocks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The texts of blocks, where a message has no text beside them."""
    for block in blocks:
        kind = block.get("type")
        if kind == "rich_text":
            yield from _rich(block.get("elements") or ())
        elif kind == "image":
            yield f"![{block.get('alt_text', '')}]({block.get('image_url', 'in Slack')})"
        elif kind == "table":
            for row in block.get("rows") or ():
                yield " | ".join(_cell(cell) for cell in row)
        else:
            for part in (block.get("text"), *(block.get("fields") or ()), *(block.get("elements") or ())):
                said = cast("Mapping[str, Any]", part).get("text") if isinstance(part, Mapping) else part
                if isinstance(said, str) and said:
                    yield said


def _cell(cell: Mapping[str, Any]) -> str:
    return str(cell.get("text", "")) if cell.get("type") == "raw_text" else " ".join(_of_blocks([cell]))


def _rich(elements: Sequence[Mapping[str, Any]], indent: int = 0) -> Iterator[str]:
    for element in elements:
        inner: Sequence[Mapping[str, Any]] = element.get("elements") or ()
        match element.get("type"):
            case "rich_text_list":
                ordered = element.get("style") == "ordered"
                depth = int(element.get("indent", indent))
                for number, item in enumerate(inner, start=1 + int(element.get("offset", 0))):
                    mark = f"{number}." if ordered else "-"
                    yield f"{'  ' * depth}{mark} {_line(item.get('elements') or ())}"
            case "rich_text_preformatted":
                yield f"```\n{_line(inner)}\n```"
            case "rich_text_quote":
                yield "\n".join(f"> {line}" for line in _line(inner).split("\n"))
            case _:
                yield _line(inner)


def _line(elements: Sequence[Mapping[str, Any]]) -> str:
    made: list[str] = []
    for element in elements:
        match element.get("type"):
            case "link":
                label = html.escape(str(element.get("text") or element.get("url", "")), quote=False)
                made.append(f"<{element.get('url', '')}|{label}>")
            case "user":
                made.append(f"<@{element.get('user_id', '')}>")
            case "channel":
                made.append(f"<#{element.get('channel_id', '')}>")
            case "usergroup":
                made.append(f"<!subteam^{element.get('usergroup_id', '')}>")
            case "broadcast":
                made.append(f"<!{element.get('range', 'channel')}>")
            case "emoji":
                made.append(f":{element.get('name', '')}:")
            case _:
                made.append(html.escape(str(element.get("text", "")), quote=False))
    return "".join(made)


def _unescaped(text: str, people: Mapping[str, Person]) -> str:
    # Most of what reading a channel costs: in one loop, and the commonest markup first.
    if "<" in text:
        before, *marked = text.split("<")
        made = [before]
        for one in marked:
            inner, closed, behind = one.partition(">")
            target, _, label = inner.partition("|")
            if not closed or "\n" in inner:
                shown = None
            elif target.startswith("@"):
                person = people.get(target[1:])
                shown = f"@{person.name if person else label or target[1:]}"
            elif target.startswith(_SCHEMES):
                bare = target if target[0] == "h" else target.partition(":")[2]
                shown = bare if label in ("", target, bare) else f"[{label}]({target})"
            else:
                shown = _special(target, label)
            made.append(f"<{one}" if shown is None else f"{shown}{behind}")
        text = "".join(made)
    return html.unescape(text) if "&" in text else text


def _special(target: str, label: str) -> str | None:
    """Markup for channels, groups and dates; `None` for what is none."""
    kind, name = target[:1], target[1:]
    if kind == "#":
        return f"#{label or name}"
    if kind != "!":
        return None
    whom, _, id_ = name.partition("^")
    if whom in _BROADCASTS:
        return f"@{whom}"
    if whom == "subteam":
        return label or f"@{id_}"
    return label or name  # a date has its text as label
