"""The live resources: changes of channels and threads are heard through Socket Mode, or looked for."""

import hashlib
import json
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from ringmain_core.call import Call
from ringmain_core.errors import NotFound, UpstreamUnavailable
from ringmain_core.live.pauses import Pauses
from ringmain_core.live.watch import Variables, Watch
from ringmain_core.policy import Grant
from ringmain_slack.api import Slack
from ringmain_slack.conversations import Conversation, LastSeen
from ringmain_slack.references import Reference, parse_ts
from ringmain_slack.workspace import Workspace

PAUSES = (5.0, 120.0)
"""The first and the longest pause between two looks, in seconds."""

SHARE = 2.4
"""Seconds between two looks of all that is watched: half of what Slack lets a token ask is left for calls."""

_HEARD = 120.0  # seconds between two looks at what is heard: another process may have heard it instead
_MESSAGES, _REPLIES = 20, 100
_TELLING = (
    "ts",
    "text",
    "edited",
    "reply_count",
    "latest_reply",
    "reactions",
    "files",
    "blocks",
    "attachments",
)

Look = Callable[[Workspace, Variables], Awaitable[bytes]]
"""Says how something is, so that two looks can be compared."""


async def _look_at_channel(at: Workspace, variables: Variables) -> bytes:
    answer = await at.get("conversations.history", channel=variables["channel"], limit=_MESSAGES)
    return _digest(answer["messages"])


async def _look_at_thread(at: Workspace, variables: Variables) -> bytes:
    answer = await at.get(
        "conversations.replies",
        channel=variables["channel"],
        ts=parse_ts(variables["ts"]),
        limit=_REPLIES,
    )
    return _digest(answer["messages"])


def _digest(messages: Sequence[Mapping[str, Any]]) -> bytes:
    said = [[message.get(name) for name in _TELLING] for message in messages]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).digest()


async def _changes(look: Look, slack: Slack, variables: Variables) -> AsyncGenerator[None]:
    """Watch with the process's own token; what the conversation is now decides who may hear of it."""
    pauses, owed = Pauses(*PAUSES), False
    at, conversation = await _seen(slack, variables)
    thread = parse_ts(variables["ts"]) if "ts" in variables else None
    with slack.ears.listening(at.about.team, conversation.id, thread) as bell:
        known = await look(at, variables)
        yield
        while True:
            heard = at.about.is_bot and slack.ears.hears(at.about.team, conversation.kind) and not owed
            pause = max(_HEARD if heard else pauses.next(), slack.ears.listeners * SHARE)
            owed |= await bell.wait(pause)
            try:
                at, conversation = await _seen(slack, variables)
                if not owed:
                    before, known = known, await look(at, variables)
                    owed = known != before
            except UpstreamUnavailable:  # a limit, or Slack is away: the next look sees what was missed
                continue
            if owed:
                owed = False
                pauses.changed()
                yield


async def _seen(slack: Slack, variables: Variables) -> tuple[Workspace, Conversation]:
    at = await slack.workspace(None, variables["team"])
    try:
        conversation = await at.directory.conversation(at, variables["channel"])
    except NotFound:
        slack.last_seen.put(_key(variables), LastSeen(None))
        raise
    title = await slack.title(at, conversation)
    slack.last_seen.put(_key(variables), LastSeen(conversation, at.about.domain, title))
    return at, conversation


def _permits(slack: Slack, grant: Grant, variables: Variables) -> bool:
    seen = slack.last_seen.get(_key(variables), math.inf)
    if seen is None:  # nobody listens to it yet; whoever wants to is checked first
        return True
    conversation = seen.conversation
    return conversation is not None and slack.permits(grant, seen.domain, conversation, seen.title)


async def _check(look: Look, slack: Slack, call: Call, variables: Variables) -> None:
    await slack.place_of(call, Reference(workspace=variables["team"], id=variables["channel"]))
    at, _ = await _seen(slack, variables)
    await look(at, variables)


def _key(variables: Variables) -> str:
    return f"{variables['team']} {variables['channel']}"


WATCHES: Mapping[str, Watch[Slack]] = {
    "channel": Watch(partial(_changes, _look_at_channel), _permits, partial(_check, _look_at_channel)),
    "thread": Watch(partial(_changes, _look_at_thread), _permits, partial(_check, _look_at_thread)),
}
