"""Reading channels and threads."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from ringmain_core.call import Call
from ringmain_core.tooling import tool
from ringmain_slack.api import Slack
from ringmain_slack.directory import next_cursor
from ringmain_slack.references import ChannelRef, Cursor, moment
from ringmain_slack.transcript import Transcript, legend, lines_of, newest_fitting, oldest_fitting
from ringmain_slack.workspace import Place

_MOST = 200
_AT_THE_END = "9999999999.000000"  # without a latest one, what follows the oldest one may come first


@tool(access="read", title="Read a channel")
async def read_channel(
    slack: Slack,
    call: Call,
    channel: ChannelRef,
    since: str | None = None,
    until: str | None = None,
    limit: Annotated[int, Field(ge=1, le=_MOST)] = 50,
    cursor: Cursor = None,
) -> Transcript:
    """Read a channel's latest messages, with counts of replies and reactions; the cursor goes back."""
    place = await slack.place(call, channel)
    purpose = f"{call.target} {place.workspace.about.team} {place.id} {since} {until}"
    oldest = moment(since) if since else None
    latest = moment(until) if until else _AT_THE_END if oldest else None
    if cursor is not None:
        latest = slack.cursors.open(call, purpose, cursor)
    answer = await place.workspace.get(
        "conversations.history",
        channel=place.id,
        oldest=oldest,
        latest=latest,
        limit=limit,
    )
    found: list[Mapping[str, Any]] = list(reversed(answer["messages"]))
    lines, people = await lines_of(place.workspace, found)
    kept = newest_fitting(call, lines)
    await place.saw(call)
    more = None
    if len(kept) < len(lines) or answer.get("has_more"):
        more = slack.cursors.seal(call, purpose, kept[0][0])
    return Transcript(
        source=place.source,
        channel=_named(place),
        messages=kept,
        people=legend(people, kept),
        next_cursor=more,
    )


@tool(access="read", title="Read a thread")
async def read_thread(
    slack: Slack,
    call: Call,
    ts: Annotated[str, Field(max_length=500, description="Of its first message; or a link.")],
    channel: ChannelRef | None = None,
    limit: Annotated[int, Field(ge=1, le=_MOST)] = 100,
    cursor: Cursor = None,
) -> Transcript:
    """Read a thread: its first message and the replies, the oldest first."""
    place, found, thread = await slack.message(call, channel, ts)
    purpose = f"{call.target} {place.workspace.about.team} {place.id} {found}"
    begin = (None, 0, thread or found)
    after, skip, root = begin if cursor is None else slack.cursors.open(call, purpose, cursor)
    answer = await _replies(place, root, after, limit)
    asked: Mapping[str, Any] = answer["messages"][0] if answer["messages"] else {}
    if after is None and asked.get("thread_ts", root) != root:  # of a reply, Slack gives that alone
        root = str(asked["thread_ts"])
        answer = await _replies(place, root, None, limit)
    messages = [one for one in answer["messages"] if after is None or float(one["ts"]) >= float(after)]
    lines, people = await lines_of(place.workspace, messages)
    kept, following = oldest_fitting(call, lines, skip)
    await place.saw(call)
    if following is None and kept and next_cursor(answer):
        following = _after(kept[-1][0])
    more = None if following is None else slack.cursors.seal(call, purpose, [*following, root])
    return Transcript(
        source=place.source,
        channel=_named(place),
        messages=kept,
        people=legend(people, kept),
        next_cursor=more,
    )


async def _replies(place: Place, root: str, after: str | None, limit: int) -> Mapping[str, Any]:
    """A page of a thread; Slack repeats the first message on each of them."""
    return await place.workspace.get(
        "conversations.replies",
        channel=place.id,
        ts=root,
        oldest=after,
        inclusive=True if after else None,
        limit=limit + 1 if after else limit,
    )


def _after(ts: str) -> tuple[str, int]:
    """Where the message after this one begins, at the earliest."""
    seconds, _, fraction = ts.partition(".")
    return f"{seconds}.{int(fraction) + 1:06d}", 0


def _named(place: Place) -> str:
    return f"{place.title} ({place.id})"


TOOLS = (read_channel, read_thread)
