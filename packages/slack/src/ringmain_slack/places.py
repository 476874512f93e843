"""The conversations that a caller may use now: those that a token's user is in, and any by its id."""

from collections.abc import Sequence

from ringmain_core.call import Call
from ringmain_core.errors import NotFound, ToolFailure
from ringmain_slack.api import Slack
from ringmain_slack.conversations import Conversation
from ringmain_slack.settings import Kind
from ringmain_slack.workspace import Place, Workspace

_EVERY: tuple[Kind, ...] = ("public", "private", "group", "dm")


async def places_joined(slack: Slack, call: Call, at: Workspace) -> Sequence[Place]:
    """The conversations that the token's user is in, and the caller may use."""
    fence = call.fence("channel")
    usable = slack.settings.conversations if fence.patterns is None else _EVERY
    if not usable:
        return []
    joined = await slack.joined.of(at, [kind for kind in _EVERY if kind in usable])
    await at.directory.people(at, [one.person for one in joined if one.kind == "dm"])
    found = [await _placed(slack, call, at, one) for one in joined]
    return [one for one in found if one is not None]


async def place_now(slack: Slack, call: Call, at: Workspace, channel: str) -> Place | None:
    """A conversation by its id; `None` where it is not there, or not for the caller."""
    try:
        conversation = await at.directory.conversation(at, channel)
    except NotFound:
        return None
    return await _placed(slack, call, at, conversation)


async def _placed(slack: Slack, call: Call, at: Workspace, conversation: Conversation) -> Place | None:
    try:
        title = await slack.title(at, conversation)
    except ToolFailure:  # nobody can be named for it, so that no fence lets it in by a name
        title = f"@{conversation.person}"
    if slack.admits(call.fence("channel"), at.about.domain, conversation, title):
        return Place(at, conversation, title)
    return None
