"""Conversations, people, messages and moments as agents give them: names, ids, or links from a browser."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import parse_qs, urlsplit

from ringmain_core.errors import InvalidArguments

_ID = re.compile(r"[CDG][A-Z0-9]{7,20}")
_PERSON_ID = re.compile(r"[UW][A-Z0-9]{7,20}")
_TS = re.compile(r"(\d{10})\.?(\d{6})")
_LINK = re.compile(r"/archives/([CDG][A-Z0-9]{7,20})(?:/p(\d{16}))?")
_MENTION = re.compile(r"<[#@]([A-Z0-9]+)(?:\|[^>]*)?>")
_WORKSPACE = re.compile(r"[A-Za-z0-9-]{1,64}")
_NAME = re.compile(r"[^\s/,#@<>]{1,80}")

ChannelRef = str
"""A conversation: `#name`, id, `@person` or link; the connector's instructions say so once."""

Cursor = str | None
"""`next_cursor` of the page before; it belongs to the same arguments."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Where something is said to be.

    Attributes:
        workspace: Its domain, where the text names one.
        id: Of the conversation.
        name: Of the channel, where the text has no id.
        person: Whose direct messages, where the text is `@somebody`: an id, handle, name or e-mail address.
        ts: Of a message, where the text is a link to one.
        thread_ts: Of its thread.
    """

    workspace: str | None = None
    id: str | None = None
    name: str | None = None
    person: str | None = None
    ts: str | None = None
    thread_ts: str | None = None


def parse_reference(text: str) -> Reference:
    """A conversation, or a message in one.

    Raises:
        InvalidArguments: Where the text can be none.
    """
    text = text.strip()
    if "://" in text:
        return _from_link(text)
    if mention := _MENTION.fullmatch(text):
        text = mention[1]
    workspace, slash, rest = text.rpartition("/")
    if slash and not _WORKSPACE.fullmatch(workspace):
        raise _unreadable()
    if rest.startswith("@") and len(rest) > 1:
        return Reference(workspace or None, person=rest[1:])
    if _PERSON_ID.fullmatch(rest):
        return Reference(workspace or None, person=rest)
    if _ID.fullmatch(rest):
        return Reference(workspace or None, id=rest)
    name = rest.removeprefix("#")
    if not _NAME.fullmatch(name):
        raise _unreadable()
    return Reference(workspace or None, name=name.lower())


def _from_link(text: str) -> Reference:
    try:
        parts = urlsplit(text)
    except ValueError:
        raise _unreadable() from None
    found = _LINK.search(parts.path)
    if found is None:
        raise _unreadable()
    thread = parse_qs(parts.query).get("thread_ts", [""])[0]
    host = parts.hostname or ""
    return Reference(
        workspace=None if host.startswith("app.") else host.partition(".")[0] or None,
        id=found[1],
        ts=f"{found[2][:10]}.{found[2][10:]}" if found[2] else None,
        thread_ts=thread if _TS.fullmatch(thread) else None,
    )


def _unreadable() -> InvalidArguments:
    return InvalidArguments(
        "Name a conversation as `#general` or `@person`, by its id (`C…`), or by its link."
    )


def is_person_id(text: str) -> bool:
    """Whether a text can be a user's id."""
    return _PERSON_ID.fullmatch(text) is not None


def parse_ts(text: str) -> str:
    """The timestamp that names a message, from itself or from a link to the message.

    Raises:
        InvalidArguments: Where it is neither.
    """
    if "://" in text:
        linked = _from_link(text).ts
        if linked is not None:
            return linked
    found = _TS.fullmatch(text.strip().removeprefix("p"))
    if found is None:
        raise InvalidArguments("Give a message's `ts` like `1700000000.000100`, or a link to the message.")
    return f"{found[1]}.{found[2]}"


def moment(text: str) -> str:
    """A time as Slack compares it: seconds since 1970, from ISO 8601 (UTC unless told) or a `ts`.

    Raises:
        InvalidArguments: Where it is neither.
    """
    if _TS.fullmatch(text):
        return parse_ts(text)
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidArguments(
            f"`{text[:40]}` is no time: write 2026-11-27, 2026-11-27T14:30 or a message's ts."
        ) from None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return f"{when.timestamp():.6f}"


def micros(ts: str) -> int:
    """A `ts` as a number: microseconds since 1970."""
    seconds, _, fraction = ts.partition(".")
    return int(seconds or 0) * 1_000_000 + int(fraction[:6].ljust(6, "0"))


def ts_of(moment: int) -> str:
    """The `ts` of microseconds since 1970."""
    return f"{moment // 1_000_000}.{moment % 1_000_000:06d}"


def when(ts: str) -> str:
    """The time of a message for people: UTC, to the minute."""
    return _minute(int(float(ts)) // 60)


@lru_cache(maxsize=4_096)
def _minute(number: int) -> str:
    return datetime.fromtimestamp(60 * number, UTC).strftime("%Y-%m-%d %H:%M")
