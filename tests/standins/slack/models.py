"""What a Slack is made of: teams, users, messages, files, tokens. Channels are in `channel.py`."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class User:
    """Attributes: bot_id: Of the bot whose user this is; empty for people."""

    id: str
    name: str
    real_name: str
    team: str
    email: str = ""
    bot_id: str = ""
    deleted: bool = False
    title: str = ""
    locale: str = "en-GB"


@dataclass
class Message:
    """A message.

    Attributes:
        thread_ts: Of its parent, for a reply.
        extra: Fields that are shown as they are (`subtype`, `attachments`, …).
        unfurl: `unfurl_links` and `unfurl_media` as they were asked for; `None` where not.
        markdown: As it was sent in `markdown_text`.
        broadcast: A reply that is also shown in the channel.
    """

    ts: str
    user: str
    text: str
    thread_ts: str = ""
    bot_id: str = ""
    blocks: list[Any] = field(default_factory=list[Any])
    files: list[str] = field(default_factory=list[str])
    reactions: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    metadata: dict[str, Any] | None = None
    edited: dict[str, str] | None = None
    client_msg_id: str = ""
    markdown: str = ""
    broadcast: bool = False
    unfurl: tuple[bool | None, bool | None] = (None, None)
    extra: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass
class File:
    """A file or a canvas (`filetype` quip): a canvas's content is its sections, joined.

    Attributes:
        channels: Where it is shared.
        access: Of a canvas, by user or channel: read, write, owner.
        sections: Of a canvas: id -> Markdown.
        shared: False from `files.getUploadURLExternal` to `files.completeUploadExternal`.
    """

    id: str
    name: str
    title: str
    user: str
    team: str
    content: bytes = b""
    mimetype: str = "text/plain"
    filetype: str = "text"
    created: int = 0
    channels: list[str] = field(default_factory=list[str])
    access: dict[str, str] = field(default_factory=dict[str, str])
    sections: dict[str, str] = field(default_factory=dict[str, str])
    shared: bool = True
    length: int = 0
    alt_txt: str = ""

    @property
    def is_canvas(self) -> bool:
        return self.filetype == "quip"

    @property
    def markdown(self) -> str:
        return "\n\n".join(self.sections.values())


@dataclass
class Scheduled:
    id: str
    channel: str
    user: str
    post_at: int
    created: int
    text: str
    message: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass
class UserGroup:
    id: str
    handle: str
    name: str
    users: list[str]
    disabled: bool = False
    description: str = ""


@dataclass
class Token:
    """A token.

    Attributes:
        kind: xoxb (bot), xoxp (user), xapp (app, for Socket Mode); `rotating` ones begin with xoxe.
        expires: When it ends; 0 for never.
        refresh: The refresh token that renews it.
    """

    label: str
    kind: str
    user: str
    team: str
    scopes: tuple[str, ...]
    value: str
    revoked: bool = False
    expires: float = 0.0
    refresh: str = ""

    @property
    def is_bot(self) -> bool:
        return self.kind == "xoxb"

    @property
    def expired(self) -> bool:
        return bool(self.expires) and time.time() >= self.expires


def secret(*of: object) -> str:
    """The same text for the same words."""
    return hashlib.sha256(" ".join(str(one) for one in of).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Recorded:
    """A request that came.

    Attributes:
        method: Of the Web API, or `upload` and `download` for those of files.
        token: The label of the token; empty for none or an unknown one.
        status: Of the answer; 0 where there was none.
        error: Of the answer, where it was not ok.
    """

    method: str
    arguments: Mapping[str, Any]
    token: str
    status: int
    error: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
