"""What goes into the search index, and what comes out."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose messages these are: a workspace, and the user that a token of it acts as."""

    team: str
    user: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A message as it is kept; moments are microseconds since 1970, 0 for never.

    Attributes:
        thread: First message of the thread that it is a reply in.
        edited: When it was edited; what is older does not replace it.
        text: As a model would read it; empty for what was deleted.
        replies: How many there are to it, the last of them at `latest`; -1 where that was not told.
    """

    ts: int
    thread: int
    author: str
    edited: int
    text: str
    replies: int = -1
    latest: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when a conversation was read without a gap.

    Attributes:
        whole: Whether nothing is older.
        messages: How many are kept, with replies.
        unread: Threads with replies that were not read.
    """

    oldest: int
    newest: int
    whole: bool
    messages: int = 0
    unread: int = 0


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread with replies that were not read; `read` is the last one that was."""

    channel: str
    ts: int
    replies: int
    read: int
    latest: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: an FTS5 expression, or nothing; further conditions where they are not empty."""

    expression: str
    channels: Collection[str]
    authors: Collection[str] = ()
    since: int = 0
    until: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """A message that was found."""

    channel: str
    ts: int
    thread: int
    author: str
    text: str
