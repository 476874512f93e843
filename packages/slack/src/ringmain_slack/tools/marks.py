"""Marks on messages: reactions, and how far a conversation was read."""

from typing import Annotated, Any

from pydantic import Field

from ringmain_core.arguments import DryRun, IdempotencyKey
from ringmain_core.call import Call
from ringmain_core.errors import UpstreamRefused
from ringmain_core.tooling import tool
from ringmain_slack.addressing import link_to, require_open, shown
from ringmain_slack.api import Slack
from ringmain_slack.drafts import request_of
from ringmain_slack.models import Written
from ringmain_slack.references import ChannelRef, when
from ringmain_slack.repeating import settled_by_repeating

_SO_ALREADY = frozenset({"already_reacted", "no_reaction"})


@tool(access="write", title="React", settle=settled_by_repeating)
async def react(
    slack: Slack,
    call: Call,
    ts: Annotated[str, Field(description="The message; or a link.")],
    emoji: Annotated[str, Field(description="Like `thumbsup`.")],
    channel: ChannelRef | None = None,
    remove: bool = False,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core keeps it)
) -> Written:
    """Add your reaction to a message, or remove it."""
    place, found, thread = await slack.message(call, channel, ts)
    require_open(place)
    name = emoji.strip().strip(":")
    method = "reactions.remove" if remove else "reactions.add"
    arguments: dict[str, Any] = {"channel": place.id, "timestamp": found, "name": name}
    url = link_to(place, found, thread)
    what = f":{name}: is {'taken away from' if remove else 'under'} a message in {shown(place)}."
    if dry_run:
        requests = [request_of(call, method, arguments)]
        return Written(done=False, summary=what, url=url, channel=place.id, ts=found, requests=requests)
    try:
        await place.workspace.post(method, idempotent=True, **arguments)
    except UpstreamRefused as refused:
        if refused.detail.get("error") not in _SO_ALREADY:
            raise
    return Written(done=True, summary=what, url=url, channel=place.id, ts=found)


@tool(access="write", title="Mark as read", settle=settled_by_repeating)
async def mark_read(
    slack: Slack,
    call: Call,
    ts: Annotated[str, Field(description="Last message read; or a link.")],
    channel: ChannelRef | None = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core keeps it)
) -> Written:
    """Mark a channel as read up to a message."""
    place, found, _ = await slack.message(call, channel, ts)
    arguments: dict[str, Any] = {"channel": place.id, "ts": found}
    what = f"{shown(place)} is read up to {when(found)} UTC."
    if dry_run:
        requests = [request_of(call, "conversations.mark", arguments)]
        return Written(done=False, summary=what, channel=place.id, ts=found, requests=requests)
    await place.workspace.post("conversations.mark", idempotent=True, **arguments)
    return Written(done=True, summary=what, channel=place.id, ts=found)


TOOLS = (react, mark_read)
