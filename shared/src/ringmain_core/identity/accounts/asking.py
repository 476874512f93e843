"""Turns a missing account into the protocol's own way to send a person to a page, if the client has it."""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import mcp_types as types
from mcp.shared.exceptions import MCPError

from ringmain_core.call import Call
from ringmain_core.errors import AccountNeeded

_QUESTION = "account"
_LOOK_AGAIN = 0.5  # seconds
_AT_MOST = 25.0  # clients often wait no longer than a minute for an answer


async def with_account(run: Callable[[], Awaitable[Any]], call: Call) -> Any:
    """Run a function that may need an account.

    A client that can open links is asked to: since 2026-07-28 the call comes again when it has, and waits a
    while for the person to finish; before, an error that holds the link ends the call. To all others, and
    where the person takes longer, the failure says the same in words.

    Raises:
        AccountNeeded: Where the client cannot open links, or the account has not come.
        MCPError: `URL_ELICITATION_REQUIRED`, for clients of 2025-11-25.
    """
    try:
        return await run()
    except AccountNeeded as needed:
        if not _opens_links(call):
            raise
        answer = call.input_responses.get(_QUESTION)
        if answer is None:
            return _question(call, needed)
        agreed = isinstance(answer, types.ElicitResult) and answer.action == "accept"
        if not agreed or not await _comes(needed):
            raise
    return await run()


async def _comes(needed: AccountNeeded) -> bool:
    """Wait for a person who has opened the link; whichever process serves the pages, the account says it."""
    with anyio.move_on_after(_AT_MOST):
        while not await needed.is_there():  # noqa: ASYNC110 (it may come to any replica)
            await anyio.sleep(_LOOK_AGAIN)
        return True
    return False


def _question(call: Call, needed: AccountNeeded) -> types.InputRequiredResult:
    asked = types.ElicitRequestURLParams(message=needed.message, url=needed.url)
    if call.in_session:
        asked.elicitation_id = call.id
        shown = asked.model_dump(by_alias=True, mode="json", exclude_none=True)
        raise MCPError(
            types.URL_ELICITATION_REQUIRED, needed.message, {"elicitations": [shown], **needed.fields()}
        )
    return types.InputRequiredResult(
        input_requests={_QUESTION: types.ElicitRequest(params=asked)}, request_state=call.request_state
    )


def _opens_links(call: Call) -> bool:
    declared = call.client.client_capabilities
    return declared is not None and declared.elicitation is not None and declared.elicitation.url is not None
