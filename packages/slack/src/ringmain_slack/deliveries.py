"""Messages that are sent once: each carries a mark by which it is found where the answer got lost."""

import hashlib
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ringmain_core.call import Call
from ringmain_core.errors import OutcomeUnknown, ToolFailure
from ringmain_core.steps import sent_or_found
from ringmain_slack.directory import next_cursor
from ringmain_slack.outgoing import Message
from ringmain_slack.workspace import Place

_EVENT = "ringmain_message"
_PAGE, _MOST_PAGES = 200, 10
_CLOCKS_DIFFER = 3_600.0  # seconds by which ours may be ahead of Slack's, or behind
_KEYS_HOLD = 24 * 3_600.0  # seconds for which an `idempotency_key` names one call


@dataclass(frozen=True, slots=True)
class Delivery:
    """Messages, and where they go: the first one in the conversation, the others in its thread.

    Attributes:
        mark: Names the delivery in the metadata of its messages.
        thread: Of the thread that all of them go to, where it is there already.
        broadcast: Whether the first reply is shown in the channel, too.
        keyed: Whether another try with the same key finds what is there.
        post_at: When it is posted, in seconds since 1970; at once if that is left out.
    """

    place: Place
    parts: int
    mark: str
    thread: str | None = None
    messages: Sequence[Message] = ()
    broadcast: bool = False
    keyed: bool = False
    post_at: int | None = None

    @property
    def method(self) -> str:
        """What it is sent by."""
        return "chat.postMessage" if self.post_at is None else "chat.scheduleMessage"

    def arguments(self, part: int, thread: str | None) -> dict[str, Any]:
        """What a part is sent with. Nothing unfurls: an address alone must not make Slack fetch it.

        Slack never posts a scheduled message that has metadata.
        """
        message = self.messages[part]
        given = {
            "channel": self.place.id or self.place.conversation.person,
            "text": message.text,
            "blocks": message.blocks,
            "thread_ts": thread,
            "reply_broadcast": True if self.broadcast and part == 0 else None,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        if self.post_at is not None:
            return given | {"post_at": self.post_at}
        return given | {
            "metadata": {"event_type": _EVENT, "event_payload": {"mark": self.mark, "part": part}}
        }


def mark_for(call: Call, key: str | None, text: str, thread: str | None) -> str:
    """A mark for this call's messages: with a key the same in every try, so that none is sent again.

    Another text or thread has another mark: a key may name another call after a day.
    """
    if key is None:
        return secrets.token_hex(12)
    named = json.dumps([call.connector, call.principal.owner, call.target, key, text, thread])
    return hashlib.sha256(named.encode()).hexdigest()[:24]


def looked_from() -> float:
    """Since when messages of a delivery that begins now have to be looked for."""
    return time.time() - _CLOCKS_DIFFER


async def deliver(delivery: Delivery, *, tried_before: bool) -> list[str]:
    """Send what has not arrived yet; returns the `ts` of every part.

    Args:
        delivery: What goes where.
        tried_before: Whether some of it may be there from an earlier try.

    Raises:
        ToolFailure: Of the part that failed; it says which ones are there.
    """
    since = looked_from()
    there, _ = await arrived(delivery, since - _KEYS_HOLD) if tried_before else ({}, True)
    sent: list[str] = []
    for part in range(delivery.parts):
        thread = delivery.thread or (sent[0] if sent else None)
        try:
            sent.append(there.get(part) or await _sent(replace(delivery, thread=thread), part, since))
        except ToolFailure as error:
            if delivery.parts > 1:
                error.message = f"{error.message} {_so_far(delivery, sent)}"
            raise
    return sent


async def arrived(delivery: Delivery, since: float) -> tuple[dict[int, str], bool]:
    """Which parts are there, by their number, and whether all was looked through.

    Args:
        delivery: Of which.
        since: Seconds since 1970, from when on to look.
    """
    if delivery.thread is not None:
        return await _marked(delivery, "conversations.replies", since, ts=delivery.thread)
    latest = f"{time.time() + _CLOCKS_DIFFER:.6f}"  # without one, the oldest may come first
    there, complete = await _marked(delivery, "conversations.history", since, latest=latest)
    if 0 in there and delivery.parts > 1:
        replies, all_of_them = await _marked(delivery, "conversations.replies", since, ts=there[0])
        return replies | there, complete and all_of_them
    return there, complete


async def _sent(delivery: Delivery, part: int, since: float) -> str:
    async def send() -> str:
        arguments = delivery.arguments(part, delivery.thread)
        return str((await delivery.place.workspace.post(delivery.method, **arguments))["ts"])

    async def look() -> str | None:
        there, _ = await arrived(delivery, since)
        return there.get(part)

    return await sent_or_found(send, look)


async def _marked(
    delivery: Delivery, method: str, since: float, **arguments: Any
) -> tuple[dict[int, str], bool]:
    at = delivery.place.workspace
    found: dict[int, str] = {}
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        page = await at.get(
            method,
            channel=delivery.place.id,
            oldest=f"{since:.6f}",
            include_all_metadata=True,
            limit=_PAGE,
            cursor=cursor,
            **arguments,
        )
        for message in page["messages"]:
            part = _part_of(message, delivery.mark, at.about.user)
            if part is not None:
                found[part] = str(message["ts"])
        cursor = next_cursor(page) or None
        if cursor is None or len(found) == delivery.parts:
            return found, True
    return found, False


def _part_of(message: Mapping[str, Any], mark: str, user: str) -> int | None:
    told: Mapping[str, Any] = message.get("metadata") or {}
    payload: Mapping[str, Any] = told.get("event_payload") or {}
    ours = told.get("event_type") == _EVENT and message.get("user") == user
    return int(payload.get("part", 0)) if ours and payload.get("mark") == mark else None


def _so_far(delivery: Delivery, sent: Sequence[str]) -> str:
    there = (
        f"Posted: {len(sent)} of {delivery.parts} messages ({', '.join(sent)})."
        if sent
        else "Nothing was posted before."
    )
    rest = f"Not posted, or not known: {'the rest' if sent else 'all'}."
    further = (
        "The same `idempotency_key` sends only what is missing."
        if delivery.keyed
        else "Do not send all of it again: look in the channel, and send what is missing."
    )
    return f"{there} {rest} {further}"


def all_or_unknown(delivery: Delivery, there: Mapping[int, str], *, complete: bool) -> list[str] | None:
    """What an earlier try has come to: the `ts` of all parts, or `None` where some are certainly missing.

    Raises:
        OutcomeUnknown: Where not all could be looked through.
    """
    if len(there) >= delivery.parts:
        return [there[part] for part in range(delivery.parts)]
    if not complete:
        raise OutcomeUnknown(
            f"Too much has been written in {delivery.place.title} since then to find what became of it."
        )
    return None
