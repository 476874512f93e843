"""Which conversations policy lets a caller use.

Patterns of the fence `slack.channel`: `#general`, `#bot-*` (public channels by name), `C0123ABCD` (any
conversation by id), `private:ops-*`, `dm:ada` (by the other's handle), `group:*`; before each of them
`workspace/` narrows it to one workspace. A private channel is also granted by its exact name. What is no
public channel is never granted by a bare wildcard.
"""

from collections.abc import Collection
from fnmatch import fnmatchcase

from ringmain_core.policy import Fence
from ringmain_slack.conversations import Conversation
from ringmain_slack.settings import Kind


def admits(
    fence: Fence, kinds: Collection[Kind], workspace: str, conversation: Conversation, other: str = ""
) -> bool:
    """Whether a conversation may be used.

    Args:
        fence: The caller's.
        kinds: What may be used where there is no fence.
        workspace: Domain of the workspace that it is in.
        conversation: As Slack describes it now.
        other: Handle of the other one, in direct messages.
    """
    if fence.patterns is None:
        return conversation.kind in kinds
    return any(_fits(pattern, workspace, conversation, other) for pattern in fence.patterns)


def describe(fence: Fence, kinds: Collection[Kind]) -> str:
    """What may be used, in words for an error text."""
    if fence.patterns is None:
        return ", ".join(sorted(kinds)) or "nothing"
    return fence.describe()


def _fits(pattern: str, workspace: str, conversation: Conversation, other: str) -> bool:
    place, slash, pattern = pattern.rpartition("/")
    if slash and not fnmatchcase(workspace, place):
        return False
    if pattern == conversation.id:
        return True
    kind, colon, name = pattern.partition(":")
    name = (name if colon else kind).removeprefix("#").removeprefix("@")
    if colon:
        about = other if conversation.kind == "dm" else conversation.name
        return kind == conversation.kind and fnmatchcase(about, name)
    if conversation.kind == "public":
        return fnmatchcase(conversation.name, name)
    return conversation.kind == "private" and conversation.name == name
