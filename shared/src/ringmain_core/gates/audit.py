"""Everything goes on record: what was asked, by whom, what came of it; a side effect also before it happens."""

import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import anyio
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from ringmain_core.audit import AuditLog, AuditRecord, AuditUnavailable
from ringmain_core.call import Call
from ringmain_core.connector import AnyConnector
from ringmain_core.errors import ERROR_META, NotOnRecord, Refusal
from ringmain_core.gates import Next, Result
from ringmain_core.principal import Principal
from ringmain_core.tooling import Declaration

if TYPE_CHECKING:
    from ringmain_core.transport.front import Route

_KEPT_TEXT = 2_000
_UNAVAILABLE = "The audit trail cannot be written, so nothing is done. Tell the operator; try again later."


class Trail:
    """Turns calls into audit records.

    Args:
        log: Where the records go.
        digest: Makes the keyed digest of an answer.
        keep_text: Keep the beginning of each answer as well.
    """

    def __init__(self, connector: str, log: AuditLog, digest: Callable[[bytes], str], *, keep_text: bool) -> None:
        self._connector = connector
        self._log = log
        self._digest = digest
        self._keep_text = keep_text

    def write(self, record: AuditRecord) -> None:
        """Put a finished record on disk before anything is answered."""
        try:
            self._log.append(record)
        except AuditUnavailable as error:
            raise NotOnRecord(_UNAVAILABLE, retry_after_ms=5_000) from error

    async def write_intent(self, record: AuditRecord) -> None:
        """Put an intent on disk, durably, before the side effect."""
        try:
            await self._log.append_durable(record)
        except AuditUnavailable as error:
            raise NotOnRecord(_UNAVAILABLE, retry_after_ms=5_000) from error

    def write_unserved(self, refusal: Refusal, principal: Principal, route: "Route | None") -> None:
        """Put on record a request that was refused before it became a call: no key, too large, not JSON."""
        transport = route.transport if route is not None else "http"
        version = route.version if route is not None else None
        record = AuditRecord(
            id=secrets.token_hex(8),
            connector=self._connector,
            principal=principal.id,
            auth=principal.auth,
            transport=transport,
            version=version,
            outcome="refused",
            code=refusal.code,
            gate="front",
        )
        self.write(record)

    def summary(self, result: Result) -> dict[str, Any] | None:
        """What the record keeps of an answer: its size, a keyed digest, and its beginning where so set."""
        text = _text_of(result)
        if not text:
            return None
        encoded = text.encode(errors="surrogatepass")
        kept: dict[str, Any] = {
            "bytes": len(encoded),
            "hmac": self._digest(encoded)[:32],
        }
        if self._keep_text:
            kept["text"] = text[:_KEPT_TEXT]
        return kept


class Audit:
    """The outermost gate: one record for each request, refused ones included."""

    def __init__(self, connector: AnyConnector, trail: Trail) -> None:
        self._connector = connector
        self._trail = trail

    async def __call__(self, call: Call, proceed: Next) -> Result:
        try:
            result = await proceed()
        except Refusal as refusal:
            self._close(call, outcome="refused", code=refusal.code, gate=call.refused_by or "access")
            raise
        except (MCPError, ValidationError) as error:
            self._close(call, outcome="error", code=_code_of(error))
            raise
        except anyio.get_cancelled_exc_class():
            self._close(call, outcome="cancelled")
            raise
        except BaseException:
            self._close(call, outcome="error", code="internal")
            raise
        if result.get("isError"):
            fault = cast("dict[str, Any]", result.get("_meta") or {}).get(ERROR_META) or {}
            self._close(call, outcome="error", code=fault.get("code", "failed"), result=result)
        else:
            self._close(call, outcome="ok", result=result)
        return result

    def _close(self, call: Call, *, result: Result | None = None, **ending: Any) -> None:
        latency = round((time.monotonic() - call.started) * 1000, 3)
        phase = "outcome" if call.intended else "call"
        arguments = None if call.intended else arguments_on_record(call, self._connector)
        summary = self._trail.summary(result) if result is not None else None
        self._trail.write(
            _record(call, phase=phase, arguments=arguments, result=summary, latency_ms=latency, **ending)
        )


class Intent:
    """The innermost gate: what may change the world is on record before it is tried."""

    def __init__(self, connector: AnyConnector, trail: Trail) -> None:
        self._connector = connector
        self._trail = trail

    async def __call__(self, call: Call, proceed: Next) -> Result:
        if call.method == "tools/call" and call.declaration is not None and call.declaration.access != "read":
            arguments = arguments_on_record(call, self._connector)
            await self._trail.write_intent(_record(call, phase="intent", arguments=arguments))
            call.intended = True
        return await proceed()


def arguments_on_record(call: Call, connector: AnyConnector) -> dict[str, Any] | None:
    """The arguments as the declaration lets them be kept; of an unknown target's, only the names."""
    if not call.arguments:
        return None
    declaration: Declaration | None = call.declaration
    if declaration is None and call.target is not None:
        known = {"tools/call": connector.tools_by_name, "prompts/get": connector.prompts_by_name}
        declaration = known.get(call.method, {}).get(call.target)
    if declaration is None:
        return dict.fromkeys((name[:64] for name in call.arguments), "<not read>")
    return declaration.arguments.on_record(call.arguments)


def _record(call: Call, **values: Any) -> AuditRecord:
    return AuditRecord(
        id=call.id,
        principal=call.principal.id,
        auth=call.principal.auth,
        connector=call.connector,
        transport=call.transport,
        version=call.version,
        method=call.method,
        target=call.target,
        trace_id=call.trace_id,
        **values,
    )


def _code_of(error: MCPError | ValidationError) -> str:
    if isinstance(error, ValidationError):
        return "invalid_params"
    data = error.error.data
    named = cast("dict[str, Any]", data).get("code") if isinstance(data, dict) else None
    return named if isinstance(named, str) else str(error.error.code)


def _text_of(result: Result) -> str:
    """The text that an answer carries, whichever kind of answer it is."""
    parts: list[str] = []
    for block in result.get("content") or result.get("contents") or result.get("messages") or ():
        body = block.get("content", block)
        if isinstance(body, dict):
            body = cast("dict[str, Any]", body)
            parts.append(str(body.get("text") or body.get("blob") or body.get("data") or ""))
    return "\n".join(parts)
