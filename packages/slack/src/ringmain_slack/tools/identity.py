"""Who we are on Slack, what the token lacks, and what may be used."""

from typing import Any

from ringmain_core.answers import Item
from ringmain_core.call import Call
from ringmain_core.tooling import tool
from ringmain_slack.api import Slack
from ringmain_slack.fences import describe
from ringmain_slack.permissions import lacking


@tool(access="read", title="Who am I on Slack")
async def whoami(slack: Slack, call: Call, workspace: str | None = None) -> Item:
    """Show who you are, the workspaces, scopes the token lacks, and which channels you may use."""
    names = slack.credentials.names(call)
    at = await slack.workspace(call, workspace or next(iter(names), None))
    about = at.about
    facts: dict[str, Any] = {
        "workspace": f"{about.domain} ({about.team_name}, {about.team})",
        "workspaces": names,
        "user": f"@{about.handle} ({about.user})",
        "credentials": f"{slack.credentials.kind}, {'bot' if about.is_bot else 'user'}",
        "lacking": lacking(about) or ["nothing"],
        "channels": describe(call.fence("channel"), slack.settings.conversations),
    }
    return Item(source="Slack", facts=facts)


TOOLS = (whoami,)
