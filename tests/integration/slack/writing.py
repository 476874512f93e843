"""What tests of writes to the fake Slack share."""

from typing import Any

from mcp.client import ClientRequestContext
from mcp_types import ElicitRequestParams, ElicitResult

from standins.slack.state import FakeSlack

WRITES = (
    "canvases.create",
    "canvases.edit",
    "chat.delete",
    "chat.deleteScheduledMessage",
    "chat.postMessage",
    "chat.scheduleMessage",
    "chat.update",
    "conversations.archive",
    "conversations.create",
    "conversations.invite",
    "conversations.join",
    "conversations.mark",
    "conversations.open",
    "conversations.setPurpose",
    "conversations.setTopic",
    "conversations.unarchive",
    "files.completeUploadExternal",
    "files.getUploadURLExternal",
    "reactions.add",
    "reactions.remove",
    "upload",
)

WAIVED = """
[roles.all]
allow = ["*:*"]
confirm = []
[[agents]]
id = "local"
roles = ["all"]
"""
"""Nobody has to confirm what is deleted."""


def fenced(*patterns: str) -> str:
    """A policy that lets the caller use these conversations only."""
    return WAIVED.replace("confirm = []", f'confirm = []\nfence = {{ "slack.channel" = {list(patterns)} }}')


def writes(fake: FakeSlack) -> list[str]:
    """The methods that may have changed something, in the order of their requests."""
    return [one.method for one in fake.requests if one.method in WRITES]


class Person:
    """Answers what the client is asked, and remembers it."""

    def __init__(self, *, says: bool = True) -> None:
        self.asked: list[str] = []
        self._says = says

    async def __call__(self, _: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        self.asked.append(params.message)
        return ElicitResult(action="accept", content={"confirm": self._says})


def argument(fake: FakeSlack, method: str, name: str) -> list[Any]:
    """The values of an argument in all requests of a method."""
    return [one.arguments.get(name) for one in fake.asked(method)]
