"""Asking a person before something is done: about exactly this, in both protocol eras."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, cast

import mcp_types as types

from ringmain_core.call import Call
from ringmain_core.errors import ConfirmationNeeded, Declined

_OURS = "ringmain:"
_ANSWER = "confirm"


class Ask(Exception):
    """Ends a round: the client has to put this question to its user before the function can go on."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(key)
        self.key = key
        self.message = message

    def question(self, call: Call) -> types.InputRequiredResult:
        """The question as the protocol puts it, with all that was confirmed in earlier rounds."""
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {_ANSWER: {"type": "boolean", "title": "Do it"}},
            "required": [_ANSWER],
        }
        form = types.ElicitRequestFormParams(message=self.message, requested_schema=schema)
        asked = {self.key: _digest(self.message)}
        return types.InputRequiredResult(
            input_requests={self.key: types.ElicitRequest(params=form)},
            request_state=_state(call, asked=asked),
        )


async def confirm(call: Call, key: str, message: str) -> None:
    """Go on only where a person has said yes to this very message.

    A function that asks runs again when the answer is there, so what stands before must have no effect. `key`
    names the question within the call; `message` says what is about to happen, in words for a person.

    Raises:
        Ask: Where nobody has been asked yet; `invoke` turns it into the protocol's question.
        Declined: Where a person said no.
        ConfirmationNeeded: Where the client cannot ask.
    """
    if call.confirmed.get(key) == _digest(message):
        return
    answer = call.input_responses.get(key)
    if answer is None or call.asked.get(key) != _digest(message):
        _require_forms(call)
        raise Ask(key, message)
    if isinstance(answer, types.ElicitResult) and answer.action == "accept" and _says_yes(answer.content):
        call.confirmed[key] = _digest(message)
        return
    raise Declined("The person who was asked said no. Do not try it again unless they ask for it.")


async def confirm_destructive(call: Call, key: str, message: str) -> None:
    """The same, for what only some calls of a tool do: policy waives it as it does for destructive tools."""
    if call.grant.confirm_destructive:
        await confirm(call, key, message)


def read_state(call: Call) -> None:
    """Take what earlier rounds have confirmed out of the request's state, which the server has sealed."""
    state = call.request_state
    if state is None or not state.startswith(_OURS):
        return
    ours = json.loads(state.removeprefix(_OURS))
    call.confirmed, call.asked = dict(ours["confirmed"]), dict(ours["asked"])
    call.request_state = ours["own"]


def with_state(call: Call, result: types.InputRequiredResult) -> types.InputRequiredResult:
    """A function's own question, which must not make forget what was confirmed before."""
    if not call.confirmed:
        return result
    return result.model_copy(update={"request_state": _state(call, own=result.request_state)})


def _state(call: Call, *, asked: Mapping[str, str] | None = None, own: str | None = None) -> str:
    return _OURS + json.dumps({"confirmed": call.confirmed, "asked": dict(asked or {}), "own": own})


def _require_forms(call: Call) -> None:
    declared = call.client.client_capabilities
    forms = declared.elicitation if declared is not None else None
    if forms is None or (forms.form is None and forms.url is not None):
        raise ConfirmationNeeded(
            "A person has to confirm this, and this client cannot ask one (it has no form elicitation). Use "
            "one that can, or let the operator waive it (`confirm` or `flow` of the role in the policy file)."
        )


def _says_yes(content: object) -> bool:
    return isinstance(content, Mapping) and cast("Mapping[str, Any]", content).get(_ANSWER) is True


def _digest(message: str) -> str:
    return hashlib.blake2b(message.encode(errors="replace"), digest_size=16).hexdigest()
