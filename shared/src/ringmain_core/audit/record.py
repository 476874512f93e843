"""What one line of the audit log says."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal, Required, TypedDict

from pydantic_core import to_json

Phase = Literal["call", "intent", "outcome"]
Outcome = Literal["ok", "asked", "error", "refused", "cancelled", "unknown"]
"""`asked`: nothing has happened yet, a person has to answer first; that round is a request of its own."""

MAX_LINE = 1 << 20
_LONG_FIELD = 4096
_ORDINARY_LINE = 4096  # shorter than a number that Python refuses to read back
_encode = json.JSONEncoder(check_circular=False, allow_nan=False, separators=(",", ":")).encode


class AuditRecord(TypedDict, total=False):
    """One request. `time` and `seq` are added by the log; what is None or not set is left out of the line.

    A read is one `call`, written at its end. A side effect is an `intent` before it and an `outcome` after
    it, with the same `id`. `arguments` and `result` are JSON values that the caller has redacted.
    """

    id: Required[str]
    phase: Required[Phase]
    principal: str | None
    auth: Literal["local", "api_key", "jwt", "anonymous"] | None
    connector: str | None
    transport: Literal["stdio", "http", "sse"] | None
    method: str | None
    target: str | None
    version: str | None
    arguments: Any
    result: Any
    latency_ms: float | None
    outcome: Outcome | None
    code: str | None
    gate: str | None
    trace_id: str | None
    detail: Mapping[str, Any] | None


def encode(values: Mapping[str, Any]) -> bytes:
    """One line of ASCII JSON. A field that is no JSON value or makes the line too long is replaced by a
    digest.

    So an outcome never goes missing because of what it carries.
    """
    line = _encode_ordinary(values)
    if line is not None:
        return line
    try:
        text = _encode(values)
    except (TypeError, ValueError, RecursionError):
        text = ""
    if not 0 < len(text) < MAX_LINE - 256:
        text = _encode({name: _digest(value) for name, value in values.items()})
    return text.encode("ascii")


def _encode_ordinary(values: Mapping[str, Any]) -> bytes | None:
    """The line of nearly every record, six times as fast; None where it might not be strict ASCII JSON."""
    try:
        line = to_json(values, inf_nan_mode="constants")
    except ValueError:
        return None
    strict = line.isascii() and b"NaN" not in line and b"Infinity" not in line
    return line if strict and len(line) <= _ORDINARY_LINE else None


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
