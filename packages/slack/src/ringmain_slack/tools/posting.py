"""Posting: at once or later, in a conversation or a thread, and never twice."""

import time
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from ringmain_core.arguments import DryRun, IdempotencyKey, OnRecord, withheld
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments
from ringmain_core.steps import sent_or_found
from ringmain_core.tooling import tool
from ringmain_slack.addressing import (
    addressee,
    link_to,
    may_post_unjoined,
    opened,
    opening,
    require_open,
    shown,
    thread_of,
)
from ringmain_slack.api import Slack
from ringmain_slack.deliveries import (
    Delivery,
    all_or_unknown,
    arrived,
    deliver,
    looked_from,
    mark_for,
)
from ringmain_slack.drafts import Draft, draft_of, one_message, request_of
from ringmain_slack.models import Written
from ringmain_slack.references import ChannelRef, Reference, moment, parse_reference, when
from ringmain_slack.scheduled import scheduled_in
from ringmain_slack.uploads import Upload, share, shared_there
from ringmain_slack.workspace import Place

_FARTHEST = 120 * 86_400  # seconds that Slack keeps a message for later
_LONG_NAME = "message.md"
_ONLY_BESIDE = "it is too long for messages, and becomes a Markdown file, which mentions nobody"


async def _settle(slack: Slack, call: Call, note: Any) -> Written | None:
    if note is None:
        return None  # it is kept before anything is sent
    place = await slack.place_of(call, Reference(id=note["channel"]), note["workspace"])
    if "file" in note:
        return await shared_there(place, note["file"])
    if "at" in note:
        return await _waiting(place, note)
    delivery = Delivery(place, note["parts"], note["mark"], note["thread"])
    there, complete = await arrived(delivery, note["since"])
    sent = all_or_unknown(delivery, there, complete=complete)
    return None if sent is None else _posted(place, sent, note["thread"])


def _posted(place: Place, sent: list[str], thread: str | None) -> Written:
    where = f"a thread of {shown(place)}" if thread else shown(place)
    return Written(
        done=True,
        summary=f"Posted in {where}." if len(sent) == 1 else f"Posted in {where}, in {len(sent)} messages.",
        url=link_to(place, sent[0], thread),
        channel=place.id,
        ts=sent[0],
        replies=sent[1:] or None,
    )


async def _waiting(place: Place, note: Any) -> Written | None:
    """The scheduled message of ours with this time and text that has come since."""
    for one in await scheduled_in(place, note["at"]):
        if one["text"] == note["text"] and one["id"] not in note["before"]:
            return _scheduled(place, str(one["id"]), note["at"])
    return None


def _scheduled(place: Place, name: str, at: int) -> Written:
    until = "Until then `delete_message` with its id takes it back."
    what = f"{shown(place)} gets it at {when(str(at))} UTC. {until}"
    return Written(done=True, summary=what, id=name, channel=place.id)


@tool(access="write", title="Send a message", settle=_settle)
async def send_message(
    slack: Slack,
    call: Call,
    channel: ChannelRef,
    text: Annotated[str, OnRecord(withheld)],
    thread_ts: Annotated[str | None, Field(description="Of the thread, or a link.")] = None,
    at: Annotated[str | None, Field(description="ISO time, for later.")] = None,
    broadcast: Annotated[bool, Field(description="Show the reply in the channel.")] = False,
    notify: Annotated[bool, Field(description="Let @here and groups notify.")] = False,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> Written:
    """Post Markdown to a channel, thread or direct message; long texts are split or become a file."""
    if broadcast and thread_ts is None:
        raise InvalidArguments("`broadcast` goes with `thread_ts`: it shows a reply in the channel, too.")
    post_at = None if at is None else _later(at)
    place = await addressee(slack, call, channel)
    require_open(place, joined=not may_post_unjoined(place))
    thread = None if thread_ts is None else await thread_of(place, thread_ts)
    draft = await draft_of(slack, call, place, text, notify=notify)
    if post_at is not None:
        one_message(draft, "A message for later")
    workspace = parse_reference(channel).workspace
    if draft.needs_file:
        if broadcast:
            raise InvalidArguments("A text this long becomes a file, which `broadcast` cannot show.")
        beside = await _beside(slack, call, place, draft, notify=notify)
        return await _as_file(call, place, draft, beside, thread, workspace, dry_run=dry_run)
    delivery = Delivery(
        place,
        len(draft.messages),
        mark_for(call, idempotency_key, text, thread),
        thread,
        draft.messages,
        broadcast,
        keyed=idempotency_key is not None,
        post_at=post_at,
    )
    if dry_run:
        return _rehearsed(call, draft, delivery)
    await place.may_share(call, f"Post in {shown(place)}")
    delivery = replace(delivery, place=await opened(place))
    made = await (_sent if post_at is None else _schedule)(call, delivery, workspace)
    made.warnings += draft.unknown
    return made


def _later(at: str) -> int:
    """When a message has to go, in seconds since 1970.

    Raises:
        InvalidArguments: Where that is not in the next 120 days.
    """
    seconds, now = int(float(moment(at))), time.time()
    if not now < seconds < now + _FARTHEST:
        raise InvalidArguments(
            f"`at` has to be in the next 120 days; {when(str(seconds))} UTC is not. It is now "
            f"{when(str(now))} UTC."
        )
    return seconds


async def _sent(call: Call, delivery: Delivery, workspace: str | None) -> Written:
    place, thread = delivery.place, delivery.thread
    note: dict[str, Any] = {"channel": place.id, "workspace": workspace}
    note |= {"parts": delivery.parts, "mark": delivery.mark, "thread": thread, "since": looked_from()}
    await call.note(note)
    repeated = delivery.keyed and delivery.parts > 1
    return _posted(place, await deliver(delivery, tried_before=repeated), thread)


async def _schedule(call: Call, delivery: Delivery, workspace: str | None) -> Written:
    place, at = delivery.place, delivery.post_at or 0
    arguments = delivery.arguments(0, delivery.thread)
    before = [str(one["id"]) for one in await scheduled_in(place, at)]
    note: dict[str, Any] = {"channel": place.id, "workspace": workspace}
    note |= {"at": at, "text": arguments["text"], "before": before}
    await call.note(note)

    async def send() -> Written:
        answer = await place.workspace.post(delivery.method, **arguments)
        return _scheduled(place, str(answer["scheduled_message_id"]), at)

    return await sent_or_found(send, lambda: _waiting(place, note))


def _rehearsed(call: Call, draft: Draft, delivery: Delivery) -> Written:
    place, at = delivery.place, delivery.post_at
    requests = opening(place)
    for part in range(delivery.parts):
        thread = delivery.thread or ("<ts of the first>" if part else None)
        requests.append(request_of(call, delivery.method, delivery.arguments(part, thread)))
    how = f"{delivery.parts} message{'s' * (delivery.parts > 1)} in {shown(place)}"
    later = f" at {when(str(at))} UTC" if at is not None else ""
    return Written(
        done=False,
        summary=f"{how}{', in a thread' if delivery.thread else ''}{later}.",
        channel=place.id or None,
        requests=requests,
        preview=draft.preview(call),
        warnings=draft.warnings(place),
    )


async def _beside(slack: Slack, call: Call, place: Place, draft: Draft, *, notify: bool) -> Draft:
    """What stands beside the file that a long text becomes; nothing where its beginning shows nothing."""
    try:
        return await draft_of(slack, call, place, draft.beginning, notify=notify, only_rich=True)
    except InvalidArguments:
        return Draft("")


async def _as_file(
    call: Call,
    place: Place,
    draft: Draft,
    beside: Draft,
    thread: str | None,
    workspace: str | None,
    *,
    dry_run: bool,
) -> Written:
    content = draft.source.encode(errors="replace")
    comment = [block for message in beside.messages for block in message.blocks]
    upload = Upload(_LONG_NAME, content, _LONG_NAME, comment)
    if not dry_run:
        await place.may_share(call, f"Post in {shown(place)}")
        made = await share(call, await opened(place), upload, thread, workspace)
        made.warnings += [*beside.unknown, _ONLY_BESIDE]
        return made
    completion = upload.completion(place, thread, "F…")
    return Written(
        done=False,
        summary=f"A file in {shown(place)}{', in a thread' if thread else ''}.",
        channel=place.id or None,
        requests=[
            *opening(place),
            {"files.getUploadURLExternal": upload.ticket()},
            request_of(call, "files.completeUploadExternal", completion),
        ],
        preview=draft.preview(call),
        warnings=[*beside.warnings(place), _ONLY_BESIDE],
    )


TOOLS = (send_message,)
