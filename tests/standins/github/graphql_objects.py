"""Objects of GraphQL as dictionaries; what takes arguments, or leads back, is a function."""

import re
from collections.abc import Callable
from typing import Any

from standins.github.graphql_parts import (
    Problem,
    comment_object,
    commit_object,
    connection,
    fits,
    in_order,
    label_object,
    ref_object,
    rollup_object,
    user_object,
)
from standins.github.models import Issue, Thread
from standins.github.pulls import changes_of, commits_of
from standins.github.repository import Repository
from standins.github.web import Asked

_CLOSES = re.compile(r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\s+#(\d+)", re.IGNORECASE)


def repository_object(asked: Asked, repo: Repository) -> dict[str, Any]:
    def one(kind: str) -> Callable[..., Any]:
        def get(_: Any, number: int) -> Any:
            found = repo.issues.get(number)
            if found is None or (
                kind != "IssueOrPullRequest" and (found.pull is None) is (kind == "PullRequest")
            ):
                word = {"Issue": "an Issue", "PullRequest": "a PullRequest"}.get(
                    kind, "an issue or pull request"
                )
                raise Problem("NOT_FOUND", f"Could not resolve to {word} with the number of {number}.")
            return pull_object(asked, repo, found) if found.pull else issue_object(asked, repo, found)

        return get

    def listed(pulls: bool) -> Callable[..., Any]:
        def get(info: Any, **asked_for: Any) -> Any:
            rows = in_order(
                [issue for issue in repo.issues.values() if fits(issue, pulls, asked_for)], asked_for
            )
            build = pull_object if pulls else issue_object
            name = "pullRequests" if pulls else "issues"
            return connection(rows, lambda issue: build(asked, repo, issue), name)(info, **asked_for)

        return get

    def git_object(_: Any, expression: str | None = None, oid: str | None = None) -> Any:
        return commit_object(repo, repo.find(expression or oid or ""))

    def git_ref(_: Any, **given: str) -> Any:
        return ref_object(repo, given["qualifiedName"])

    labels = [label_object(repo, one) for one in repo.labels]
    return {
        "__typename": "Repository",
        "id": f"R_{repo.id}",
        "databaseId": repo.id,
        "name": repo.name,
        "nameWithOwner": repo.full_name,
        "owner": user_object(asked, repo.owner.login),
        "url": f"{asked.fake.url}/{repo.full_name}",
        "isPrivate": repo.private,
        "isArchived": repo.archived,
        "description": repo.description,
        "autoMergeAllowed": True,
        "viewerPermission": "WRITE",
        "defaultBranchRef": {
            "name": repo.default_branch,
            "target": commit_object(repo, repo.heads.get(repo.default_branch)),
        },
        "issue": one("Issue"),
        "pullRequest": one("PullRequest"),
        "issueOrPullRequest": one("IssueOrPullRequest"),
        "issues": listed(pulls=False),
        "pullRequests": listed(pulls=True),
        "labels": connection(labels, lambda label: label, "labels"),
        "object": git_object,
        "ref": git_ref,
    }


def _common(asked: Asked, repo: Repository, issue: Issue) -> dict[str, Any]:
    kind = "pull" if issue.pull else "issues"
    url = f"{asked.fake.url}/{repo.full_name}/{kind}/{issue.number}"
    milestone = next((one for one in repo.milestones if one.number == issue.milestone), None)
    comments = [
        {"id": f"IC_{one.id}", "databaseId": one.id, "body": one.body, "createdAt": one.created_at,
         "updatedAt": one.updated_at, "author": user_object(asked, one.author),
         "url": f"{url}#issuecomment-{one.id}"}
        for one in issue.comments
    ]  # fmt: skip
    return {
        "number": issue.number, "title": issue.title, "body": issue.body or "", "bodyText": issue.body or "",
        "url": url, "author": user_object(asked, issue.author), "authorAssociation": "MEMBER",
        "createdAt": issue.created_at, "updatedAt": issue.updated_at, "closedAt": issue.closed_at,
        "closed": issue.state == "closed", "locked": issue.locked,
        "repository": repository_object(asked, repo),
        "databaseId": issue.id, "fullDatabaseId": str(issue.id),
        "labels": connection([label_object(repo, one) for one in issue.labels], lambda one: one, "labels"),
        "assignees": connection(issue.assignees, lambda one: user_object(asked, one), "assignees"),
        "comments": connection(comments, lambda one: one, "comments"),
        "milestone": {"id": f"MI_{milestone.id}", "number": milestone.number, "title": milestone.title}
        if milestone else None,
    }  # fmt: skip


def issue_object(asked: Asked, repo: Repository, issue: Issue) -> dict[str, Any]:
    closing = [one for one in repo.issues.values() if one.pull and issue.number in _closes(one)]
    parent = next((one for one in repo.issues.values() if issue.number in one.sub_issues), None)
    children = [repo.issues[one] for one in issue.sub_issues]
    done = sum(one.state == "closed" for one in children)
    total = len(children)
    percent = 100 * done // total if total else 0
    return _common(asked, repo, issue) | {
        "__typename": "Issue",
        "id": f"I_{issue.id}",
        "state": issue.state.upper(),
        "stateReason": issue.state_reason.upper() if issue.state_reason else None,
        "parent": issue_object(asked, repo, parent) if parent else None,
        "subIssues": connection(children, lambda one: issue_object(asked, repo, one), "subIssues"),
        "subIssuesSummary": {"total": total, "completed": done, "percentCompleted": percent},
        "issueType": None,
        "closedByPullRequestsReferences": connection(
            closing, lambda one: pull_object(asked, repo, one), "closedByPullRequestsReferences"
        ),
        "timelineItems": connection([], lambda one: one, "timelineItems"),
    }


def _closes(issue: Issue) -> list[int]:
    return [int(one) for one in _CLOSES.findall(issue.body or "")]


def _decision(issue: Issue) -> str | None:
    assert issue.pull is not None
    last = {
        one.author: one.state for one in issue.pull.reviews if one.state in {"APPROVED", "CHANGES_REQUESTED"}
    }
    if "CHANGES_REQUESTED" in last.values():
        return "CHANGES_REQUESTED"
    return "APPROVED" if last else None


def pull_object(asked: Asked, repo: Repository, issue: Issue) -> dict[str, Any]:
    pull = repo.pull_of(issue.number)
    base = pull.base_sha if pull.merged_at else repo.heads[pull.base]
    closes = [repo.issues[one] for one in _closes(issue) if one in repo.issues]
    reviews = [
        {"id": f"PRR_{one.id}", "databaseId": one.id, "state": one.state, "body": one.body,
         "author": user_object(asked, one.author), "submittedAt": one.submitted_at,
         "commit": commit_object(repo, one.commit_id)}
        for one in pull.reviews
    ]  # fmt: skip
    changes = changes_of(repo, pull)
    mergeable = {True: "MERGEABLE", False: "CONFLICTING", None: "UNKNOWN"}[pull.mergeable]
    auto = (
        {"enabledAt": issue.updated_at, "mergeMethod": (pull.auto_merge or "").upper()}
        if pull.auto_merge
        else None
    )
    return _common(asked, repo, issue) | {
        "__typename": "PullRequest",
        "id": f"PR_{issue.id}",
        "state": "MERGED" if pull.merged_at else issue.state.upper(),
        "isDraft": pull.draft,
        "merged": pull.merged_at is not None,
        "mergedAt": pull.merged_at,
        "mergeable": mergeable,
        "mergeStateStatus": pull.mergeable_state.upper(),
        "mergeCommit": commit_object(repo, pull.merge_sha),
        "headRefName": pull.head,
        "headRefOid": pull.head_sha,
        "baseRefName": pull.base,
        "baseRefOid": base,
        "isCrossRepository": False,
        "reviewDecision": _decision(issue),
        "additions": sum(one.additions for one in changes),
        "deletions": sum(one.deletions for one in changes),
        "changedFiles": len(changes),
        "autoMergeRequest": auto,
        "viewerCanEnableAutoMerge": pull.auto_merge_allowed,
        "statusCheckRollup": rollup_object(repo, pull.head_sha),
        "commits": connection(
            commits_of(repo, pull),
            lambda one: {"id": one.sha, "commit": commit_object(repo, one.sha)},
            "commits",
        ),
        "reviews": connection(reviews, lambda one: one, "reviews"),
        "latestReviews": connection(reviews, lambda one: one, "latestReviews"),
        "reviewRequests": connection(
            pull.reviewers,
            lambda one: {"id": one, "requestedReviewer": user_object(asked, one)},
            "reviewRequests",
        ),
        "reviewThreads": connection(
            pull.threads, lambda one: thread_object(asked, repo, issue, one), "reviewThreads"
        ),
        "closingIssuesReferences": connection(
            closes, lambda one: issue_object(asked, repo, one), "closingIssuesReferences"
        ),
    }


def thread_object(asked: Asked, repo: Repository, issue: Issue, thread: Thread) -> dict[str, Any]:
    def pull(_: Any) -> Any:
        return pull_object(asked, repo, issue)

    def repository(_: Any) -> Any:
        return repository_object(asked, repo)

    return {
        "__typename": "PullRequestReviewThread",
        "id": thread.id,
        "path": thread.path,
        "line": None if thread.outdated else thread.line,
        "originalLine": thread.line,
        "startLine": thread.start_line,
        "originalStartLine": thread.start_line,
        "diffSide": thread.side,
        "subjectType": "LINE" if thread.line else "FILE",
        "isResolved": thread.resolved,
        "isOutdated": thread.outdated,
        "isCollapsed": thread.resolved,
        "resolvedBy": user_object(asked, thread.resolved_by) if thread.resolved_by else None,
        "viewerCanResolve": not thread.resolved,
        "viewerCanUnresolve": thread.resolved,
        "viewerCanReply": True,
        "pullRequest": pull,
        "repository": repository,
        "comments": connection(
            thread.comments, lambda one: comment_object(asked, repo, issue, thread, one), "comments"
        ),
    }
