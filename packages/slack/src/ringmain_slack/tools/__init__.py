"""What a model can do with Slack: one module for each kind of thing."""

from collections.abc import Sequence

from ringmain_core.declarations import Tool
from ringmain_slack.tools import (
    canvases,
    catching_up,
    channels,
    editing,
    files,
    identity,
    listing,
    managing,
    marks,
    posting,
    reading,
    search,
    uploads,
)

TOOLS: Sequence[Tool] = (
    *identity.TOOLS,
    *search.TOOLS,
    *catching_up.TOOLS,
    *listing.TOOLS,
    *channels.TOOLS,
    *reading.TOOLS,
    *files.TOOLS,
    *posting.TOOLS,
    *editing.TOOLS,
    *marks.TOOLS,
    *uploads.TOOLS,
    *canvases.TOOLS,
    *managing.TOOLS,
)
