"""What one line of the audit log says."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Literal

Phase = Literal["call", "intent", "outcome"]
Outcome = Literal["ok", "error", "refused", "cancelled", "unknown"]

MAX_LINE = 1 << 20
_LONG_FIELD = 4096
_encode = json.JSONEncoder(check_circular=False, allow_nan=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """One request. `time` and `seq` are added by the log; what is None is left out of the line.

    A read is one `call`, written at its end. A side effect is an `intent` before it and an `outcome` after
    it, with the same `id`. `arguments` and `result` are JSON values that the caller has redacted.
    """

    id: str
    phase: Phase = "call"
    principal: str | None = None
    auth: Literal["local", "api_key", "jwt", "anonymous"] | None = None
    connector: str | None = None
    transport: Literal["stdio", "http", "sse"] | None = None
    method: str | None = None
    target: str | None = None
    version: str | None = None
    arguments: Any = None
    result: Any = None
    latency_ms: float | None = None
    outcome: Outcome | None = None
    code: str | None = None
    gate: str | None = None
    trace_id: str | None = None
    detail: Mapping[str, Any] | None = None

    def values(self) -> dict[str, Any]:
        return {name: value for name, value in zip(_NAMES, _get(self), strict=True) if value is not None}


_NAMES = tuple(field.name for field in fields(AuditRecord))
_get = attrgetter(*_NAMES)


def encode(values: dict[str, Any]) -> bytes:
    """One line of ASCII JSON. A field that is no JSON value or makes the line too long is replaced by a
    digest.

    So an outcome never goes missing because of what it carries.
    """
    try:
        line = _encode(values)
    except (TypeError, ValueError, RecursionError):
        line = ""
    if not 0 < len(line) < MAX_LINE - 256:
        line = _encode({name: _digest(value) for name, value in values.items()})
    return line.encode("ascii")


def _digest(value: Any) -> Any:
    try:
        text = _encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        return {"omitted": type(error).__name__}
    if len(text) <= _LONG_FIELD:
        return value
    return {
        "omitted": "too long",
        "bytes": len(text),
        "sha256": hashlib.sha256(text.encode("ascii")).hexdigest(),
    }


def decode(line: bytes) -> dict[str, Any]:
    """Raises `ValueError` for anything but one JSON object without duplicate keys and without NaN."""
    try:
        value = json.loads(line, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 -- one error type for every malformed line
    return value  # pyright: ignore[reportUnknownVariableType]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("the same key twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
