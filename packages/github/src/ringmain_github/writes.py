"""Writes whose answer got lost: looked for before anybody repeats them."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from ringmain_core.errors import OutcomeUnknown

T = TypeVar("T")


async def sent_or_found(send: Callable[[], Awaitable[T]], look: Callable[[], Awaitable[T | None]]) -> T:
    """Send something; where no answer came, look whether it has happened all the same.

    Raises:
        OutcomeUnknown: Where no answer came and nothing is found, which does not say that nothing will be.
    """
    try:
        return await send()
    except OutcomeUnknown:
        found = await look()
        if found is None:
            raise
        return found
