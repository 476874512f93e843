"""Writes whose answer got lost: looked for before anybody repeats them."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from ringmain_core.errors import OutcomeUnknown, ToolFailure, UpstreamRefused
from ringmain_github.api import GitHub

T = TypeVar("T")


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


async def own_login(github: GitHub, owner: str | None = None) -> str | None:
    """Who we are, at an owner's as an app's installation; `None` where GitHub does not say."""
    try:
        return (await github.get("/user", owner=owner)).json()["login"]
    except UpstreamRefused:  # an app's installation is no user, but GraphQL knows its bot
        with suppress(UpstreamRefused):
            return (await github.query("{ viewer { login } }", owner))["viewer"]["login"]
        return None
