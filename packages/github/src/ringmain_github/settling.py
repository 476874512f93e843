"""What became of writes that were cut off: nothing, where they had noted nothing."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from ringmain_core.call import Call
from ringmain_github.api import GitHub
from ringmain_github.models import Outcome

Settle = Callable[[GitHub, Call, Any], Awaitable[Outcome | None]]


def if_noted(settle: Settle) -> Settle:
    """Find out from a note only where there is one: every write notes what it is going to do."""

    @wraps(settle)
    async def settled(github: GitHub, call: Call, note: Any) -> Outcome | None:
        return None if note is None else await settle(github, call, note)

    return settled
