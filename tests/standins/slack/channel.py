"""A conversation: its members and messages, and what tests do with it."""

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from standins.slack.models import Message

if TYPE_CHECKING:
    from standins.slack.team import Team

PREFIXES = {"public": "channels", "private": "groups", "im": "im", "mpim": "mpim"}
TYPES = {"public_channel": "public", "private_channel": "private", "im": "im", "mpim": "mpim"}


@dataclass
class Channel:
    """A conversation.

    Attributes:
        kind: public, private, im or mpim.
        members: Ids of users, in the order of joining.
        last_read: Of each user.
    """

    team: "Team"
    id: str
    name: str
    kind: str
    creator: str
    members: list[str] = field(default_factory=list[str])
    topic: str = ""
    purpose: str = ""
    archived: bool = False
    general: bool = False
    external: bool = False
    canvas: str = ""
    created: int = 1704067200
    pins: list[str] = field(default_factory=list[str])
    bookmarks: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    last_read: dict[str, str] = field(default_factory=dict[str, str])
    messages: dict[str, Message] = field(default_factory=dict[str, Message])
    _order: list[str] = field(default_factory=list[str])
    _threads: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def post(
        self,
        text: str,
        user: str = "",
        *,
        thread_ts: str = "",
        ago: float | None = None,
        ts: str = "",
        **more: Any,
    ) -> Message:
        """Say something, by a user's name or id; `ago` in seconds, where it was in the past."""
        fake = self.team.fake
        when = ts or fake.next_ts(ago)
        author = self.team.known_user(user or self.creator)
        made = Message(when, author.id, text, thread_ts, author.bot_id, **more)
        self.add(made)
        return made

    def reply(self, parent: Message | str, text: str, user: str = "", **more: Any) -> Message:
        of = parent if isinstance(parent, str) else parent.ts
        return self.post(text, user, thread_ts=of, **more)

    def add(self, message: Message, *, tell: bool = True) -> None:
        """Take in a message, and tell who listens."""
        bisect.insort(self._order, message.ts)
        self.messages[message.ts] = message
        if message.thread_ts and message.thread_ts != message.ts:
            bisect.insort(self._threads.setdefault(message.thread_ts, []), message.ts)
        if tell:
            self.team.fake.on_message(self, message)

    def remove(self, ts: str) -> Message:
        message = self.messages.pop(ts)
        self._order.remove(ts)
        if message.thread_ts in self._threads:
            self._threads[message.thread_ts].remove(ts)
        return message

    def timeline(self) -> list[Message]:
        """What the channel shows, the oldest first: no replies but broadcast ones."""
        every = (self.messages[ts] for ts in self._order)
        return [one for one in every if not one.thread_ts or one.thread_ts == one.ts or one.broadcast]

    def replies(self, ts: str) -> list[Message]:
        """Of a thread, without its parent, the oldest first."""
        return [self.messages[one] for one in self._threads.get(ts, ())]

    def everything(self) -> list[Message]:
        return [self.messages[ts] for ts in self._order]

    def join(self, *users: str) -> None:
        for user in users:
            found = self.team.known_user(user).id
            if found not in self.members:
                self.members.append(found)

    def leave(self, user: str) -> None:
        self.members.remove(self.team.known_user(user).id)

    def react(self, message: Message | str, name: str, *users: str) -> None:
        of = self.messages[message] if isinstance(message, str) else message
        of.reactions.setdefault(name, []).extend(self.team.known_user(user).id for user in users)

    def bookmark(self, title: str, link: str) -> None:
        made = {"id": f"Bk{self.team.fake.next_number():08d}", "channel_id": self.id, "title": title}
        self.bookmarks.append(
            made | {"link": link, "emoji": "", "type": "link", "date_created": self.created}
        )

    def texts(self) -> Sequence[str]:
        """Of all its messages and replies, the oldest first: for assertions."""
        return [one.text for one in self.everything()]
