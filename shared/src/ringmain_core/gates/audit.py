"""Everything goes on record: who asked for what, and what came of it; side effects before they happen."""

import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from ringmain_core.audit import AuditLog, AuditRecord, AuditUnavailable, Phase
from ringmain_core.call import NOTIFICATIONS, Call
from ringmain_core.connector import AnyConnector
from ringmain_core.declarations import Declaration
from ringmain_core.ending import Ending, ending_of, ending_of_error
from ringmain_core.gates import Next, Result
from ringmain_core.principal import AuthMethod, Principal
from ringmain_core.refusals import NotOnRecord, OutcomeNotOnRecord, Refusal
from ringmain_core.state import Quota
from ringmain_core.state.meters import LocalMeters

if TYPE_CHECKING:
    from ringmain_core.transport.front import Route

_KEPT_TEXT = 2_000
_KEPT_TARGET = 256
_MOST_NAMES = 20
_REFUSALS_PER_SECOND, _REFUSALS_AT_ONCE = 10.0, 200
_UNSEEN = {"lifetime", "rate_limit"}  # gates that refuse before anybody has looked at what is asked for
_UNAVAILABLE = "The audit trail cannot be written, so nothing is done. Tell the operator; try again later."
_OUTCOME_LOST = (
    "This was tried, but how it ended could not be put on record. Check whether it has happened before you "
    "try again, and tell the operator."
)


class Trail:
    """Turns calls into audit records.

    Args:
        log: Where the records go.
        digest: Makes the keyed digest of an answer.
        keep: Makes the beginning of an answer fit to be kept as well; `None` keeps none of it.
    """

    def __init__(
        self,
        connector: str,
        log: AuditLog,
        digest: Callable[[bytes], str],
        keep: Callable[[str], str] | None = None,
    ) -> None:
        self._connector = connector
        self._log = log
        self._digest = digest
        self._keep = keep
        self._refusals = LocalMeters()
        self._left_out = Counter[str]()

    def write(self, record: AuditRecord) -> None:
        """Put a finished record on disk before anything is answered."""
        if self._left_out:
            record["detail"] = {**(record.get("detail") or {}), "left_out": dict(self._left_out)}
        try:
            self._log.append(record)
        except AuditUnavailable as error:
            raise NotOnRecord(_UNAVAILABLE, retry_after_ms=5_000) from error
        self._left_out.clear()

    def write_refusal(self, record: AuditRecord, principal: Principal) -> None:
        """Put on record what was refused before anybody had looked at what is asked for.

        Nobody can fill the disk with that: beyond some a second of one caller they are counted, which the
        next record says.
        """
        quota = Quota(principal.owner, _REFUSALS_PER_SECOND, _REFUSALS_AT_ONCE, None)
        if self._refusals.admit([quota], "", 0.0) is None:
            self.write(record)
        else:
            self._left_out[principal.owner] += 1

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
            phase="call",
            connector=self._connector,
            principal=principal.id,
            auth=principal.auth,
            transport=transport,
            version=version,
            outcome="refused",
            code=refusal.code,
            gate="front",
        )
        self.write_refusal(record, principal)

    def write_account(self, owner: str, what: str) -> None:
        """Put on record that somebody's account was connected or forgotten."""
        self.write(account_record(self._connector, owner, what))

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
        if self._keep is not None:
            kept["text"] = self._keep(text[:_KEPT_TEXT])
        return kept


def account_record(connector: str, owner: str, what: str) -> AuditRecord:
    """The record of what became of an account: `accounts/connect` or `accounts/disconnect`."""
    auth, _, principal = owner.partition(":")
    return AuditRecord(
        id=secrets.token_hex(8),
        phase="call",
        connector=connector,
        principal=principal,
        auth=cast("AuthMethod", auth),
        method=what,
        outcome="ok",
    )


class Audit:
    """The outermost gate: one record for each request, refused ones included, see `Trail.write_refusal`.

    Of notifications, those that were refused.
    """

    def __init__(self, connector: AnyConnector, trail: Trail) -> None:
        self._views = connector.views
        self._trail = trail

    async def __call__(self, call: Call, proceed: Next) -> Result:
        try:
            result = await proceed()
        except BaseException as error:
            ending = ending_of_error(call, error)
            lost = (NotOnRecord, OutcomeNotOnRecord) if ending.outcome == "cancelled" else ()
            with suppress(*lost):  # a cancellation must go on, whatever happens
                self._close(call, ending)
            raise
        if not call.method.startswith(NOTIFICATIONS):
            self._close(call, ending_of(call, result), result)
        return result

    def _close(self, call: Call, ending: Ending, result: Result | None = None) -> None:
        record = _record(call, "outcome" if call.intended else "call")
        if not call.intended:
            record["arguments"] = arguments_on_record(call, self._views[call.version])
        if result is not None:
            record["result"] = self._trail.summary(result)
        record["latency_ms"] = round((time.monotonic() - call.started) * 1000, 3)
        record["outcome"] = ending.outcome
        record["code"] = ending.code or None
        record["gate"] = call.refused_by if ending.is_failure else None
        if call.refused_by in _UNSEEN:
            self._trail.write_refusal(record, call.principal)
            return
        try:
            self._trail.write(record)
        except NotOnRecord as error:
            if call.intended:
                raise OutcomeNotOnRecord(_OUTCOME_LOST) from error
            raise


class Intent:
    """The innermost gate: what may change the world is on record before it is tried.

    It is written when everything else has been seen to: arguments, confirmation, whether it was done before.
    """

    def __init__(self, connector: AnyConnector, trail: Trail) -> None:
        self._views = connector.views
        self._trail = trail

    async def __call__(self, call: Call, proceed: Next) -> Result:
        if call.method == "tools/call" and call.declaration is not None and call.declaration.access != "read":
            call.before_effect = partial(self._put_on_record, call)
        return await proceed()

    async def _put_on_record(self, call: Call) -> None:
        record = _record(call, "intent")
        record["arguments"] = arguments_on_record(call, self._views[call.version])
        call.intended = True  # before the wait for the disk: when that is cancelled, the line is written
        try:
            await self._trail.write_intent(record)
        except NotOnRecord:
            call.intended, call.refused_by = False, "audit"
            raise


def arguments_on_record(call: Call, connector: AnyConnector) -> dict[str, Any] | None:
    """The arguments as the declaration lets them be kept; where nobody has looked at them, only the names."""
    arguments = call.arguments
    if not arguments:
        return None
    if call.refused_by in _UNSEEN:
        return _names_of(arguments)
    declaration: Declaration | None = call.declaration
    if declaration is None and call.target is not None:
        known = {"tools/call": connector.tools_by_name, "prompts/get": connector.prompts_by_name}
        declaration = known.get(call.method, {}).get(call.target)
    if declaration is None:
        return _names_of(arguments)
    return declaration.arguments.on_record(arguments)


def _names_of(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The first names, and how long texts are."""
    return {
        name[:64]: f"<not read, {len(value):,} characters>" if isinstance(value, str) else "<not read>"
        for name, value in islice(arguments.items(), _MOST_NAMES)
    }


def _record(call: Call, phase: Phase) -> AuditRecord:
    principal, target = call.principal, call.target
    return {
        "id": call.id,
        "phase": phase,
        "principal": principal.id,
        "auth": principal.auth,
        "connector": call.connector,
        "transport": call.transport,
        "method": call.method,
        "target": target if target is None else target[:_KEPT_TARGET],
        "version": call.version,
        "trace_id": call.trace_id,
    }


def _text_of(result: Result) -> str:
    """The text that an answer carries, whichever kind of answer it is."""
    parts: list[str] = []
    blocks = result.get("content") or result.get("contents") or result.get("messages")
    for block in cast("list[object]", blocks) if isinstance(blocks, list) else []:
        body = cast("dict[str, Any]", block).get("content", block) if isinstance(block, dict) else None
        if isinstance(body, dict):
            body = cast("dict[str, Any]", body)
            parts.append(str(body.get("text") or body.get("blob") or body.get("data") or ""))
    return "\n".join(parts)
