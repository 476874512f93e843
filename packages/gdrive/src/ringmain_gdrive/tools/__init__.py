"""What a model can do with Drive: one module for each kind of thing."""

from collections.abc import Sequence

from ringmain_core.declarations import Tool
from ringmain_gdrive.tools import changes, comments, finding, identity, reading

TOOLS: Sequence[Tool] = (
    *identity.TOOLS,
    *finding.TOOLS,
    *reading.TOOLS,
    *comments.TOOLS,
    *changes.TOOLS,
)
