"""What a model can do with Slack: one module for each kind of thing."""

from collections.abc import Sequence

from ringmain_core.declarations import Tool
from ringmain_slack.tools import channels, files, identity, listing, reading

TOOLS: Sequence[Tool] = (
    *identity.TOOLS,
    *listing.TOOLS,
    *channels.TOOLS,
    *reading.TOOLS,
    *files.TOOLS,
)
