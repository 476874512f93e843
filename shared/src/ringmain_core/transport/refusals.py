"""Refusals in terms of HTTP: status line, headers, body."""

import json
from collections.abc import Sequence

from starlette.types import Message, Send

from ringmain_core.refusals import BodyTimeout, InsufficientScope, InvalidToken, Refusal, Unauthenticated

_UNQUOTABLE = str.maketrans("", "", '"\\')

Challenge = Sequence[tuple[str, str]]
"""Parameters of `WWW-Authenticate` that say where and for what to get a token; empty where none are taken."""


def _headers_of(refusal: Refusal, challenge: Challenge) -> list[tuple[bytes, bytes]]:
    headers: list[tuple[bytes, bytes]] = []
    if refusal.retry_after_ms is not None:
        headers.append((b"retry-after", str(-(-refusal.retry_after_ms // 1000)).encode()))
    if isinstance(refusal, BodyTimeout):
        headers.append((b"connection", b"close"))  # what might still come is waited for no longer
    if isinstance(refusal, Unauthenticated | InsufficientScope):
        headers.append((b"www-authenticate", _www_authenticate(refusal, challenge)))
    return headers


def _www_authenticate(refusal: Unauthenticated | InsufficientScope, challenge: Challenge) -> bytes:
    """The header as RFC 6750 and RFC 9728 have it: without `error` where no credential was sent."""
    parameters = {"realm": "ringmain", **dict(challenge)}
    if isinstance(refusal, InvalidToken | InsufficientScope):
        parameters |= {"error": refusal.code, "error_description": refusal.message}
    if isinstance(refusal, InsufficientScope):
        parameters["scope"] = str(refusal.detail["scope"])
    quoted = (f'{name}="{value.translate(_UNQUOTABLE)}"' for name, value in parameters.items())
    return ("Bearer " + ", ".join(quoted)).encode("ascii", "replace")


def restated(start: Message, refusal: Refusal, challenge: Challenge) -> Message:
    """The start of an answer, with the status and headers of a refusal."""
    return {
        **start,
        "status": refusal.http_status,
        "headers": [*start.get("headers", ()), *_headers_of(refusal, challenge)],
    }


async def answer(refusal: Refusal, send: Send, challenge: Challenge = ()) -> None:
    """Answer a request that never became a call."""
    error = {"code": refusal.rpc_code, "message": refusal.message, "data": refusal.fields()}
    body = json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *_headers_of(refusal, challenge),
    ]
    await send({"type": "http.response.start", "status": refusal.http_status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
