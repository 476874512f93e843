"""What a model can do with GitHub: one module for each kind of thing."""

from collections.abc import Sequence

from ringmain_core.declarations import Tool
from ringmain_github.tools import (
    comments,
    commits,
    history,
    identity,
    issue_writes,
    issues,
    merging,
    monitor,
    pulls,
    releases,
    repositories,
    reviews,
    runs,
    search,
)

TOOLS: Sequence[Tool] = (
    *identity.TOOLS,
    *search.TOOLS,
    *repositories.TOOLS,
    *history.TOOLS,
    *issues.TOOLS,
    *issue_writes.TOOLS,
    *comments.TOOLS,
    *pulls.TOOLS,
    *reviews.TOOLS,
    *merging.TOOLS,
    *commits.TOOLS,
    *runs.TOOLS,
    *monitor.TOOLS,
    *releases.TOOLS,
)
