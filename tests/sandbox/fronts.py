"""What stands before `emulate`: it knows which tokens there are, and makes up for what the emulator lacks.

By itself it takes any token for one of its first user's.

- Slack: it reads form posts only, where clients send queries and JSON; does not know `users.conversations`;
  and tells neither a token's scopes nor that it is a bot's.
- GitHub: it does not say what a pull request changes, which a comparison of its two ends does; has no pull
  requests among the issues, and in searches not as issues; and no commit statuses.
"""

import asyncio
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import ClientSession

from standins.listening import respond, whole_body

_KEPT = frozenset({"accept", "authorization", "content-type", "user-agent"})
_TOLD = frozenset({"content-type", "link"})
_NO_MORE: Mapping[str, str] = MappingProxyType({})
_PULL = re.compile(r"(/repos/[^/]+/[^/]+)/pulls/(\d+)(/files)?")
_ISSUES = re.compile(r"(/repos/[^/]+/[^/]+)/issues")
_STATUS = re.compile(r"/repos/[^/]+/[^/]+/commits/([^/]+)/status")


@dataclass(frozen=True)
class _Asked:
    """A request; names of headers are lower case."""

    verb: str
    path: str
    query: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def bearer(self) -> str:
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme.lower() in {"bearer", "token"} else ""

    @property
    def kept(self) -> Mapping[str, str]:
        """The headers that are passed on."""
        return {name: value for name, value in self.headers.items() if name in _KEPT}


@dataclass(frozen=True)
class _Told:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class _Front:
    """An ASGI application that passes on what carries a known token."""

    def __init__(self, behind: str, tokens: Iterable[str]) -> None:
        self.stopping = asyncio.Event()
        self._behind = behind
        self._tokens = frozenset(tokens)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        path = scope["raw_path"].decode().partition("?")[0]
        query = scope["query_string"].decode()
        asked = _Asked(scope["method"], path, query, headers, await whole_body(receive))
        async with ClientSession(self._behind) as session:
            told = await self._answer(session, asked)
        is_empty = told.status in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
        length = {} if is_empty else {"content-length": str(len(told.content))}
        await respond(send, told.status, {**told.headers, **length}, told.content)

    async def _answer(self, session: ClientSession, asked: _Asked) -> _Told:
        raise NotImplementedError


class GitHubFront(_Front):
    """GitHub, as Enterprise Server has it: below `/api/v3`."""

    async def _answer(self, session: ClientSession, asked: _Asked) -> _Told:
        if asked.bearer not in self._tokens:
            return _json({"message": "Bad credentials", "status": "401"}, HTTPStatus.UNAUTHORIZED)
        path = asked.path.removeprefix("/api/v3")
        if asked.verb == "GET" and (pull := _PULL.fullmatch(path)):
            return await self._pull(session, asked, *pull.groups())
        if asked.verb == "GET" and (issues := _ISSUES.fullmatch(path)):
            return await self._issues(session, asked, issues[1])
        if asked.verb == "GET" and (status := _STATUS.fullmatch(path)):
            return _json({"state": "pending", "statuses": [], "sha": status[1], "total_count": 0})
        if asked.query:
            path = f"{path}?{asked.query}"
        told = await _ask(session, asked.verb, path, asked.kept, asked.content or None)
        return _whole_hits(told) if path.startswith("/search/issues?") else told

    async def _issues(self, session: ClientSession, asked: _Asked, repo: str) -> _Told:
        """A page of issues; on the first one with the pull requests, too, as far as those make one page."""
        found = await _ask(session, "GET", f"{repo}/issues?{asked.query}", asked.kept)
        query = dict(parse_qsl(asked.query))
        if found.status != HTTPStatus.OK or query.get("page", "1") != "1":
            return found
        state = query.get("state", "open")
        pulls = await _ask(session, "GET", f"{repo}/pulls?state={state}&per_page=100", asked.kept)
        rows = [*json.loads(found.content), *map(_as_issue, json.loads(pulls.content))]
        return _json(sorted(rows, key=lambda one: one["number"], reverse=True))

    async def _pull(
        self, session: ClientSession, asked: _Asked, repo: str, number: str, files: str | None
    ) -> _Told:
        """A pull request with what it changes, or the files that it changes."""
        found = await _ask(session, "GET", f"{repo}/pulls/{number}", asked.kept)
        if found.status != HTTPStatus.OK:
            return found
        pull: dict[str, Any] = json.loads(found.content)
        ends = f"{pull['base']['sha']}...{pull['head']['sha']}"
        compared = await _ask(session, "GET", f"{repo}/compare/{ends}", asked.kept)
        changed: list[dict[str, Any]] = json.loads(compared.content)["files"]
        if files:
            return _json(changed)
        counts = {name: sum(one[name] for one in changed) for name in ("additions", "deletions")}
        return _json({**pull, **counts, "changed_files": len(changed)})


def _as_issue(pull: dict[str, Any]) -> dict[str, Any]:
    about = {"url": pull["url"], "html_url": pull["html_url"], "merged_at": pull["merged_at"]}
    return {**pull, "pull_request": about, "repository_url": pull["url"].partition("/pulls/")[0]}


def _whole_hits(told: _Told) -> _Told:
    if told.status != HTTPStatus.OK:
        return told
    said = json.loads(told.content)
    said["items"] = [_as_issue(one) if "/pulls/" in one["url"] else one for one in said["items"]]
    return _json(said)


class SlackFront(_Front):
    """Slack's Web API, for bots' tokens; other paths, which files take, are passed on as they are."""

    def __init__(self, behind: str, tokens: Iterable[str], scopes: Iterable[str]) -> None:
        super().__init__(behind, tokens)
        self._scopes = {"x-oauth-scopes": ",".join(scopes)}

    async def _answer(self, session: ClientSession, asked: _Asked) -> _Told:
        if not asked.path.startswith("/api/"):
            path = f"{asked.path}?{asked.query}" if asked.query else asked.path
            return await _ask(session, asked.verb, path, asked.kept, asked.content)
        given = dict(parse_qsl(asked.query)) | _arguments(asked)
        token = asked.bearer or str(given.pop("token", ""))
        if token not in self._tokens:
            return _json({"ok": False, "error": "invalid_auth" if token else "not_authed"})
        is_joined = asked.path == "/api/users.conversations"
        path = "/api/conversations.list" if is_joined else asked.path
        form = {name: _field(value) for name, value in given.items()}
        told = await _ask(session, "POST", path, {"authorization": f"Bearer {token}"}, form)
        said: dict[str, Any] = json.loads(told.content)
        if said["ok"] and is_joined:
            said["channels"] = [one for one in said["channels"] if one["is_member"]]
        if said["ok"] and asked.path == "/api/auth.test":
            said["bot_id"] = f"B{said['user_id'][1:]}"
        return _json(said, told.status, self._scopes)


def _arguments(asked: _Asked) -> dict[str, Any]:
    kind = asked.headers.get("content-type", "").partition(";")[0]
    if kind == "application/json" and asked.content:
        return json.loads(asked.content)
    return dict(parse_qsl(asked.content.decode())) if kind == "application/x-www-form-urlencoded" else {}


def _field(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


async def _ask(
    session: ClientSession, verb: str, path: str, headers: Mapping[str, str], data: Any = None
) -> _Told:
    async with session.request(verb, path, headers=headers, data=data, allow_redirects=False) as answer:
        told = {name.lower(): value for name, value in answer.headers.items() if name.lower() in _TOLD}
        return _Told(answer.status, told, await answer.read())


def _json(said: Any, status: int = HTTPStatus.OK, headers: Mapping[str, str] = _NO_MORE) -> _Told:
    kind = {"content-type": "application/json; charset=utf-8"}
    return _Told(status, {**kind, **headers}, json.dumps(said).encode())
