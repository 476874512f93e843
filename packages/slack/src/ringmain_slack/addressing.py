"""Where something may be written: found, open, and with its thread, before anything is sent."""

from dataclasses import replace
from typing import Any

from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, NotFound, UpstreamRefused
from ringmain_slack.api import Slack
from ringmain_slack.conversations import Conversation, Person, conversation_of
from ringmain_slack.references import is_person_id, parse_reference, parse_ts
from ringmain_slack.workspace import Place, Workspace


async def addressee(slack: Slack, call: Call, channel: str) -> Place:
    """A conversation to write in; as `Slack.place`, but direct messages need not be there yet.

    What is not there yet has no id: `opened` opens it.
    """
    reference = parse_reference(channel)
    if reference.person is None:
        return await slack.place_of(call, reference)
    at = await slack.workspace(call, reference.workspace)
    try:
        person = await somebody(at, reference.person)
    except NotFound:
        return await slack.place_of(call, reference)  # which says it like any other refusal
    there = await at.directory.direct(at, person.id)
    wanted = Conversation("", "dm", "", person.id, is_member=True)
    if there is not None or not slack.admits(
        call.fence("channel"), at.about.domain, wanted, f"@{person.handle}"
    ):
        return await slack.place_of(call, reference)
    return Place(at, wanted, f"@{person.handle}")


async def somebody(at: Workspace, text: str) -> Person:
    """Somebody by id, handle, name or e-mail address, with or without `@` before it.

    Raises:
        NotFound: Where there is nobody, or more than one.
        UpstreamUnavailable: Where Slack's limit ends the search.
    """
    name = text.removeprefix("@")
    return await (at.directory.person(at, name) if is_person_id(name) else at.directory.called(at, name))


async def opened(place: Place) -> Place:
    """The place, whose direct messages are opened if they are not there yet."""
    if place.id:
        return place
    at = place.workspace
    answer = await at.post(
        "conversations.open", idempotent=True, users=[place.conversation.person], return_im=True
    )
    found = conversation_of({**answer["channel"], "is_im": True})
    at.directory.saw(found)
    return replace(place, conversation=found)


def opening(place: Place) -> list[dict[str, Any]]:
    """What `opened` asks Slack for, as a rehearsal shows it."""
    return [] if place.id else [{"conversations.open": {"users": place.conversation.person}}]


def require_open(place: Place, *, joined: bool = True) -> None:
    """Refuse what Slack would not take: an archived channel, or one that must be joined first.

    Raises:
        UpstreamRefused: With what to do about it.
    """
    one = place.conversation
    if one.is_archived:
        raise UpstreamRefused(f"{place.title} is archived: nothing can be written there.")
    if joined and not one.is_member:
        how = "`manage_channel` with action=join does that." if one.kind == "public" else "Ask to be invited."
        raise UpstreamRefused(f"You are not in {place.title}: nothing can be written there. {how}")


def may_post_unjoined(place: Place) -> bool:
    """Whether the token may post in public channels that it has not joined."""
    return place.conversation.kind == "public" and "chat:write.public" in place.workspace.about.scopes


async def thread_of(place: Place, thread: str) -> str:
    """The `ts` that replies in a thread carry, from that of any message in it, or a link to one.

    Raises:
        InvalidArguments: Where a link leads to another conversation.
        NotFound: Where there is no such message.
    """
    if "://" in thread:
        reference = parse_reference(thread)
        if reference.id != place.id:
            raise InvalidArguments(f"That thread is not in {place.title}: it is in {reference.id}.")
        thread = reference.thread_ts or thread
    ts = parse_ts(thread)
    if not place.id:
        raise NotFound(f"There are no direct messages with {place.title} yet, and so no threads.")
    answer = await place.workspace.get("conversations.replies", channel=place.id, ts=ts, limit=1)
    first = answer["messages"][0]
    return str(first.get("thread_ts") or first["ts"])


def link_to(place: Place, ts: str, thread: str | None = None) -> str:
    """A link to a message, made of what is known: asking for it could fail, after the message was sent."""
    link = f"{place.workspace.about.url}archives/{place.id}/p{ts.replace('.', '')}"
    return f"{link}?thread_ts={thread}&cid={place.id}" if thread else link


def shown(place: Place) -> str:
    """The place for a person who has to decide: with what others might read there."""
    connected = " (Slack Connect: other organisations read it)" if place.conversation.is_external else ""
    return f"{place.title}{connected}"
