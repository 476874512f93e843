"""W3C trace context: what a caller says about the trace that its request belongs to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_MOST_STATE = 512
_MOST_MEMBERS = 32
_PARENT = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
)
_MEMBER = re.compile(
    r"([a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})"
    r"=([\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e])"
)


@dataclass(frozen=True, slots=True)
class Parent:
    """The span that a request was sent from.

    Attributes:
        flags: Bit 0 says that the caller records its trace.
        state: What tracing systems on the way have to say, by their names.
    """

    trace_id: str
    span_id: str
    flags: int
    state: tuple[tuple[str, str], ...] = ()


def parent_in(carrier: Mapping[str, object] | None) -> Parent | None:
    """Read `traceparent` and `tracestate`; a malformed parent is none, a malformed state is empty."""
    if carrier is None:
        return None
    traceparent = carrier.get("traceparent")
    found = _PARENT.fullmatch(traceparent) if isinstance(traceparent, str) else None
    if found is None or (found[1] == "00" and found[5]):
        return None
    return Parent(found[2], found[3], int(found[4], 16), _state(carrier.get("tracestate")))


def _state(written: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(written, str) or len(written) > _MOST_STATE:
        return ()
    members = [_MEMBER.fullmatch(member.strip(" \t")) for member in written.split(",") if member.strip(" \t")]
    pairs = {member[1]: member[2] for member in members if member is not None}
    whole = len(pairs) == len(members) <= _MOST_MEMBERS
    return tuple(pairs.items()) if whole else ()
