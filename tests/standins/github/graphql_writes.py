"""Mutations of GraphQL: threads, commits, auto-merge, drafts."""

import base64
from collections.abc import Callable
from functools import partial
from typing import Any

from standins.github.gate import visible
from standins.github.graphql_objects import pull_object, thread_object
from standins.github.graphql_parts import Problem, comment_object
from standins.github.models import Issue, Thread
from standins.github.repository import Repository
from standins.github.web import Asked, Refusal

Change = Callable[[Asked, dict[str, Any]], Any]


def mutations(asked: Asked) -> dict[str, Callable[..., Any]]:
    """By their names in the schema."""
    known: dict[str, Change] = {
        "resolveReviewThread": partial(_resolve, resolved=True),
        "unresolveReviewThread": partial(_resolve, resolved=False),
        "addPullRequestReviewThreadReply": _reply,
        "createCommitOnBranch": _commit,
        "enablePullRequestAutoMerge": _auto_merge,
        "disablePullRequestAutoMerge": _no_auto_merge,
        "convertPullRequestToDraft": partial(_draft, draft=True),
        "markPullRequestReadyForReview": partial(_draft, draft=False),
    }

    def bound(change: Change) -> Callable[..., Any]:
        def run(_: Any, **given: Any) -> Any:
            return change(asked, given["input"])

        return run

    return {name: bound(change) for name, change in known.items()}


def _need(asked: Asked, permission: str) -> None:
    token = asked.token
    assert token is not None
    if token.scoped and not {"repo", "public_repo"} & {*token.scopes}:
        has = list(token.scopes)
        why = f"Your token has not been granted the required scopes: ['public_repo'], but only {has}."
        raise Problem("INSUFFICIENT_SCOPES", why)
    if not token.allows(permission, write=True):
        kind = "integration" if token.kind == "installation" else "personal access token"
        raise Problem("FORBIDDEN", f"Resource not accessible by {kind}")


def _thread(asked: Asked, name: str) -> tuple[Repository, Issue, Thread]:
    for repo in asked.fake.repositories.values():
        for issue in repo.issues.values():
            for thread in issue.pull.threads if issue.pull else []:
                if thread.id == name and _sees(asked, repo):
                    return repo, issue, thread
    raise Problem("NOT_FOUND", f"Could not resolve to a node with the global id of '{name}'")


def _pull(asked: Asked, name: str) -> tuple[Repository, Issue]:
    for repo in asked.fake.repositories.values():
        for issue in repo.issues.values():
            if issue.pull and name == f"PR_{issue.id}" and _sees(asked, repo):
                return repo, issue
    raise Problem("NOT_FOUND", f"Could not resolve to a node with the global id of '{name}'")


def _sees(asked: Asked, repo: Repository | None) -> bool:
    try:
        visible(asked, repo)
    except Refusal:
        return False
    return True


def _result(wanted: dict[str, Any], **made: Any) -> dict[str, Any]:
    return {"clientMutationId": wanted.get("clientMutationId"), **made}


def _resolve(asked: Asked, wanted: dict[str, Any], *, resolved: bool) -> Any:
    _need(asked, "pull_requests")
    repo, issue, thread = _thread(asked, wanted["threadId"])
    thread.resolved, thread.resolved_by = resolved, asked.login if resolved else None
    return _result(wanted, thread=thread_object(asked, repo, issue, thread))


def _reply(asked: Asked, wanted: dict[str, Any]) -> Any:
    _need(asked, "pull_requests")
    repo, issue, thread = _thread(asked, wanted["pullRequestReviewThreadId"])
    made = repo.reply(thread, wanted["body"], asked.login)
    return _result(wanted, comment=comment_object(asked, repo, issue, thread, made))


def _commit(asked: Asked, wanted: dict[str, Any]) -> Any:
    _need(asked, "contents")
    branch = wanted["branch"]
    name = str(branch.get("repositoryNameWithOwner", ""))
    repo = asked.fake.repositories.get(name.lower())
    if repo is None or not _sees(asked, repo):
        raise Problem("NOT_FOUND", f"Could not resolve to a Repository with the name '{name}'.")
    head = str(branch["branchName"]).removeprefix("refs/heads/")
    if head not in repo.heads:
        raise Problem("NOT_FOUND", f"No branch named '{head}' in {name}")
    if wanted["expectedHeadOid"] != repo.heads[head]:
        why = f'Expected branch to point to "{wanted["expectedHeadOid"]}" but it did not. Pull and try again.'
        raise Problem("STALE_DATA", why)
    changes = _changes(asked, repo, head, wanted.get("fileChanges") or {})
    message = wanted["message"]
    text = "\n\n".join(one for one in (message["headline"], message.get("body")) if one)
    sha = repo.commit(head, changes, text, author=asked.login)
    html = f"{asked.fake.url}/{repo.full_name}/commit/{sha}"
    made = {"id": f"C_{sha[:12]}", "oid": sha, "url": html, "commitUrl": html, "message": text}
    return _result(
        wanted,
        commit=made,
        ref={"id": f"REF_{head}", "name": head, "target": made | {"__typename": "Commit"}},
    )


def _changes(asked: Asked, repo: Repository, head: str, wanted: dict[str, Any]) -> dict[str, bytes | None]:
    changes: dict[str, bytes | None] = {}
    added: list[dict[str, str]] = wanted.get("additions") or []
    gone: list[dict[str, str]] = wanted.get("deletions") or []
    for one in added:
        changes[one["path"]] = base64.b64decode(one["contents"], validate=True)
    for one in gone:
        if one["path"] not in repo.at(head).files:
            raise Problem(
                "UNPROCESSABLE", f"A path was requested for deletion which does not exist: {one['path']}"
            )
        changes[one["path"]] = None
    if any(path.startswith(".github/workflows/") for path in changes):
        token = asked.token
        assert token is not None
        if token.scoped and "workflow" not in token.scopes:
            why = "refusing to allow a Personal Access Token to update workflow without `workflow` scope"
            raise Problem("FORBIDDEN", why)
        _need(asked, "workflows")
    return changes


def _auto_merge(asked: Asked, wanted: dict[str, Any]) -> Any:
    _need(asked, "contents")
    repo, issue = _pull(asked, wanted["pullRequestId"])
    pull = repo.pull_of(issue.number)
    if not pull.auto_merge_allowed:
        raise Problem("UNPROCESSABLE", "Auto merge is not allowed for this repository")
    if pull.mergeable_state == "clean" and not repo.required_checks:
        raise Problem("UNPROCESSABLE", "Pull request is in clean status")
    if wanted.get("expectedHeadOid") not in {None, pull.head_sha}:
        raise Problem("UNPROCESSABLE", "Head sha didn't match expected head")
    pull.auto_merge = (wanted.get("mergeMethod") or "MERGE").lower()
    return _result(wanted, pullRequest=pull_object(asked, repo, issue), actor=None)


def _no_auto_merge(asked: Asked, wanted: dict[str, Any]) -> Any:
    _need(asked, "contents")
    repo, issue = _pull(asked, wanted["pullRequestId"])
    repo.pull_of(issue.number).auto_merge = None
    return _result(wanted, pullRequest=pull_object(asked, repo, issue), actor=None)


def _draft(asked: Asked, wanted: dict[str, Any], *, draft: bool) -> Any:
    _need(asked, "pull_requests")
    repo, issue = _pull(asked, wanted["pullRequestId"])
    repo.pull_of(issue.number).draft = draft
    return _result(wanted, pullRequest=pull_object(asked, repo, issue))
