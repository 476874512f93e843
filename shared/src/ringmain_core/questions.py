"""What a function asks the client: the next round brings the answers, or the session of an older revision."""

from collections.abc import Awaitable, Callable
from typing import Any

import mcp_types as types
from mcp.server.validation import wants_sampling_tools
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types.methods import is_input_required

from ringmain_core.call import Call
from ringmain_core.confirmations import ANSWERED_WITHIN, Ask, read_state, with_state

_MOST_ROUNDS = 10


async def with_answers(
    run: Callable[[], Awaitable[Any]], call: Call, request_id: types.RequestId | None
) -> Any:
    """Run a function that may return an `InputRequiredResult`, or raise `Ask`.

    Since 2026-07-28 that result goes to the client, which calls again with its answers. Clients of earlier
    revisions are asked here, over their session, and the function is run again with what they say.

    Raises:
        MCPError: Where the client cannot answer such questions, or cannot be asked.
    """
    for _ in range(_MOST_ROUNDS):
        read_state(call)
        try:
            result = await run()
        except Ask as ask:
            asked = ask.question(call)
        else:
            if not is_input_required(result):
                return result
            asked = with_state(call, types.InputRequiredResult.model_validate(result))
        requests = asked.input_requests or {}
        for request in requests.values():
            _require_capability(call.client.client_capabilities or types.ClientCapabilities(), request)
        if not call.in_session:
            return asked
        call.input_responses = {key: await _ask(call, each, request_id) for key, each in requests.items()}
        call.request_state = asked.request_state
    raise MCPError(types.INTERNAL_ERROR, "This asks more than it should; nothing came of it.")


async def _ask(
    call: Call, request: types.InputRequest, request_id: types.RequestId | None
) -> types.InputResponse:
    kind: type[types.InputResponse]
    match request:
        case types.ElicitRequest():
            kind = types.ElicitResult
        case types.ListRootsRequest():
            kind = types.ListRootsResult
        case _:
            tools = wants_sampling_tools(request.params.tools, request.params.tool_choice)
            kind = types.CreateMessageResultWithTools if tools else types.CreateMessageResult
    return await call.client.send_request(
        request, kind, ANSWERED_WITHIN, ServerMessageMetadata(related_request_id=request_id)
    )


def _require_capability(declared: types.ClientCapabilities, request: types.InputRequest) -> None:
    """Raise where the client has not said that it can answer; `elicitation: {}` stands for forms."""
    match request:
        case types.ElicitRequest(params=types.ElicitRequestURLParams()):
            able = declared.elicitation is not None and declared.elicitation.url is not None
            needed = types.ClientCapabilities(
                elicitation=types.ElicitationCapability(url=types.UrlElicitationCapability())
            )
        case types.ElicitRequest():
            forms = declared.elicitation
            able = forms is not None and (forms.form is not None or forms.url is None)
            needed = types.ClientCapabilities(
                elicitation=types.ElicitationCapability(form=types.FormElicitationCapability())
            )
        case types.ListRootsRequest():
            able = declared.roots is not None
            needed = types.ClientCapabilities(roots=types.RootsCapability())
        case _:
            tools = wants_sampling_tools(request.params.tools, request.params.tool_choice)
            able = declared.sampling is not None and (not tools or declared.sampling.tools is not None)
            with_tools = types.SamplingToolsCapability() if tools else None
            needed = types.ClientCapabilities(sampling=types.SamplingCapability(tools=with_tools))
    if not able:
        raise MCPError(
            types.MISSING_REQUIRED_CLIENT_CAPABILITY,
            f"This asks the client with `{request.method}`, and the client has not said that it can answer.",
            types.MissingRequiredClientCapabilityErrorData(required_capabilities=needed).model_dump(
                by_alias=True, mode="json", exclude_none=True
            ),
        )
