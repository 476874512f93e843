"""From a request to its answer: method, token, scopes, parameters, route; the answer is checked, too."""

import json
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from standins.gdrive import (
    about,
    changes,
    comments,
    content,
    drives,
    files,
    gate,
    listing,
    oauth,
    permissions,
    proposals,
    revisions,
    validate,
)
from standins.gdrive.described import Method
from standins.gdrive.errors import Refusal
from standins.gdrive.web import Answering, Asked, Media

_JSON = {"content-type": "application/json; charset=UTF-8", "cache-control": "private, max-age=0"}


@dataclass(frozen=True)
class Done:
    """An answer as it goes out."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    reason: str = ""


@cache
def routes() -> dict[str, Answering]:
    """Everything that has a route."""
    modules = (
        about,
        listing,
        files,
        content,
        permissions,
        proposals,
        comments,
        revisions,
        changes,
        drives,
        oauth,
    )
    return {name: handler for module in modules for name, handler in module.routes}


def answer(asked: Asked) -> Done:
    """Answer a request, as its fault wants it or truly."""
    broken = asked.fault.page() if asked.fault is not None else None
    if broken is not None:
        _find_token(asked)
        status, headers, page = broken
        return Done(status, headers, page.encode(), "html")
    try:
        given = _given(asked)
    except Refusal as refusal:
        return refused(refusal)
    if given is None:
        return Done(204, {}, b"")
    if isinstance(given, Media):
        return Done(given.status, {"content-type": given.type, **given.headers}, given.data)
    if asked.fake.validating and asked.method is not None:
        found = validate.wrong(asked.method.response, given)
        asked.fake.violations += [f"{asked.name} answered: {one}" for one in found]
    return Done(200, _JSON, json.dumps(given, separators=(",", ":"), ensure_ascii=False).encode())


def refused(refusal: Refusal) -> Done:
    content = json.dumps(refusal.body, indent=1, ensure_ascii=False).encode()
    return Done(refusal.code, _JSON | refusal.headers, content, refusal.reason)


def _find_token(asked: Asked) -> None:
    try:
        gate.known_token(asked)
    except Refusal:
        return


def _given(asked: Asked) -> dict[str, object] | Media | None:
    wanted = asked.fault.refusal() if asked.fault is not None and asked.fault.kind != "done-500" else None
    if wanted is not None:
        _find_token(asked)
        raise wanted
    handler = routes().get(asked.name)
    if handler is None:
        asked.fake.violations.append(
            f"{asked.verb} {asked.path}: {asked.name or 'no such method'}, not served"
        )
        raise Refusal(404, "notFound", "Not Found")
    if asked.method is not None:
        _pass(asked, asked.method)
    try:
        return handler(asked)
    except Refusal:
        raise
    except Exception:  # noqa: BLE001 (a defect of the fake fails the test, and says where)
        asked.fake.violations.append(f"{asked.name}: {traceback.format_exc()}")
        raise Refusal(500, "internalError", "Internal Error") from None


def _pass(asked: Asked, method: Method) -> None:
    session = asked.fake.sessions.get(asked.given.get("upload_id", ""))
    if session is not None:
        asked.token = session.token  # the address of a session is enough
    else:
        gate.known_token(asked)
    gate.admit(asked, method.scopes, method.id)
    gate.typed(asked, method)
    gate.masked(asked, method)
    if not method.uploads:
        gate.body(asked, method, asked.content)
