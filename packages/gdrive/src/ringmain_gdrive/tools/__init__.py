"""What a model can do with Drive: one module for each kind of thing."""

from collections.abc import Sequence

from ringmain_core.declarations import Tool
from ringmain_gdrive.tools import (
    changes,
    commenting,
    comments,
    creating,
    finding,
    identity,
    organizing,
    reading,
    requests,
    restoring,
    revisions,
    sharing,
)

TOOLS: Sequence[Tool] = (
    *identity.TOOLS,
    *finding.TOOLS,
    *reading.TOOLS,
    *comments.TOOLS,
    *revisions.TOOLS,
    *changes.TOOLS,
    *creating.TOOLS,
    *organizing.TOOLS,
    *sharing.TOOLS,
    *commenting.TOOLS,
    *restoring.TOOLS,
    *requests.TOOLS,
)
