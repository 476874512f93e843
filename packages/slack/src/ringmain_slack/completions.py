"""Values to offer while somebody types: workspaces, channels, threads."""

from collections.abc import Mapping

from ringmain_core.call import Call
from ringmain_slack.api import Slack
from ringmain_slack.conversations import conversation_of
from ringmain_slack.directory import PAGE
from ringmain_slack.references import Reference

_MOST = 100


async def complete_team(slack: Slack, call: Call, typed: str, _: Mapping[str, str]) -> list[str]:
    """Workspaces."""
    names = slack.credentials.names(call) or [(await slack.workspace(call)).about.domain]
    return [name for name in names if name.startswith(typed.lower())]


async def complete_channel_name(slack: Slack, call: Call, typed: str, _: Mapping[str, str]) -> list[str]:
    """Channels that the caller may use, by name: those one is in, and others met before."""
    wanted = typed.removeprefix("#").lower()
    return [title for _, title in await _channels(slack, call, None) if wanted in title.lower()][:_MOST]


async def complete_channel(slack: Slack, call: Call, typed: str, chosen: Mapping[str, str]) -> list[str]:
    """The same, by id; what was typed may be a part of the name."""
    wanted = typed.removeprefix("#").lower()
    found = await _channels(slack, call, chosen.get("team"))
    return [name for name, title in found if name.lower().startswith(wanted) or wanted in title.lower()][
        :_MOST
    ]


async def complete_thread(slack: Slack, call: Call, typed: str, chosen: Mapping[str, str]) -> list[str]:
    """Threads of the chosen channel, the latest first."""
    place = await slack.place_of(call, Reference(chosen.get("team"), id=chosen.get("channel", "")))
    page = await place.workspace.get("conversations.history", channel=place.id, limit=200)
    found = [str(one["ts"]) for one in page["messages"] if one.get("reply_count")]
    return [ts for ts in found if ts.startswith(typed)][:_MOST]


async def _channels(slack: Slack, call: Call, team: str | None) -> list[tuple[str, str]]:
    at = await slack.workspace(call, team)
    page = await at.get(
        "users.conversations", types=at.about.types(("public", "private")), exclude_archived=True, limit=PAGE
    )
    for told in page["channels"]:
        at.directory.saw(conversation_of(told))
    fence = call.fence("channel")
    known = [one for one in at.directory.known_channels() if one.name]
    found = [(one, f"#{one.name}") for one in known]
    return [(one.id, title) for one, title in found if slack.admits(fence, at.about.domain, one, title)]
