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


class ConfigurationError(Exception):
    """The operator's settings cannot be used; the text names the setting and the remedy."""
