"""The conversations that a caller may use now: those that a token's user is in, and any by its id."""

from collections.abc import Sequence

from ringmain_core.call import Call
from ringmain_core.errors import NotFound, UpstreamRefused, UpstreamUnavailable
from ringmain_slack.api import Slack
from ringmain_slack.conversations import Conversation
from ringmain_slack.settings import Kind
from ringmain_slack.workspace import Place, Workspace

_EVERY: tuple[Kind, ...] = ("public", "private", "group", "dm")


async def places_joined(slack: Slack, call: Call, at: Workspace) -> tuple[Sequence[Place], str]:
    """The conversations that the token's user is in, and the caller may use; and which may be missing."""
    fence = call.fence("channel")
    usable = slack.settings.conversations if fence.patterns is None else _EVERY
    if not usable:
        return [], ""
    joined = await slack.joined.of(at, [kind for kind in _EVERY if kind in usable])
    named = await at.directory.people(at, [one.person for one in joined if one.kind == "dm"])
    found: list[Place] = []
    limited, unnamed = "", 0
    for one in joined:
        if not limited or one.kind != "dm" or one.person in named:
            try:
                place = await _placed(slack, call, at, one)
            except UpstreamUnavailable as error:
                limited = error.message
            else:
                found += [] if place is None else [place]
                continue
        if fence.patterns is None:  # a name decides nothing
            found.append(Place(at, one, f"@{one.person}"))
        else:
            unnamed += 1
    lacking = f"Not those with {unnamed:,} people, who cannot be named now: {limited}"
    return found, lacking if unnamed else ""


async def place_now(slack: Slack, call: Call, at: Workspace, channel: str) -> Place | None:
    """A conversation by its id; `None` where it is not there, not for the token, or not for the caller."""
    try:
        conversation = await at.directory.conversation(at, channel)
        return await _placed(slack, call, at, conversation)
    except NotFound:
        return None
    except UpstreamRefused as refused:
        if refused.detail.get("cause") == "auth":
            raise
        return None


async def _placed(slack: Slack, call: Call, at: Workspace, conversation: Conversation) -> Place | None:
    title = await slack.title(at, conversation)
    if slack.admits(call.fence("channel"), at.about.domain, conversation, title):
        return Place(at, conversation, title)
    return None
