"""Issues and pull requests as rows, and one issue whole."""

from collections.abc import AsyncGenerator, Callable, Mapping
from functools import partial
from typing import Annotated, Any, Literal, cast

from pydantic import Field

from ringmain_core.answers import Cell, PagedItem, Rows
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments
from ringmain_core.parts import Part, chosen, filled, whole
from ringmain_core.text import clean, prose
from ringmain_core.tooling import tool
from ringmain_github.api import GitHub
from ringmain_github.issues import issue_of, look_up_labels, moment_of, place_of, reference
from ringmain_github.paging import listed, page_of_kind
from ringmain_github.references import Cursor, Number, RepoName, login_of
from ringmain_github.repository import Repository
from ringmain_github.said import indented, one_line

Include = Literal["body", "comments", "timeline", "sub_issues", "linked_prs"]

_COLUMNS = ["number", "title", "state", "author", "labels", "assignees", "comments", "updated"]
_LINKED = """
query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    issue(number: $number) {
      closedByPullRequestsReferences(first: 100, after: $after, includeClosedPrs: true) {
        pageInfo { hasNextPage endCursor }
        nodes { number title state repository { nameWithOwner } }
      }
    }
  }
}
"""


@tool(access="read", title="List issues or pull requests")
async def list_issues(
    github: GitHub,
    call: Call,
    repo: RepoName,
    kind: Literal["issues", "prs"] = "issues",
    state: Literal["open", "closed", "all"] = "open",
    labels: list[str] | None = None,
    assignee: Annotated[str | None, Field(description="Login, `none` or `*`.")] = None,
    author: str | None = None,
    since: Annotated[str | None, Field(description="Updated since.")] = None,
    sort: Literal["created", "updated", "comments"] = "created",
    limit: Annotated[int, Field(ge=1, le=100)] = 30,
    cursor: Cursor = None,
) -> Rows:
    """List the issues, or the pull requests (`kind`), of one repository by state, label or person."""
    repository = await github.repo(call, repo)
    if any("," in label for label in labels or ()):
        raise InvalidArguments(
            '`labels`: GitHub takes a comma for the end of a label here; `search` with label:"…" finds it.'
        )
    params = {
        "kind": kind,
        "state": state,
        "labels": ",".join(labels) if labels else None,
        "assignee": assignee,
        "creator": author,
        "since": None if since is None else moment_of(since),
        "sort": sort,
    }
    wants_pulls = kind == "prs"
    page = await page_of_kind(
        github,
        call,
        repository.path("issues"),
        lambda item: _row(item) if ("pull_request" in item) is wants_pulls else None,
        limit=limit,
        cursor=cursor,
        params={name: value for name, value in params.items() if value is not None},
    )
    await call.saw(repository.audience)
    note = None
    if not page.rows and cursor is None:
        note = await _why_none(github, repository, kind, labels or [])
    if page.next_cursor and not page.rows:
        note = f"No {kind} among the 1,000 entries that were looked through: go on with the cursor."
    return Rows(
        source=f"{kind} of {repository.full_name}",
        columns=_COLUMNS,
        rows=page.rows,
        next_cursor=page.next_cursor,
        note=note,
    )


async def _why_none(github: GitHub, repository: Repository, kind: str, labels: list[str]) -> str | None:
    """What keeps a list empty other than that there is nothing."""
    facts = (await github.get(repository.path())).json()
    if kind == "issues" and not facts.get("has_issues", True):
        return f"{repository.full_name} has its issues switched off."
    _, unknown = await look_up_labels(github, repository, labels)
    return f"{repository.full_name}: {unknown}" if unknown else None


def _row(issue: Mapping[str, Any]) -> list[Cell]:
    return [
        issue["number"],
        clean(issue["title"]),
        _state(issue),
        login_of(issue["user"]),
        [clean(label["name"]) for label in issue["labels"]],
        [login_of(user) for user in issue["assignees"] or ()],
        issue["comments"],
        issue["updated_at"],
    ]


def _state(issue: Mapping[str, Any]) -> str:
    pull = cast("Mapping[str, Any] | None", issue.get("pull_request"))
    if pull is not None and pull.get("merged_at"):
        return "merged"
    return f"{issue['state']}, draft" if issue.get("draft") else str(issue["state"])


@tool(access="read", title="Read an issue")
async def get_issue(
    github: GitHub,
    call: Call,
    repo: RepoName,
    number: Number,
    include: Annotated[list[Include] | None, Field(description="Default: only its state.")] = None,
    cursor: Cursor = None,
) -> PagedItem:
    """Show one issue: its state and, where asked for, its text, its comments with their ids, and links."""
    repository = await github.repo(call, repo)
    issue = await issue_of(github, call, repository, number)
    at = partial(repository.path, "issues", number)
    known: dict[Include, Callable[[], Part]] = {
        "body": lambda: whole(prose(issue["body"] or "")),
        "comments": lambda: listed(github, at("comments"), _comment),
        "timeline": lambda: listed(github, at("timeline"), lambda event: _event(call, repository, event)),
        "sub_issues": lambda: listed(github, at("sub_issues"), lambda one: _sub_issue(call, repository, one)),
        "linked_prs": lambda: _linked(github, call, repository, number),
    }
    source = f"{repository.full_name}#{number}"
    answer = await filled(github.cursors, call, source, _facts(issue), chosen(known, include), cursor)
    await call.saw(repository.audience)
    return answer


def _facts(issue: Mapping[str, Any]) -> dict[str, Any]:
    reason = issue.get("state_reason")
    milestone = issue.get("milestone")
    return {
        "number": issue["number"],
        "title": clean(issue["title"]),
        "state": f"{issue['state']} ({reason})" if reason else issue["state"],
        "author": login_of(issue["user"]),
        "labels": [clean(label["name"]) for label in issue["labels"]],
        "assignees": [login_of(user) for user in issue["assignees"] or ()],
        "milestone": clean(milestone["title"]) if milestone else None,
        "locked": issue["locked"] or None,
        "comments": issue["comments"],
        "created": issue["created_at"],
        "updated": issue["updated_at"],
        "url": issue["html_url"],
    }


def _comment(comment: Mapping[str, Any]) -> str:
    said = indented(comment["body"] or "")
    return f"[{comment['id']}] {login_of(comment['user'])}, {comment['created_at']}: {said}"


def _event(call: Call, repository: Repository, event: Mapping[str, Any]) -> str:
    about: list[str] = []
    for key, name in (("label", "name"), ("milestone", "title"), ("assignee", "login")):
        if isinstance(event.get(key), Mapping):
            about.append(one_line(event[key][name]))
    if isinstance(event.get("rename"), Mapping):
        about.append(f"“{one_line(event['rename']['from'])}” to “{one_line(event['rename']['to'])}”")
    if isinstance(event.get("source"), Mapping) and (source := event["source"].get("issue")):
        about.append(reference(call, repository, place_of(source), source["number"], source["title"]))
    if commit := event.get("commit_id") or event.get("sha"):
        about.append(str(commit)[:10])
    by = event.get("actor") or event.get("user")
    who = one_line(event["author"]["name"]) if by is None and event.get("author") else login_of(by)
    at = event.get("created_at") or event.get("submitted_at") or ""
    return f"{at} {event['event']} {who}{': ' if about else ''}{', '.join(about)}".strip()


def _sub_issue(call: Call, repository: Repository, issue: Mapping[str, Any]) -> str:
    named = reference(call, repository, place_of(issue), issue["number"], issue["title"])
    return f"{issue['state']} {named}"


def _linked(github: GitHub, call: Call, repository: Repository, number: int) -> Part:
    async def pieces(begin: int) -> AsyncGenerator[str]:
        after: str | None = None
        at = 0
        while True:
            answer = await github.query(
                _LINKED, owner=repository.owner, name=repository.name, number=number, after=after
            )
            found = answer["repository"]["issue"]["closedByPullRequestsReferences"]
            for pull in found["nodes"]:
                at += 1
                if at > begin and pull is None:
                    yield "one that this token may not see"
                elif at > begin:
                    place = pull["repository"]["nameWithOwner"]
                    named = reference(call, repository, place, pull["number"], pull["title"])
                    yield f"{str(pull['state']).lower()} {named}"
            if not found["pageInfo"]["hasNextPage"]:
                return
            after = found["pageInfo"]["endCursor"]

    return pieces


TOOLS = (list_issues, get_issue)
