"""How a call ended, in the few words that audit, counters and spans have for it."""

from typing import Any, NamedTuple, cast

import anyio
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from ringmain_core.audit.record import Outcome
from ringmain_core.call import Call
from ringmain_core.errors import ERROR_META, OutcomeUnknown
from ringmain_core.refusals import Refusal

_INVALID_PARAMS = -32602
_INTERNAL = -32603


class Ending(NamedTuple):
    """An outcome as the audit spells it, the stable code of a failure, and the JSON-RPC code of an error."""

    outcome: Outcome
    code: str = ""
    rpc_code: int | None = None

    @property
    def is_failure(self) -> bool:
        return self.outcome not in ("ok", "asked")


OK = Ending("ok")
_ASKED = Ending("asked")
_CANCELLED = Ending("cancelled")
_UNEXPECTED = Ending("error", "internal", _INTERNAL)


def ending_of(call: Call, result: dict[str, Any]) -> Ending:
    """How a call ended that was answered with a result, which may be a tool's failure."""
    if result.get("resultType") == "input_required":
        return _ASKED
    if not result.get("isError"):
        return OK
    meta = cast("dict[str, Any]", result.get("_meta") or {})
    code = cast("dict[str, Any]", meta.get(ERROR_META) or {}).get("code", "failed")
    return Ending("unknown" if code == OutcomeUnknown.code else _failed(call), code)


def ending_of_error(call: Call, error: BaseException) -> Ending:
    """How a call ended that was answered with an error, or not at all."""
    match error:
        case Refusal():
            return Ending(_failed(call), error.code, error.rpc_code)
        case MCPError():
            data: object = error.error.data
            named = cast("dict[str, Any]", data).get("code") if isinstance(data, dict) else None
            code = named if isinstance(named, str) else str(error.error.code)
            return Ending(_failed(call), code, error.error.code)
        case ValidationError():
            return Ending(_failed(call), "invalid_params", _INVALID_PARAMS)
        case _ if isinstance(error, anyio.get_cancelled_exc_class()):
            return _CANCELLED
        case _:
            return _UNEXPECTED


def _failed(call: Call) -> Outcome:
    return "error" if call.refused_by is None else "refused"
