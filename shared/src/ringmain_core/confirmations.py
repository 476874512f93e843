"""Asking a person before something is done: about exactly this, in both protocol eras."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import mcp_types as types

from ringmain_core.call import Call
from ringmain_core.errors import ConfirmationNeeded, Declined, StateLost
from ringmain_core.state import State, StateUnavailable

ANSWERED_WITHIN = 600.0
"""Seconds that a person has for an answer; a request's sealed state lives as long."""

_USED_UP_FOR = 2 * ANSWERED_WITHIN  # clocks of replicas differ
_RETRY_MS = 1_000
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
    names the question within the call; `message` says what is about to happen, in words for a person. A
    yes is good for one request: where a client sends it again, its user is asked again.

    Raises:
        Ask: Where nobody has been asked yet; `invoke` turns it into the protocol's question.
        Declined: Where a person said no.
        ConfirmationNeeded: Where the client cannot ask.
        StateLost: Where it cannot be known whether the yes was used before.
    """
    if not (_said_yes(call, key, message) and await _comes_first(call)):
        _require_forms(call)
        raise Ask(key, message)
    call.confirmed[key] = _digest(message)


async def confirm_destructive(call: Call, key: str, message: str) -> None:
    """The same, for what only some calls of a tool do: policy waives it as it does for destructive tools."""
    if call.grant.confirm_destructive:
        await confirm(call, key, message)


@dataclass(frozen=True, slots=True)
class Nonces:
    """Those that were used up lately, here or by another replica."""

    state: State

    async def use_up(self, nonce: str) -> bool:
        """Use one up; False where it was.

        Raises:
            StateUnavailable: Where that is not known.
        """
        return await self.state.put(f"nonce:{nonce}", b"", _USED_UP_FOR, only_if_absent=True)


def read_state(call: Call) -> None:
    """Take what earlier rounds have confirmed out of the request's state, which the server has sealed."""
    state = call.request_state
    if state is None or not state.startswith(_OURS):
        return
    ours = json.loads(state.removeprefix(_OURS))
    call.confirmed, call.asked = dict(ours["confirmed"]), dict(ours["asked"])
    call.nonce, call.request_state = ours["nonce"], ours["own"]


def with_state(call: Call, result: types.InputRequiredResult) -> types.InputRequiredResult:
    """A function's own question, which must not make forget what was confirmed before."""
    if not _confirmed(call):
        return result
    return result.model_copy(update={"request_state": _state(call, own=result.request_state)})


def _state(call: Call, *, asked: Mapping[str, str] | None = None, own: str | None = None) -> str:
    # In a session the state stays here, and cannot come twice.
    nonce = None if call.in_session else secrets.token_urlsafe(16)
    state = {"confirmed": _confirmed(call), "asked": dict(asked or {}), "own": own, "nonce": nonce}
    return _OURS + json.dumps(state)


def _confirmed(call: Call) -> Mapping[str, str]:
    """What the next round may rely on: nothing that this one's state still says, or there would be two."""
    return call.confirmed if call.nonce is None else {}


def _said_yes(call: Call, key: str, message: str) -> bool:
    """Whether a person has, in this round or an earlier one.

    Raises:
        Declined: Where a person said no.
    """
    digest = _digest(message)
    if call.confirmed.get(key) == digest:
        return True
    answer = call.input_responses.get(key)
    if answer is None or call.asked.get(key) != digest:
        return False
    if isinstance(answer, types.ElicitResult) and answer.action == "accept" and _says_yes(answer.content):
        return True
    raise Declined("The person who was asked said no. Do not try it again unless they ask for it.")


async def _comes_first(call: Call) -> bool:
    """Whether no other request has used the state of this round; from now on none can.

    Raises:
        StateLost: Where that cannot be known.
    """
    if call.nonce is None:
        return True
    if call.use_up is None:
        return False
    try:
        unused = await call.use_up(call.nonce)
    except StateUnavailable as error:
        raise StateLost(
            "Whether this yes was used before is not known now, so nothing is done. Try again in a moment.",
            retry_after_ms=_RETRY_MS,
        ) from error
    call.nonce = None
    if not unused:
        call.confirmed, call.asked = {}, {}
    return unused


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
