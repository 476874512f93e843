"""Runs a declared function: arguments, deadline, and no failure without words for the caller."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import anyio
from mcp.shared.exceptions import MCPError

from ringmain_core.call import Call
from ringmain_core.errors import DeadlineExceeded, OutcomeUnknown, RingmainError, Unexpected
from ringmain_core.tooling import Declaration

_log = logging.getLogger(__name__)
T = TypeVar("T")


async def invoke(
    declaration: Declaration, raw: Mapping[str, Any], call: Call, upstream: object, default_timeout: float
) -> Any:
    """Validate the arguments and run the function.

    Raises:
        InvalidArguments: Where the arguments do not fit.
    """
    bound = declaration.arguments.bind(raw, call, upstream)
    return await bounded(lambda: declaration.function(**bound), declaration, call, default_timeout)


async def bounded(
    run: Callable[[], Awaitable[T]], declaration: Declaration, call: Call, default_timeout: float
) -> T:
    """Run something of a declaration's within its time.

    Raises:
        DeadlineExceeded: Where a read took longer than the declaration or server allows; it was cancelled.
        OutcomeUnknown: Where a write did.
        Unexpected: Where it failed in a way nobody planned for; the log has the rest.
    """
    name = declaration.name
    timeout = declaration.timeout or default_timeout
    call.deadline = time.monotonic() + timeout
    try:
        with anyio.move_on_after(timeout):
            return await run()
    except (RingmainError, MCPError):
        raise
    except Exception as error:
        _log.exception("%s failed", name)
        raise Unexpected(
            f"`{name}` failed unexpectedly. The operator finds the reason in the log under {call.id}."
        ) from error
    if declaration.access == "read":
        raise DeadlineExceeded(f"`{name}` took longer than {timeout:g} s and was cancelled. Ask for less.")
    raise OutcomeUnknown(
        f"`{name}` took longer than {timeout:g} s and was cancelled, perhaps too late. Check whether it has "
        "happened before you try again."
    )
