"""What a model can do with Slack: one module for each kind of thing."""

from collections.abc import Sequence

from ringmain_core.declarations import Tool
from ringmain_slack.tools import identity, reading

TOOLS: Sequence[Tool] = (*identity.TOOLS, *reading.TOOLS)
