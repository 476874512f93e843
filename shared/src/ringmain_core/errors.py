"""Every failure a caller may see: each has a stable code and a sentence that says what to do next."""

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

ERROR_META = "dev.ringmain/error"
"""The `_meta` key under which a failed tool result repeats the error's fields."""


class RingmainError(Exception):
    """A failure with words for the caller.

    Args:
        message: What went wrong and what to do next, in one or two sentences.
        retry_after_ms: When the same call may succeed, where that is known.
        detail: Further JSON values for programs; they reach the caller, so nothing secret.
    """

    code: ClassVar[str]
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, retry_after_ms: int | None = None, **detail: Any) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_ms = retry_after_ms
        self.detail = detail

    def fields(self) -> dict[str, Any]:
        """The failure as data: `code`, `retryable`, `retry_after_ms` where known, and its details."""
        fields: dict[str, Any] = {"code": self.code, "retryable": self.retryable}
        if self.retry_after_ms is not None:
            fields["retry_after_ms"] = self.retry_after_ms
        return fields | self.detail


class ToolFailure(RingmainError):
    """The tool ran, or tried to, and did not succeed: a result with `isError`, which the model can act on.

    Attributes:
        gate: For a failure that is a refusal: what refused, for the record.
    """

    code = "failed"
    gate: ClassVar[str | None] = None


class InvalidArguments(ToolFailure):
    """The arguments do not fit the declaration."""

    code = "invalid_arguments"


class NotFound(ToolFailure):
    """There is no such object, or none that this caller may see: the two look alike."""

    code = "not_found"


class OutsideFence(ToolFailure):
    """The object exists for others, but policy keeps this caller away from it."""

    code = "outside_fence"
    gate = "fence"


class InvalidCursor(ToolFailure):
    """The cursor was not made here, not for this caller, or not for this tool."""

    code = "invalid_cursor"


class AnswerTooLarge(ToolFailure):
    """The answer would not fit its byte budget and cannot be cut without breaking its shape."""

    code = "answer_too_large"


class DeadlineExceeded(ToolFailure):
    """The call ran out of time; what it had started was cancelled."""

    code = "deadline_exceeded"
    retryable = True


class OutcomeUnknown(ToolFailure):
    """A write ran out of time: it may have happened or not, so it must not be tried again blindly."""

    code = "outcome_unknown"


class ConfirmationNeeded(ToolFailure):
    """A person has to say yes first, and the client has no way to ask one."""

    code = "confirmation_needed"
    gate = "confirm"


class Declined(ToolFailure):
    """A person was asked and said no."""

    code = "declined"
    gate = "confirm"


class KeyReused(ToolFailure):
    """The idempotency key belongs to another action."""

    code = "idempotency_key_reused"


class InProgress(ToolFailure):
    """A call with the same idempotency key has not ended yet."""

    code = "in_progress"
    retryable = True


class StateLost(ToolFailure):
    """What replicas share cannot be reached, and doing this without it could do it twice."""

    code = "state_unavailable"
    retryable = True


class AccountNeeded(ToolFailure):
    """The caller has to connect an account at a provider first, or again; `url` is where a person can.

    Args:
        message: As of every failure; it carries the link too, for clients that show nothing else.
        url: The link; it works once, for some minutes.
        provider: Which kind of account.
        is_there: Says whether the account has come meanwhile.
    """

    code = "account_needed"

    def __init__(
        self, message: str, *, url: str, provider: str, is_there: Callable[[], Awaitable[bool]]
    ) -> None:
        super().__init__(message, url=url, provider=provider)
        self.url = url
        self.is_there = is_there


class UpstreamUnavailable(ToolFailure):
    """The system behind the connector cannot be reached, or went away."""

    code = "upstream_unavailable"
    retryable = True


class UpstreamRefused(ToolFailure):
    """The system behind the connector answered with an error of its own."""

    code = "upstream_refused"


class Unexpected(ToolFailure):
    """A defect: the caller sees a correlation id, the log has the rest."""

    code = "internal"


class Refusal(RingmainError):
    """A gate said no before anything ran: a JSON-RPC error, and an HTTP status where there is HTTP."""

    rpc_code: ClassVar[int]
    http_status: ClassVar[int]


class Unauthenticated(Refusal):
    """No credential, or none that is known."""

    code = "unauthenticated"
    rpc_code = -32001
    http_status = 401


class InvalidToken(Unauthenticated):
    """A credential that is not known, or not good any more; the log has the reason."""

    code = "invalid_token"


class InsufficientScope(Refusal):
    """Policy would allow it, but the token was given for less; one with `scope` would do."""

    code = "insufficient_scope"
    rpc_code = -32003
    http_status = 403


class IdentityUnavailable(Refusal):
    """Who is calling cannot be found out now: the issuer's keys cannot be had."""

    code = "identity_unavailable"
    retryable = True
    rpc_code = -32004
    http_status = 503


class Unknown(Refusal):
    """No such tool, prompt or method for this caller: what policy hides looks like what is not there."""

    code = "unknown"
    rpc_code = -32602
    http_status = 400


class UnknownMethod(Refusal):
    """A method that this server does not speak."""

    code = "unknown_method"
    rpc_code = -32601
    http_status = 404


class UnknownResource(Refusal):
    """No such resource for this caller.

    The protocol's own code for it depends on the revision: -32602 from 2026-07-28 on, -32002 before.
    """

    code = "unknown_resource"
    rpc_code = -32602
    http_status = 400


class VersionGone(Refusal):
    """This version of the API is past its sunset."""

    code = "version_gone"
    rpc_code = -32012
    http_status = 410


class NotLive(Refusal):
    """A resource that never tells when it changes."""

    code = "not_live"
    rpc_code = -32602
    http_status = 400


class NoStream(Refusal):
    """This server is set up so that it cannot tell a client anything but the answers to its requests."""

    code = "no_stream"
    rpc_code = -32014
    http_status = 406


class RateLimited(Refusal):
    """Too many calls at once or in too short a time."""

    code = "rate_limited"
    retryable = True
    rpc_code = -32005
    http_status = 429


class LoopDetected(Refusal):
    """The same call has failed again and again: it needs other arguments, or a person."""

    code = "loop_detected"
    rpc_code = -32013
    http_status = 429


class NotOnRecord(Refusal):
    """The audit trail cannot be written, so nothing is done."""

    code = "audit_unavailable"
    retryable = True
    rpc_code = -32006
    http_status = 503


class OutcomeNotOnRecord(Refusal):
    """A write was tried, but how it ended cannot be put on record."""

    code = "outcome_not_on_record"
    rpc_code = -32006
    http_status = 503


class Draining(Refusal):
    """The process is about to end and takes nothing new that would hold it up."""

    code = "draining"
    retryable = True
    rpc_code = -32011
    http_status = 503


class PayloadTooLarge(Refusal):
    """The request body is over the limit."""

    code = "payload_too_large"
    rpc_code = -32007
    http_status = 413


class MalformedRequest(Refusal):
    """The bytes are not one JSON value that every reader would read alike."""

    code = "malformed_request"
    rpc_code = -32700
    http_status = 400


class Rejected(Refusal):
    """The protocol's own checks turned the request away before it became a call."""

    code = "rejected_by_protocol"
    rpc_code = -32600
    http_status = 400


class ForbiddenHost(Refusal):
    """The Host header names somebody else: DNS rebinding, or a missing entry in the settings."""

    code = "forbidden_host"
    rpc_code = -32008
    http_status = 421


class ForbiddenOrigin(Refusal):
    """A web page that is not on the list tries to call."""

    code = "forbidden_origin"
    rpc_code = -32009
    http_status = 403


class ConfigurationError(Exception):
    """The operator's settings cannot be used; the text names the setting and the remedy."""
