"""The gates that every request passes, each one concern; their order stands in `server.py`."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from ringmain_core.call import Call

Result = dict[str, Any]
Next = Callable[[], Awaitable[Result]]
Gate = Callable[[Call, Next], Awaitable[Result]]


def pass_through(gates: Sequence[Gate], call: Call, handle: Next) -> Awaitable[Result]:
    """Send a call through the gates, outermost first, and on to its handler."""
    proceed = handle
    for gate in reversed(gates):
        proceed = partial(gate, call, proceed)
    return proceed()
