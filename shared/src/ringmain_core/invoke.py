"""Runs a declared function: arguments, deadline, and no failure without words for the caller."""

import logging
import time
from collections.abc import Mapping
from typing import Any

import anyio
from mcp.shared.exceptions import MCPError

from ringmain_core.call import Call
from ringmain_core.errors import DeadlineExceeded, RingmainError, Unexpected
from ringmain_core.tooling import Declaration

_log = logging.getLogger(__name__)


async def invoke(
    declaration: Declaration, raw: Mapping[str, Any], call: Call, upstream: object, default_timeout: float
) -> Any:
    """Validate the arguments and run the function.

    Raises:
        InvalidArguments: Where the arguments do not fit.
        DeadlineExceeded: Where it took longer than the declaration or the server allows; it was cancelled.
        Unexpected: Where it failed in a way nobody planned for; the log has the rest.
    """
    bound = declaration.arguments.bind(raw, call, upstream)
    timeout = declaration.timeout or default_timeout
    call.deadline = time.monotonic() + timeout
    try:
        with anyio.move_on_after(timeout):
            return await declaration.function(**bound)
    except (RingmainError, MCPError):
        raise
    except Exception as error:
        _log.exception("%s failed", declaration.name)
        raise Unexpected(
            f"`{declaration.name}` failed unexpectedly. The operator finds the reason in the log under {call.id}."
        ) from error
    raise DeadlineExceeded(
        f"`{declaration.name}` took longer than {timeout:g} s and was cancelled. Ask for less."
    )
