"""Changing and taking back what we have written ourselves: messages, and those that wait for their time."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from ringmain_core.arguments import DryRun, IdempotencyKey, OnRecord, withheld
from ringmain_core.call import Call
from ringmain_core.errors import NotFound, UpstreamRefused
from ringmain_core.steps import sent_or_found
from ringmain_core.tooling import tool
from ringmain_slack.addressing import link_to, require_open, shown
from ringmain_slack.api import Slack
from ringmain_slack.drafts import draft_of, excerpt, one_message, request_of
from ringmain_slack.incoming import people_in, text_of
from ringmain_slack.models import Written
from ringmain_slack.references import ChannelRef, Reference, parse_reference
from ringmain_slack.repeating import settled_by_repeating
from ringmain_slack.scheduled import scheduled_in
from ringmain_slack.workspace import Place

_SCHEDULED = re.compile(r"Q[A-Z0-9]{5,20}")
_MOST_ASKED_ABOUT = 600

MessageRef = Annotated[str, Field(description="Own message; or a link.")]


@dataclass(frozen=True, slots=True)
class _Own:
    """A message of ours.

    Attributes:
        told: As Slack describes it.
    """

    place: Place
    ts: str
    told: Mapping[str, Any]

    @property
    def thread(self) -> str | None:
        found = self.told.get("thread_ts")
        return str(found) if found and found != self.ts else None

    @property
    def link(self) -> str:
        return link_to(self.place, self.ts, self.thread)

    async def text(self) -> str:
        """What it says now."""
        at = self.place.workspace
        return text_of(self.told, await at.directory.people(at, people_in(self.told)))


async def _own(slack: Slack, call: Call, channel: str | None, ts: str) -> _Own:
    """A message of ours.

    Raises:
        NotFound: Where there is none.
        UpstreamRefused: Where it is somebody else's.
    """
    place, found, _ = await slack.message(call, channel, ts)
    told = await _message(place, found)
    if told is None:
        raise NotFound(f"{place.title} has no message {found}.")
    if told.get("user") != place.workspace.about.user:
        raise UpstreamRefused(f"The message {found} is somebody else's: only your own can be changed.")
    return _Own(place, found, told)


async def _message(place: Place, ts: str) -> Mapping[str, Any] | None:
    """A message as it is now; `None` where it is not there, or only its place in a thread is."""
    try:
        answer = await place.workspace.get(
            "conversations.replies", channel=place.id, ts=ts, oldest=ts, latest=ts, inclusive=True, limit=2
        )
    except NotFound:
        return None
    found = (one for one in answer["messages"] if one["ts"] == ts and one.get("subtype") != "tombstone")
    return next(found, None)


@tool(access="write", title="Edit a message", settle=settled_by_repeating)
async def edit_message(
    slack: Slack,
    call: Call,
    ts: MessageRef,
    text: Annotated[str, OnRecord(withheld)],
    channel: ChannelRef | None = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core keeps it)
) -> Written:
    """Replace the text of your own message with other Markdown."""
    own = await _own(slack, call, channel, ts)
    place = own.place
    require_open(place, joined=False)
    draft = await draft_of(slack, call, place, text)
    message = one_message(draft, "An edited message")
    arguments: dict[str, Any] = {"channel": place.id, "ts": own.ts}
    arguments |= {"text": message.text, "blocks": message.blocks}
    if dry_run:
        await place.saw(call)
        before = excerpt(await own.text(), call.room // 4)
        return Written(
            done=False,
            summary=f"A message in {shown(place)} gets another text.",
            url=own.link,
            channel=place.id,
            ts=own.ts,
            requests=[request_of(call, "chat.update", arguments)],
            preview=f"Before:\n{before}\n\nAfter:\n{draft.preview(call)}",
            warnings=draft.warnings(place),
        )
    await place.may_share(call, f"Edit a message in {shown(place)}")
    await place.workspace.post("chat.update", idempotent=True, **arguments)
    what = f"Edited a message in {shown(place)}."
    return Written(done=True, summary=what, url=own.link, channel=place.id, ts=own.ts, warnings=draft.unknown)


async def _question(slack: Slack, call: Call, ts: str, channel: str | None = None, **_: Any) -> str:
    if _SCHEDULED.fullmatch(ts):
        place = await slack.place(call, channel or "")
        text = str((await _scheduled(place, ts))["text"])
        return f"Take back the message that waits for {shown(place)}? “{excerpt(text, _MOST_ASKED_ABOUT)}”"
    own = await _own(slack, call, channel, ts)
    replies = int(own.told.get("reply_count") or 0)
    stay = f" Its {replies} replies stay." if replies else ""
    text = excerpt(await own.text(), _MOST_ASKED_ABOUT)
    return f"Delete this message in {shown(own.place)} for everybody?{stay} “{text}”"


async def _scheduled(place: Place, name: str) -> Mapping[str, Any]:
    """A message of ours that waits.

    Raises:
        NotFound: Where there is none of that id.
    """
    found = next((one for one in await scheduled_in(place) if one["id"] == name), None)
    if found is None:
        raise NotFound(f"No message {name} waits for {place.title}: it may have been posted already.")
    return found


async def _settle_deletion(slack: Slack, call: Call, note: Any) -> Written | None:
    if note is None:
        return None  # it is kept before anything is deleted
    place = await slack.place_of(call, Reference(id=note["channel"]), note["workspace"])
    return await _gone(place, note["ts"])


async def _gone(place: Place, ts: str) -> Written | None:
    """What a deletion came to, if the message is not there any more."""
    if _SCHEDULED.fullmatch(ts):
        there = any(one["id"] == ts for one in await scheduled_in(place))
    else:
        there = await _message(place, ts) is not None
    return None if there else _deleted(place, ts)


def _deleted(place: Place, ts: str) -> Written:
    what = f"Deleted {ts} in {shown(place)}."
    return Written(done=True, summary=what, channel=place.id, ts=ts)


@tool(access="destructive", title="Delete a message", question=_question, settle=_settle_deletion)
async def delete_message(
    slack: Slack,
    call: Call,
    ts: Annotated[str, Field(description="Own message or its link; `Q…` if scheduled.")],
    channel: ChannelRef | None = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core keeps it)
) -> Written:
    """Delete your own message, or one that is scheduled."""
    given = ts
    if _SCHEDULED.fullmatch(ts):
        place = await slack.place(call, channel or "")
        text = str((await _scheduled(place, ts))["text"])
        method, name = "chat.deleteScheduledMessage", "scheduled_message_id"
    else:
        own = await _own(slack, call, channel, ts)
        place, ts, text = own.place, own.ts, await own.text()
        method, name = "chat.delete", "ts"
    arguments: dict[str, Any] = {"channel": place.id, name: ts}
    if dry_run:
        await place.saw(call)
        return Written(
            done=False,
            summary=f"{ts} in {shown(place)} is deleted.",
            channel=place.id,
            ts=ts,
            requests=[request_of(call, method, arguments)],
            preview=excerpt(text, call.room // 2),
        )
    named = parse_reference(given if "://" in given else channel or "")
    await call.note({"channel": place.id, "workspace": named.workspace, "ts": ts})

    async def send() -> Written:
        await place.workspace.post(method, access="destructive", **arguments)
        return _deleted(place, ts)

    return await sent_or_found(send, lambda: _gone(place, ts))


TOOLS = (edit_message, delete_message)
