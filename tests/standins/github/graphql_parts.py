"""Small objects of GraphQL as dictionaries, and pages of them."""

from collections.abc import Callable, Sequence
from typing import Any

from standins.github.checks import state_of
from standins.github.models import Issue, ReviewComment, Thread
from standins.github.repository import Repository
from standins.github.web import Asked


class Problem(Exception):
    """GraphQL's way to say no: `kind` is the error's `type`."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def connection(rows: Sequence[Any], build: Callable[[Any], Any], name: str) -> Callable[..., Any]:
    """Pages of these; GitHub insists on `first` or `last`."""

    def page(
        _: Any, first: int | None = None, after: str | None = None, last: int | None = None, **__: Any
    ) -> dict[str, Any]:
        size = first if first is not None else last
        if size is None:
            why = f"You must provide a `first` or `last` value to properly paginate the `{name}` connection."
            raise Problem("MISSING_PAGINATION_BOUNDARIES", why)
        if size > 100:
            why = f"Requesting {size} records on the `{name}` connection exceeds the limit of 100."
            raise Problem("EXCESSIVE_PAGINATION", why)
        start = int(after or 0) if first is not None else max(0, len(rows) - size)
        shown = [build(one) for one in rows[start : start + size]]
        end = start + len(shown)
        return {
            "totalCount": len(rows),
            "nodes": shown,
            "edges": [{"cursor": str(start + at), "node": one} for at, one in enumerate(shown, 1)],
            "pageInfo": {
                "hasNextPage": end < len(rows),
                "hasPreviousPage": start > 0,
                "startCursor": str(start + 1) if shown else None,
                "endCursor": str(end) if shown else None,
            },
        }

    return page


def user_object(asked: Asked, login: str) -> dict[str, Any]:
    owner = asked.fake.owners[login.lower()]
    return {
        "__typename": owner.kind,
        "id": f"U_{owner.id}",
        "login": owner.login,
        "name": owner.name,
        "databaseId": owner.id,
        "url": f"{asked.fake.url}/{owner.login}",
        "avatarUrl": f"{asked.fake.url}/avatar",
        "isViewer": owner.login == asked.login,
    }


def ref_object(repo: Repository, name: str) -> dict[str, Any] | None:
    sha = repo.heads.get(name.removeprefix("refs/heads/"))
    return {"id": f"REF_{name}", "name": name, "target": commit_object(repo, sha)} if sha else None


def commit_object(repo: Repository, sha: str | None) -> dict[str, Any] | None:
    if sha is None:
        return None
    html = f"{repo.fake.url}/{repo.full_name}/commit/{sha}"
    message = repo.git.commits[sha].message
    return {
        "__typename": "Commit", "id": f"C_{sha[:12]}", "oid": sha, "abbreviatedOid": sha[:7],
        "message": message,
        "messageHeadline": message.partition("\n")[0], "url": html, "commitUrl": html,
        "committedDate": repo.git.commits[sha].date, "statusCheckRollup": rollup_object(repo, sha),
    }  # fmt: skip


def rollup_object(repo: Repository, sha: str) -> dict[str, Any] | None:
    ends = [one.conclusion for one in repo.checks if one.sha == sha]
    states = {one.status for one in repo.statuses if one.sha == sha}
    states |= {
        "pending" if end is None else "success" if end in {"success", "skipped", "neutral"} else "failure"
        for end in ends
    }
    return {"id": f"SCR_{sha[:12]}", "state": state_of(states).upper()} if states else None


def label_object(repo: Repository, name: str) -> dict[str, Any]:
    label = repo.label(name)
    return {
        "id": f"LA_{label.id}",
        "name": label.name,
        "color": label.color,
        "description": label.description,
    }


def comment_object(
    asked: Asked, repo: Repository, issue: Issue, thread: Thread, comment: ReviewComment
) -> dict[str, Any]:
    html = f"{asked.fake.url}/{repo.full_name}/pull/{issue.number}#discussion_r{comment.id}"
    first = comment.reply_to
    return {
        "__typename": "PullRequestReviewComment", "id": f"PRRC_{comment.id}", "databaseId": comment.id,
        "fullDatabaseId": str(comment.id), "body": comment.body, "author": user_object(asked, comment.author),
        "createdAt": comment.created_at, "updatedAt": comment.updated_at, "url": html, "path": thread.path,
        "line": thread.line, "diffHunk": "@@ -1 +1 @@", "outdated": thread.outdated,
        "replyTo": {"id": f"PRRC_{first}", "databaseId": first} if first else None,
    }  # fmt: skip


def fits(issue: Issue, pulls: bool, wanted: dict[str, Any]) -> bool:
    by: dict[str, Any] = wanted.get("filterBy") or {}
    state = "MERGED" if issue.pull and issue.pull.merged_at else issue.state.upper()
    names: list[str] = wanted.get("labels") or by.get("labels") or []
    labels = {one.lower() for one in names}
    has = {one.lower() for one in issue.labels}
    assignee = by.get("assignee")
    return (
        (issue.pull is not None) is pulls
        and state in (wanted.get("states") or by.get("states") or [state])
        and (not labels or bool(labels & has))  # any of them: unlike REST
        and (assignee is None or (bool(issue.assignees) if assignee == "*" else assignee in issue.assignees))
        and by.get("createdBy", issue.author) == issue.author
        and issue.updated_at >= (by.get("since") or "")
        and (issue.pull is None or wanted.get("headRefName") in {None, issue.pull.head})
        and (issue.pull is None or wanted.get("baseRefName") in {None, issue.pull.base})
    )


def in_order(rows: list[Issue], wanted: dict[str, Any]) -> list[Issue]:
    order: dict[str, Any] = wanted.get("orderBy") or {"field": "CREATED_AT", "direction": "ASC"}
    updated = order["field"] == "UPDATED_AT"
    return sorted(
        rows,
        key=lambda one: one.updated_at if updated else one.created_at,
        reverse=order["direction"] == "DESC",
    )
