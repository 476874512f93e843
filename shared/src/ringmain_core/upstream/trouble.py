"""What can go wrong with a system behind a connector, and how its callers are told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ringmain_core.errors import OutcomeUnknown, ToolFailure, UpstreamRefused, UpstreamUnavailable
from ringmain_core.policy import Access

Kind = Literal["transient", "refused", "throttled", "down", "auth"]

NOTHING_DONE = frozenset[Kind]({"throttled", "down"})
"""After these the system has done nothing, and has said nothing of what it did before."""

_RETRY_MS = 2_000


@dataclass(frozen=True)
class Trouble:
    """What an exception of a vendor's library means.

    Attributes:
        kind: `down`: not reached, so nothing has happened; `transient`: it broke, perhaps after the request
            was taken in; `throttled`: turned away because of too many; `refused`: answered with an error of
            its own; `auth`: our credentials are not accepted.
        retry_after: Seconds, where the system has said when to come back.
        message: One or two sentences for the caller, where the usual ones will not do.
        detail: Further JSON values for programs; they reach the caller. `cause` is taken.
    """

    kind: Kind
    retry_after: float | None = None
    message: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict[str, Any])


Classify = Callable[[Exception], Trouble | None]
"""A connector's judgement of an exception; `None` for one that is not the system's: a defect."""


def in_our_words(system: str, trouble: Trouble, *, access: Access, idempotent: bool) -> ToolFailure:
    """The failure that a caller sees."""
    wait = _RETRY_MS if trouble.retry_after is None else round(trouble.retry_after * 1000)
    match trouble.kind:
        case "refused":
            return UpstreamRefused(trouble.message or f"`{system}` refuses this.", **trouble.detail)
        case "auth":
            said = trouble.message or (
                f"`{system}` does not accept this server's credentials. Tell the operator to run `doctor`."
            )
            return UpstreamRefused(said, cause="auth", **trouble.detail)
        case "transient" if access != "read":
            again = "Repeating it is safe." if idempotent else "Check before you try again."
            said = f"The connection to `{system}` broke, so whether this has happened is not known. {again}"
            return OutcomeUnknown(said, **trouble.detail)
        case "throttled":
            usual = f"`{system}` takes no more calls for now. Try again in {wait} ms."
        case "down" | "transient":
            usual = f"`{system}` cannot be reached now. Try again in a few seconds."
    return UpstreamUnavailable(
        trouble.message or usual, retry_after_ms=wait, cause=trouble.kind, **trouble.detail
    )
