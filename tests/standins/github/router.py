"""From a request to its answer: gate, validation, route, validation of the answer, ETag."""

import hashlib
import json
import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import unquote

from standins.github import (
    action_writes,
    actions,
    checks,
    comments,
    commits,
    described,
    gate,
    graphql_routes,
    identity,
    issue_parts,
    issues,
    pulls,
    releases,
    repositories,
    reviews,
    search,
    validate,
)
from standins.github.faults import LOST, Fault
from standins.github.web import Answer, Asked, Refusal, Route

_VIOLATION = 599


@dataclass(frozen=True)
class Done:
    """An answer as it goes out."""

    status: int
    headers: Mapping[str, str]
    content: bytes


@cache
def _routes() -> list[tuple[re.Pattern[str], Route]]:
    about_repositories = (repositories, commits, releases, checks, actions, action_writes)
    about_people = (identity, issues, issue_parts, comments, pulls, reviews, search, graphql_routes)
    modules = (*about_repositories, *about_people)
    every = [route for module in modules for route in module.routes]
    every.sort(key=lambda one: (-one.template.count("/"), one.template.count("{")))
    return [(route.pattern, route) for route in every]


def answer(asked: Asked, fault: Fault | None) -> Done:
    """Answer a request, as a fault wants it or truly."""
    fake = asked.fake
    route = None
    try:
        gate.known_token(asked)
        gate.same_name(asked)
        broken = fault.answer() if fault else None
        if broken is not None:
            given = Answer(broken[2], broken[0], broken[1])
        else:
            route = _route(asked)
            given = _given(asked, route)
            if fault is not None and fault.kind == "graphql-lost":
                given = Answer({"data": None, "errors": [{"message": LOST}]})
    except Refusal as refusal:
        given = Answer(refusal.body, refusal.status, refusal.headers)
    headers = gate.headers(asked, route, len(fake.requests)) | given.headers
    content = _content(given, headers)
    if route is not None and given.status == 200 and asked.method == "GET":
        headers["etag"] = f'W/"{hashlib.sha256(content).hexdigest()}"'
        if asked.headers.get("if-none-match") == headers["etag"]:
            if asked.token is not None:
                asked.token.used -= 1
            headers |= gate.headers(asked, route, len(fake.requests))
            return Done(304, headers, b"")
    return Done(given.status, headers, content)


def _route(asked: Asked) -> Route | None:
    for pattern, route in _routes():
        if route.method == asked.method and (found := pattern.fullmatch(asked.path)):
            asked.parts = {name: unquote(value) for name, value in found.groupdict().items()}
            return route
    return None


def _given(asked: Asked, route: Route | None) -> Answer:
    if route is None:
        template = described.template_of(asked.method, asked.path)
        why = f"the fake has no route for {template}" if template else "GitHub has no such operation"
        return _violated(asked, [f"{asked.method} {asked.path}: {why}"])
    own = route.template.startswith("/_") or route.template == "/graphql"
    if not own and (wrong := validate.request(route.method, route.template, asked.query, asked.body)):
        return _violated(asked, wrong)
    if route.template != "/rate_limit" and not route.template.startswith("/_"):
        gate.count(asked)
    if not route.template.startswith("/_"):
        gate.admit(asked, route)
    try:
        made = route.handler(asked)
    except Refusal:
        raise
    except Exception:  # noqa: BLE001 (a defect of the fake fails the test, and says where)
        return _violated(asked, [f"{asked.method} {asked.path}: {traceback.format_exc()}"])
    given = made if isinstance(made, Answer) else Answer(made)
    if not own and not isinstance(given.body, (str, bytes)):
        wrong = validate.response(route.method, route.template, given.status, given.body)
        if wrong:
            return _violated(asked, [f"the fake's own answer: {one}" for one in wrong])
    return given


def _violated(asked: Asked, wrong: list[str]) -> Answer:
    asked.fake.violations += wrong
    return Answer({"message": "; ".join(wrong)}, _VIOLATION)


def _content(given: Answer, headers: dict[str, str]) -> bytes:
    if given.body is None:
        content = b""
    elif isinstance(given.body, bytes):
        content = given.body
        headers.setdefault("content-type", "application/octet-stream")
    elif isinstance(given.body, str):
        content = given.body.encode()
        headers.setdefault("content-type", "text/plain; charset=utf-8")
    else:
        content = json.dumps(given.body, separators=(",", ":"), ensure_ascii=False).encode()
        headers.setdefault("content-type", "application/json; charset=utf-8")
    if given.status not in {204, 304}:
        headers["content-length"] = str(len(content))
    return content
