"""Writes: known before they are sent, told step by step, and looked for where an answer got lost."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ringmain_core.errors import OutcomeUnknown, ToolFailure

T = TypeVar("T")


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


async def sent_or_found(send: Callable[[], Awaitable[T]], look: Callable[[], Awaitable[T | None]]) -> T:
    """Send something; where no answer came, look whether it has happened all the same.

    Raises:
        OutcomeUnknown: Where no answer came and nothing is found, which does not say that nothing will be.
    """
    try:
        return await send()
    except OutcomeUnknown as unknown:
        try:
            found = await look()
        except ToolFailure:  # looking failed, too: that must not read as if nothing had been sent
            raise unknown from None
        if found is None:
            raise
        return found
