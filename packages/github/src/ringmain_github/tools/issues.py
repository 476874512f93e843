"""Issues and pull requests as rows, and one issue whole."""

from collections.abc import AsyncGenerator, Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import Field

from ringmain_core.call import Call
from ringmain_core.errors import NotFound
from ringmain_core.text import clean, prose
from ringmain_core.tooling import tool
from ringmain_github.api import GitHub, Repository
from ringmain_github.issues import issue_of
from ringmain_github.models import Cell, PagedItem, Rows
from ringmain_github.paging import page_of_kind
from ringmain_github.parts import Part, filled, listed, whole
from ringmain_github.references import Number, RepoName, login_of

_COLUMNS = ["number", "title", "state", "author", "labels", "assignees", "comments", "updated"]
Include = Literal["body", "comments", "timeline", "sub_issues", "linked_prs"]
_LINKED = """
query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    issue(number: $number) {
      closedByPullRequestsReferences(first: 100, includeClosedPrs: true) {
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
    kind: Annotated[Literal["issues", "prs"], Field(description="Never mixed.")] = "issues",
    state: Literal["open", "closed", "all"] = "open",
    labels: Annotated[list[str] | None, Field(description="All of them.")] = None,
    assignee: Annotated[str | None, Field(description="Login, `none` or `*`.")] = None,
    author: str | None = None,
    since: Annotated[str | None, Field(description="Updated at or after, ISO 8601.")] = None,
    sort: Literal["created", "updated", "comments"] = "created",
    limit: Annotated[int, Field(ge=1, le=100)] = 30,
    cursor: Annotated[str | None, Field(description="`next_cursor` of the page before.")] = None,
) -> Rows:
    """List a repository's issues, or its pull requests (`kind`), as rows without bodies."""
    repository = await github.repo(call, repo)
    params = {
        "state": state,
        "labels": ",".join(labels) if labels else None,
        "assignee": assignee,
        "creator": author,
        "since": since,
        "sort": sort,
    }
    wants_pulls = kind == "prs"
    try:
        page = await page_of_kind(
            github,
            call,
            repository.path("issues"),
            lambda item: _row(item) if ("pull_request" in item) is wants_pulls else None,
            limit=limit,
            cursor=cursor,
            params={name: value for name, value in params.items() if value is not None} | {"kind": kind},
        )
    except NotFound:
        raise NotFound(
            f"{repository.full_name} has its issues switched off, or this token may not read them."
        ) from None
    await call.saw(repository.audience)
    return Rows(source=repository.full_name, columns=_COLUMNS, rows=page.rows, next_cursor=page.next_cursor)


def _row(issue: Mapping[str, Any]) -> list[Cell]:
    pull = cast("Mapping[str, Any] | None", issue.get("pull_request"))
    state = "merged" if pull is not None and pull.get("merged_at") else str(issue["state"])
    return [
        issue["number"],
        clean(issue["title"]),
        f"{state}, draft" if issue.get("draft") else state,
        login_of(issue["user"]),
        [clean(label["name"]) for label in issue["labels"]],
        [login_of(user) for user in issue["assignees"] or ()],
        issue["comments"],
        issue["updated_at"],
    ]


@tool(access="read", title="Read an issue")
async def get_issue(
    github: GitHub,
    call: Call,
    repo: RepoName,
    number: Number,
    include: Annotated[list[Include] | None, Field(description="Default: body.")] = None,
    cursor: Annotated[str | None, Field(description="`next_cursor` of the page before.")] = None,
) -> PagedItem:
    """Read one issue, with its comments and their ids where you ask for them."""
    repository = await github.repo(call, repo)
    issue = await issue_of(github, repository, number)
    url = repository.path("issues", number)
    known: dict[Include, Part] = {
        "body": whole(prose(issue["body"] or "")),
        "comments": listed(github, f"{url}/comments", _comment),
        "timeline": listed(github, f"{url}/timeline", _event),
        "sub_issues": listed(github, f"{url}/sub_issues", _sub_issue),
        "linked_prs": _linked(github, repository, number),
    }
    wanted = {name: part for name, part in known.items() if name in (include or ("body",))}
    source = f"{repository.full_name}#{number}"
    answer = await filled(github, call, source, _facts(issue), wanted, cursor)
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
    who, at = login_of(comment["user"]), comment["created_at"]
    return f"[{comment['id']}] {who}, {at}: {prose(comment['body'] or '')}"


def _event(event: Mapping[str, Any]) -> str:
    kind = str(event["event"])
    who = login_of(event.get("actor") or event.get("user"))
    about: list[str] = []
    if isinstance(event.get("label"), Mapping):
        about.append(clean(event["label"]["name"]))
    if isinstance(event.get("assignee"), Mapping):
        about.append(login_of(event["assignee"]))
    if isinstance(event.get("rename"), Mapping):
        about.append(f"“{clean(event['rename']['from'])}” to “{clean(event['rename']['to'])}”")
    if isinstance(event.get("source"), Mapping) and (source := event["source"].get("issue")):
        about.append(f"by #{source['number']} {clean(source['title'])}")
    if event.get("commit_id"):
        about.append(str(event["commit_id"])[:10])
    at = event.get("created_at") or event.get("submitted_at") or ""
    return f"{at} {kind} {who}{': ' if about else ''}{', '.join(about)}"


def _sub_issue(issue: Mapping[str, Any]) -> str:
    return f"#{issue['number']} {issue['state']}: {clean(issue['title'])}"


def _linked(github: GitHub, repository: Repository, number: int) -> Part:
    async def pieces(begin: int) -> AsyncGenerator[str]:
        answer = await github.query(_LINKED, owner=repository.owner, name=repository.name, number=number)
        nodes = answer["repository"]["issue"]["closedByPullRequestsReferences"]["nodes"]
        for node in nodes[begin:]:
            where = node["repository"]["nameWithOwner"]
            place = "" if where == repository.full_name else where
            yield f"{place}#{node['number']} {str(node['state']).lower()}: {clean(node['title'])}"

    return pieces


TOOLS = (list_issues, get_issue)
