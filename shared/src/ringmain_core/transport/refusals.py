"""Refusals in terms of HTTP: status line, headers, body."""

import json

from starlette.types import Message, Send

from ringmain_core.errors import Refusal, Unauthenticated


def _headers_of(refusal: Refusal) -> list[tuple[bytes, bytes]]:
    headers: list[tuple[bytes, bytes]] = []
    if refusal.retry_after_ms is not None:
        headers.append((b"retry-after", str(-(-refusal.retry_after_ms // 1000)).encode()))
    if isinstance(refusal, Unauthenticated):
        headers.append((b"www-authenticate", b'Bearer realm="ringmain"'))
    return headers


def restated(start: Message, refusal: Refusal) -> Message:
    """The start of an answer, with the status and headers of a refusal."""
    return {
        **start,
        "status": refusal.http_status,
        "headers": [*start.get("headers", ()), *_headers_of(refusal)],
    }


async def answer(refusal: Refusal, send: Send) -> None:
    """Answer a request that never became a call."""
    error = {"code": refusal.rpc_code, "message": refusal.message, "data": refusal.fields()}
    body = json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *_headers_of(refusal),
    ]
    await send({"type": "http.response.start", "status": refusal.http_status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
