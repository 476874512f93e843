"""From a request to its answer: arguments, token, scopes, route."""

import json
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from standins.slack import (
    canvases,
    channels,
    chat,
    conversations,
    files,
    gate,
    marks,
    oauth,
    search,
    socket_mode,
    workspace,
)
from standins.slack.faults import Fault
from standins.slack.published import methods
from standins.slack.web import Asked, Handler, Refusal


@dataclass(frozen=True)
class Done:
    """An answer as it goes out."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    error: str = ""


@cache
def routes() -> dict[str, Handler]:
    """Every method that has a route."""
    modules = (
        workspace,
        conversations,
        channels,
        chat,
        marks,
        files,
        canvases,
        search,
        oauth,
        socket_mode,
    )
    return {name: handler for module in modules for name, handler in module.routes}


def answer(asked: Asked, fault: Fault | None) -> Done:
    """Answer a request, as a fault wants it or truly."""
    broken = fault.answer() if fault else None
    if broken is not None:
        find_token_of(asked)
        status, headers, body = broken
        if isinstance(body, str):
            return Done(status, headers, body.encode(), fault.kind if fault else "")
        return _json(asked, body, status, headers)
    try:
        return _json(asked, {"ok": True, **_given(asked)})
    except Refusal as refusal:
        return _json(asked, refusal.body)


def find_token_of(asked: Asked) -> None:
    """Know whose request it is, whatever is wrong with the token."""
    try:
        gate.known_token(asked)
    except Refusal:
        return


def _given(asked: Asked) -> dict[str, Any]:
    method, handler = methods().get(asked.method), routes().get(asked.method)
    if method is None or handler is None:
        asked.fake.violations.append(f"{asked.method}: no such method")
        raise Refusal("unknown_method", req_method=asked.method)
    gate.known_token(asked)
    gate.typed(asked, method)
    gate.admit(asked, method)
    try:
        return handler(asked) or {}
    except Refusal:
        raise
    except Exception:  # noqa: BLE001 (a defect of the fake fails the test, and says where)
        asked.fake.violations.append(f"{asked.method}: {traceback.format_exc()}")
        raise Refusal("fatal_error") from None


def _json(
    asked: Asked, body: dict[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Done:
    made = {
        "content-type": "application/json; charset=utf-8",
        "x-slack-req-id": f"fake{len(asked.fake.requests):08x}",
    }
    if asked.token is not None:
        made["x-oauth-scopes"] = ",".join(asked.token.scopes)
        method = methods().get(asked.method)
        wanted = (method.bot if asked.token.is_bot else method.user) if method else None
        made["x-accepted-oauth-scopes"] = ",".join(wanted or ())
    content = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    return Done(status, made | dict(headers or {}), content, str(body.get("error", "")))
