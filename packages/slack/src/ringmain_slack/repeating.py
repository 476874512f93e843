"""Writes that set a state: whether an earlier try got through does not matter, for another does no more."""

from typing import Any

from ringmain_core.call import Call
from ringmain_slack.api import Slack


async def settled_by_repeating(slack: Slack, call: Call, note: Any) -> None:
    """For `settle`: let it be done again."""
