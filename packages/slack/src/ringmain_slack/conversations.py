"""Conversations and people, as Slack describes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ringmain_core.flow import Audience
from ringmain_core.text import clean
from ringmain_slack.settings import Kind

_SEEN: Mapping[Kind, Audience] = {
    "public": "organisation",
    "private": "group",
    "group": "group",
    "dm": "self",
}


@dataclass(frozen=True, slots=True)
class Conversation:
    """A channel, or direct messages of one or several.

    Attributes:
        name: Of a channel; of direct messages a name that Slack has made, or nothing.
        person: Id of the other one, in direct messages.
        is_external: Whether other organisations take part (Slack Connect).
        members: How many, where Slack has said so.
    """

    id: str
    kind: Kind
    name: str
    person: str = ""
    is_member: bool = False
    is_archived: bool = False
    is_external: bool = False
    members: int | None = None

    @property
    def seen_by(self) -> Audience:
        """Who can read what is said there, at least."""
        return _SEEN[self.kind]

    @property
    def reaches(self) -> Audience:
        """Whom what is written there can reach, at most."""
        if self.is_external:
            return "public"
        return "organisation" if self.kind == "public" else "group"


@dataclass(frozen=True, slots=True)
class LastSeen:
    """A conversation as it was seen last by the process itself; `None` where it is not there any more."""

    conversation: Conversation | None
    domain: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """A user or bot.

    Attributes:
        handle: What `@` is written before.
        name: What people see.
        is_gone: Whether the account is deactivated.
    """

    id: str
    handle: str
    name: str
    is_bot: bool = False
    is_gone: bool = False


def conversation_of(told: Mapping[str, Any]) -> Conversation:
    """From Slack's description of it."""
    if told.get("is_im"):
        external = bool(told.get("is_ext_shared"))
        return Conversation(told["id"], "dm", "", told.get("user", ""), is_member=True, is_external=external)
    kind: Kind = "public"
    if told.get("is_mpim"):
        kind = "group"
    elif told.get("is_private") or told.get("is_group"):
        kind = "private"
    return Conversation(
        id=told["id"],
        kind=kind,
        name=one_line(str(told.get("name_normalized") or told.get("name") or "")),
        is_member=bool(told.get("is_member", True)),  # Slack says it, but of those that it lists as joined
        is_archived=bool(told.get("is_archived")),
        is_external=bool(told.get("is_ext_shared")),
        members=told.get("num_members"),
    )


def person_of(told: Mapping[str, Any]) -> Person:
    """From Slack's description of them."""
    profile: Mapping[str, Any] = told.get("profile") or {}
    handle = one_line(str(told.get("name") or told["id"]))
    real = profile.get("real_name") or told.get("real_name")
    name = real or profile.get("display_name") or handle
    is_bot, is_gone = bool(told.get("is_bot")), bool(told.get("deleted"))
    return Person(told["id"], handle, one_line(str(name)), is_bot, is_gone)


def one_line(text: str) -> str:
    """A name, cleaned: it cannot pass for the beginning of another message."""
    return " ".join(clean(text).split())
