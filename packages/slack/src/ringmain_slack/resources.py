"""What a model can read of Slack by URI; channels and threads tell when they change."""

from ringmain_core.call import Call
from ringmain_core.tooling import resource
from ringmain_slack.api import Slack
from ringmain_slack.completions import complete_channel, complete_team, complete_thread
from ringmain_slack.tools.files import read_file
from ringmain_slack.tools.listing import list_channels, list_people
from ringmain_slack.tools.reading import read_channel, read_thread

_IN = {"team": complete_team}
_CHANNEL = {**_IN, "channel": complete_channel}


@resource("slack://{team}/channels", title="Channels", complete=_IN)
async def channels(slack: Slack, call: Call, team: str) -> str:
    """The channels you are in."""
    return (await list_channels.function(slack, call, workspace=team, limit=200)).text()


@resource("slack://{team}/users", title="People", complete=_IN)
async def users(slack: Slack, call: Call, team: str) -> str:
    """The first people of a workspace; `find_users` finds the others."""
    return (await list_people(slack, call, team)).text()


@resource("slack://{team}/channel/{channel}", title="Channel", complete=_CHANNEL)
async def channel(slack: Slack, call: Call, team: str, channel: str) -> str:
    """The latest messages of a channel, by its id; tells when they change."""
    return (await read_channel.function(slack, call, f"{team}/{channel}")).text()


@resource(
    "slack://{team}/thread/{channel}/{ts}", title="Thread", complete={**_CHANNEL, "ts": complete_thread}
)
async def thread(slack: Slack, call: Call, team: str, channel: str, ts: str) -> str:
    """A thread, by the ids of its channel and first message; tells when it changes."""
    return (await read_thread.function(slack, call, ts, f"{team}/{channel}")).text()


@resource("slack://{team}/file/{file}", title="File", complete=_IN)
async def file(slack: Slack, call: Call, team: str, file: str) -> str:
    """The text of a file."""
    return (await read_file.function(slack, call, file, team)).text()


@resource("slack://{team}/canvas/{canvas}", title="Canvas", complete=_IN)
async def canvas(slack: Slack, call: Call, team: str, canvas: str) -> str:
    """A canvas as Markdown."""
    return (await read_file.function(slack, call, canvas, team)).text()


RESOURCES = (channels, users, channel, thread, file, canvas)
