"""Every refusal of a gate: a JSON-RPC error with its code, and an HTTP status where there is HTTP."""

from typing import ClassVar

from ringmain_core.errors import RingmainError


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


class BodyTimeout(Refusal):
    """The request body was too long in coming."""

    code = "body_timeout"
    retryable = True
    rpc_code = -32015
    http_status = 408


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
