"""Routes of search: words and the common qualifiers; qualifiers that are not known here match nothing."""

import re
from collections.abc import Callable
from typing import Any

from standins.github import shapes
from standins.github.advanced import compiled
from standins.github.issues import issue_shape
from standins.github.models import Issue
from standins.github.repository import Repository
from standins.github.web import Answer, Asked, Refusal, Routes

routes = Routes()
_MOST = 1000
_OWNERS = {"org", "user", "owner"}
_WORD = re.compile(r'(-?)(?:([\w-]+):)?("[^"]*"|\S+)')


def parsed(query: str) -> list[tuple[bool, str, str]]:
    """The parts of a query: negated, qualifier (empty for a word), value."""
    found = [(bool(minus), name.lower(), value.strip('"')) for minus, name, value in _WORD.findall(query)]
    return [one for one in found if one[2]]


def _visible(asked: Asked) -> list[Repository]:
    token = asked.token
    return [
        one
        for one in asked.fake.repositories.values()
        if not one.private or (token is not None and token.reaches(one.full_name))
    ]


def _repositories(asked: Asked, parts: list[tuple[bool, str, str]]) -> list[Repository]:
    seen = _visible(asked)
    unwanted = [value.lower() for minus, name, value in parts if name == "repo" and minus]
    wanted = [value.lower() for minus, name, value in parts if name == "repo" and not minus]
    owners = [value.lower() for minus, name, value in parts if name in _OWNERS and not minus]
    if wanted and not any(one.full_name.lower() in wanted for one in seen):
        why = (
            "The listed users and repositories cannot be searched either because the resources do not exist "
            "or you do not have permission to view them."
        )
        raise Refusal(
            422,
            "Validation Failed",
            [{"message": why, "resource": "Search", "field": "q", "code": "invalid"}],
        )
    return [
        one
        for one in seen
        if one.full_name.lower() not in unwanted
        and (not (wanted or owners) or one.full_name.lower() in wanted or one.owner.login.lower() in owners)
    ]


def _is(issue: Issue, value: str) -> bool:
    pull = issue.pull
    facts = {
        "open": issue.state == "open",
        "closed": issue.state == "closed",
        "issue": pull is None,
        "pr": pull is not None,
        "pull-request": pull is not None,
        "merged": pull is not None and pull.merged_at is not None,
        "unmerged": pull is not None and pull.merged_at is None,
        "draft": pull is not None and pull.draft,
    }
    return facts.get(value, False)


def _fits_date(moment: str, wanted: str) -> bool:
    if ".." in wanted:
        first, _, last = wanted.partition("..")
        return first <= moment[: len(first)] and moment[: len(last)] <= last
    date = wanted.lstrip("<>=")
    sign = wanted.removesuffix(date)
    short = moment[: len(date)]
    return {">": short > date, ">=": short >= date, "<": short < date, "<=": short <= date}.get(
        sign, short == date
    )


def _tests(repo: Repository, issue: Issue) -> dict[str, Callable[[str], bool]]:
    lower = {one.lower() for one in issue.labels}
    people = {one.lower() for one in issue.assignees}
    talked = {one.author.lower() for one in issue.comments}
    return {
        "is": lambda value: _is(issue, value.lower()),
        "type": lambda value: _is(issue, value.lower()),
        "state": lambda value: issue.state == value.lower(),
        "label": lambda value: bool({one.strip('"').lower() for one in value.split(",")} & lower),
        "author": lambda value: issue.author.lower() == value.lower(),
        "assignee": lambda value: value.lower() in people,
        "commenter": lambda value: value.lower() in talked,
        "involves": lambda value: value.lower() in {*people, *talked, issue.author.lower()},
        "updated": lambda value: _fits_date(issue.updated_at, value),
        "created": lambda value: _fits_date(issue.created_at, value),
        "no": lambda value: not {"label": lower, "assignee": people}.get(value, True),
        "head": lambda value: issue.pull is not None and issue.pull.head == value,
        "base": lambda value: issue.pull is not None and issue.pull.base == value,
        "draft": lambda value: issue.pull is not None and str(issue.pull.draft).lower() == value.lower(),
        "repo": lambda value: value.lower() == repo.full_name.lower(),
        **{name: lambda value: value.lower() == repo.owner.login.lower() for name in _OWNERS},
        **{name: lambda _: True for name in ("in", "sort", "archived")},
        "": lambda value: value.lower() in f"{issue.title} {issue.body or ''}".lower(),
    }


def issues_found(asked: Asked, query: str) -> list[tuple[Repository, Issue]]:
    """Issues and pull requests that fit a query, the latest first."""
    fits = compiled(query)
    found: list[tuple[Repository, Issue]] = []
    for repo in _visible(asked):
        for issue in repo.issues.values():
            tests = _tests(repo, issue)
            if fits(lambda name, value, tests=tests: name in tests and tests[name](value)):
                found.append((repo, issue))
    return sorted(found, key=lambda one: one[1].created_at, reverse=True)


def _page(asked: Asked, rows: list[Any]) -> Answer:
    page = asked.page(rows[:_MOST], "items", incomplete_results=asked.fake.search_ran_out)
    page.body["total_count"] = len(rows)
    return page


@routes.on("GET", "/search/issues")
def issues(asked: Asked) -> Any:
    rows = issues_found(asked, asked.query["q"])
    if asked.query.get("sort") == "updated":
        rows.sort(key=lambda one: one[1].updated_at, reverse=True)
    if asked.query.get("order") == "asc":
        rows.reverse()
    shown = [issue_shape(*one) | {"score": 1.0} for one in rows]
    for one in shown:
        if one["body"] is None:  # the description knows no such null here
            del one["body"]
    page = _page(asked, shown)
    page.body["search_type"] = "lexical"
    return page


@routes.on("GET", "/search/code")
def code(asked: Asked) -> Any:
    parts = parsed(asked.query["q"])
    words = [value for minus, name, value in parts if not name and not minus]
    if not words and not any(name in {"path", "filename", "extension"} for _, name, _ in parts):
        raise Refusal(422, "Validation Failed", [{"message": "Search text is required.", "code": "missing"}])
    rows: list[dict[str, Any]] = []
    for repo in _repositories(asked, parts) if asked.fake.code_indexed else []:
        commit = repo.at("HEAD")
        for path, sha in commit.files.items():
            text = repo.git.blobs[sha].decode(errors="replace")
            tests: dict[str, Callable[[str], bool]] = {
                "path": lambda value, path=path: path.startswith(value.strip("/")),
                "filename": lambda value, path=path: path.rpartition("/")[2] == value,
                "extension": lambda value, path=path: path.endswith(f".{value}"),
                "language": lambda value, path=path: value.lower() == "python" and path.endswith(".py"),
                "": lambda value, text=text, path=path: value.lower() in f"{text} {path}".lower(),
            }
            known = {name: tests.get(name, lambda _: True) for _, name, _ in parts}
            if all(known[name](value) is not minus for minus, name, value in parts if name in tests):
                rows.append(_code_row(asked, repo, path, sha, text, words))
    return _page(asked, rows)


def _code_row(
    asked: Asked, repo: Repository, path: str, sha: str, text: str, words: list[str]
) -> dict[str, Any]:
    head = repo.sha("HEAD")
    url = f"{asked.fake.api}/repos/{repo.full_name}/contents/{path}?ref={head}"
    row: dict[str, Any] = {
        "name": path.rpartition("/")[2], "path": path, "sha": sha, "score": 1.0, "url": url,
        "git_url": f"{asked.fake.api}/repos/{repo.full_name}/git/blobs/{sha}",
        "html_url": f"{asked.fake.url}/{repo.full_name}/blob/{head}/{path}",
        "repository": shapes.repository(repo, asked.login),
    }  # fmt: skip
    if asked.accepts("text-match"):
        row["text_matches"] = [
            _match(url, "content", "FileContent", text, word) for word in words if word in text
        ]
    return row


def _match(url: str, name: str, kind: str, text: str, word: str) -> dict[str, Any]:
    start = max(0, text.index(word) - 60)
    fragment = text[start : start + 160]
    at = fragment.index(word)
    places = [{"text": word, "indices": [at, at + len(word)]}]
    return {"object_url": url, "object_type": kind, "property": name, "fragment": fragment, "matches": places}


@routes.on("GET", "/search/repositories")
def repositories(asked: Asked) -> Any:
    parts = parsed(asked.query["q"])
    words = [value.lower() for _, name, value in parts if not name]
    rows = [
        shapes.repository(one, asked.login) | {"score": 1.0}
        for one in _repositories(asked, parts)
        if all(word in f"{one.full_name} {one.description}".lower() for word in words)
    ]
    return _page(asked, rows)


@routes.on("GET", "/search/commits")
def commits(asked: Asked) -> Any:
    parts = parsed(asked.query["q"])
    words = [value.lower() for _, name, value in parts if not name]
    rows: list[dict[str, Any]] = []
    for repo in _repositories(asked, parts):
        for one in repo.git.history(repo.sha("HEAD")):
            if all(word in one.message.lower() for word in words):
                more = {"repository": shapes.repository(repo, asked.login), "score": 1.0}
                rows.append(shapes.commit(repo, one) | more)
    return _page(asked, rows)


@routes.on("GET", "/search/users")
def users(asked: Asked) -> Any:
    words = [value.lower() for _, name, value in parsed(asked.query["q"]) if not name]
    known = [one for one in asked.fake.owners.values() if all(word in one.login.lower() for word in words)]
    return _page(asked, [shapes.user(asked.fake, one.login) | {"score": 1.0} for one in known])
