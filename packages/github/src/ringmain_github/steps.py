"""Writes of several requests: all known before the first is sent, and what was done is always said."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ringmain_core.errors import ToolFailure


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a write.

    Attributes:
        what: Its effect in words: “title changed”.
        request: What is sent, for a rehearsal.
        send: Sends it.
    """

    what: str
    request: dict[str, Any]
    send: Callable[[], Awaitable[Any]]


async def take(steps: Sequence[Step]) -> None:
    """Take one step after the other.

    Raises:
        ToolFailure: Of the step that failed; it says which ones were taken before, and which were not.
    """
    for at, step in enumerate(steps):
        try:
            await step.send()
        except ToolFailure as error:
            if len(steps) > 1:
                before = "; ".join(done.what for done in steps[:at]) or "nothing"
                after = "; ".join(left.what for left in steps[at:])
                error.message = f"{error.message} Done: {before}. Not done, or not known: {after}."
            raise
