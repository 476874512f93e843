"""Routes of pull requests: list, get, create, patch, files, commits, reviewers, merge, update-branch."""

from typing import Any

from standins.github import shapes
from standins.github.commits import file_rows
from standins.github.git import Change, unified
from standins.github.issues import issue_shape
from standins.github.models import Issue, Pull
from standins.github.repository import Repository
from standins.github.web import Answer, Asked, Refusal, Routes, invalid, not_found

routes = Routes()
_REPO = "/repos/{owner}/{repo}"
_PULL = f"{_REPO}/pulls/{{pull_number}}"
_NEEDS = "pull_requests"
_MOST_FILES = 3000
_DETAILS = (
    "merged", "mergeable", "rebaseable", "mergeable_state", "merged_by", "comments", "review_comments",
    "maintainer_can_modify", "commits", "additions", "deletions", "changed_files",
)  # fmt: skip
_COMMON = (
    "title", "body", "user", "state", "labels", "assignees", "assignee", "milestone", "locked", "number",
    "created_at", "updated_at", "closed_at", "active_lock_reason", "author_association", "node_id",
    "html_url", "comments", "comments_url",
)  # fmt: skip


def pull_of(asked: Asked) -> tuple[Issue, Pull]:
    """The pull request of a path.

    Raises:
        Refusal: 404.
    """
    found = asked.repo.issues.get(asked.number("pull_number"))
    if found is None or found.pull is None:
        raise not_found()
    return found, found.pull


def changes_of(repo: Repository, pull: Pull) -> list[Change]:
    """What it changes against where it left its base."""
    base = repo.git.merge_base(pull.base_sha if pull.merged_at else repo.heads[pull.base], pull.head_sha)
    return repo.git.changes(repo.git.commits[base or ""].files, repo.git.commits[pull.head_sha].files)


def commits_of(repo: Repository, pull: Pull) -> list[Any]:
    base = pull.base_sha if pull.merged_at else repo.heads[pull.base]
    known = {one.sha for one in repo.git.history(base)}
    return [one for one in repo.git.history(pull.head_sha) if one.sha not in known][::-1]


def pull_shape(repo: Repository, issue: Issue, *, full: bool = True) -> dict[str, Any]:
    pull = repo.pull_of(issue.number)
    common = issue_shape(repo, issue)
    made = shapes.shape(repo.fake, "pull-request", of=repo.full_name)
    api, html = f"{repo.fake.api}/repos/{repo.full_name}", common["html_url"]
    url = f"{api}/pulls/{issue.number}"
    changes = changes_of(repo, pull) if full else []
    made |= {name: common[name] for name in _COMMON} | {
        "id": pull.id,
        "url": url,
        "issue_url": common["url"],
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "commits_url": f"{url}/commits",
        "review_comments_url": f"{url}/comments",
        "statuses_url": f"{api}/statuses/{pull.head_sha}",
        "draft": pull.draft,
        "merged_at": pull.merged_at,
        "merged": pull.merged_at is not None,
        "merged_by": shapes.user(repo.fake, pull.merged_by) if pull.merged_by else None,
        "merge_commit_sha": pull.merge_sha,
        "mergeable": None if pull.merged_at else pull.mergeable,
        "rebaseable": pull.mergeable,
        "mergeable_state": "draft" if pull.draft else pull.mergeable_state,
        "requested_reviewers": [shapes.user(repo.fake, one) for one in pull.reviewers],
        "requested_teams": [],
        "auto_merge": _auto_merge(repo, pull),
        "head": _side(repo, pull.head, pull.head_sha),
        "base": _side(repo, pull.base, pull.base_sha if pull.merged_at else repo.heads[pull.base]),
        "commits": len(commits_of(repo, pull)),
        "review_comments": sum(len(thread.comments) for thread in pull.threads),
        "additions": sum(one.additions for one in changes),
        "deletions": sum(one.deletions for one in changes),
        "changed_files": len(changes),
        "maintainer_can_modify": False,
    }
    made["_links"] = {
        "self": {"href": url}, "html": {"href": html}, "issue": {"href": common["url"]},
        "comments": {"href": common["comments_url"]}, "review_comments": {"href": f"{url}/comments"},
        "review_comment": {"href": f"{api}/pulls/comments{{/number}}"}, "commits": {"href": f"{url}/commits"},
        "statuses": {"href": made["statuses_url"]},
    }  # fmt: skip
    return made if full else {name: value for name, value in made.items() if name not in _DETAILS}


def _auto_merge(repo: Repository, pull: Pull) -> dict[str, Any] | None:
    if pull.auto_merge is None:
        return None
    by = shapes.user(repo.fake, repo.owner.login)
    return {"enabled_by": by, "merge_method": pull.auto_merge, "commit_title": "", "commit_message": ""}


def _side(repo: Repository, branch: str, sha: str) -> dict[str, Any]:
    owner = repo.owner.login
    user = shapes.user(repo.fake, owner)
    full = shapes.full_repository(repo, owner)
    return {"label": f"{owner}:{branch}", "ref": branch, "sha": sha, "user": user, "repo": full}


@routes.on("GET", f"{_REPO}/pulls", needs=_NEEDS)
def pulls(asked: Asked) -> Any:
    query = asked.query
    rows: list[Issue] = []
    for one in asked.repo.issues.values():
        head = query.get("head", "").rpartition(":")[2]
        fits = one.pull is not None and query.get("state", "open") in {"all", one.state}
        if (
            fits
            and one.pull
            and head in {"", one.pull.head}
            and query.get("base", one.pull.base) == one.pull.base
        ):
            rows.append(one)
    updated = query.get("sort", "created") == "updated"
    rows.sort(
        key=lambda one: one.updated_at if updated else one.created_at,
        reverse=query.get("direction", "desc") == "desc",
    )
    page = asked.page(rows)
    page.body = [pull_shape(asked.repo, one, full=False) for one in page.body]
    return page


@routes.on("POST", f"{_REPO}/pulls", needs=_NEEDS)
def create(asked: Asked) -> Any:
    fields, repo = asked.fields, asked.repo
    head, base = str(fields["head"]).rpartition(":")[2], str(fields["base"])
    for name, branch in (("head", head), ("base", base)):
        if branch not in repo.heads:
            raise invalid("PullRequest", name)
    known = [
        one for one in repo.issues.values() if one.pull and one.pull.head == head and one.pull.base == base
    ]
    if any(one.state == "open" for one in known):
        who = f"{repo.owner.login}:{head}"
        raise invalid("PullRequest", "", "custom", f"A pull request already exists for {who}.")
    if repo.git.merge_base(repo.heads[base], repo.heads[head]) == repo.heads[head]:
        raise invalid("PullRequest", "", "custom", f"No commits between {base} and {head}")
    made = repo.pull(
        str(fields["title"]),
        head=head,
        base=base,
        body=fields.get("body"),
        author=asked.login,
        draft=bool(fields.get("draft")),
    )
    return Answer(pull_shape(repo, made), 201)


@routes.on("GET", _PULL, needs=_NEEDS)
def get(asked: Asked) -> Any:
    issue, pull = pull_of(asked)
    if asked.accepts("diff"):
        return Answer(
            unified(changes_of(asked.repo, pull)),
            headers={"content-type": "application/vnd.github.diff; charset=utf-8"},
        )
    return pull_shape(asked.repo, issue)


@routes.on("PATCH", _PULL, needs=_NEEDS)
def change(asked: Asked) -> Any:
    issue, pull = pull_of(asked)
    fields = asked.fields
    if "base" in fields and fields["base"] not in asked.repo.heads:
        raise invalid("PullRequest", "base")
    pull.base = fields.get("base", pull.base)
    issue.title = fields.get("title", issue.title)
    issue.body = fields.get("body", issue.body)
    state = fields.get("state", issue.state)
    if state != issue.state:
        if pull.merged_at:
            raise invalid(
                "PullRequest", "state", "invalid", "state cannot be changed. The pull request is merged."
            )
        issue.state, issue.closed_at = state, asked.fake.now() if state == "closed" else None
    issue.updated_at = asked.fake.now()
    return pull_shape(asked.repo, issue)


@routes.on("GET", f"{_PULL}/files", needs=_NEEDS)
def files(asked: Asked) -> Any:
    _, pull = pull_of(asked)
    return asked.page(file_rows(asked.repo, changes_of(asked.repo, pull), pull.head_sha)[:_MOST_FILES])


@routes.on("GET", f"{_PULL}/commits", needs=_NEEDS)
def commits(asked: Asked) -> Any:
    _, pull = pull_of(asked)
    return asked.page([shapes.commit(asked.repo, one) for one in commits_of(asked.repo, pull)])


@routes.on("POST", f"{_PULL}/requested_reviewers", needs=_NEEDS)
def add_reviewers(asked: Asked) -> Any:
    issue, pull = pull_of(asked)
    for login in asked.fields.get("reviewers", []):
        known = asked.fake.owners.get(login.lower())
        if known is None:
            raise Refusal(
                422,
                "Reviews may only be requested from collaborators. One or more of the users or teams "
                "you specified "
                f"is not a collaborator of the {asked.repo.full_name} repository.",
            )
        if known.login == issue.author:
            raise Refusal(422, "Review cannot be requested from pull request author.")
        if known.login not in pull.reviewers:
            pull.reviewers.append(known.login)
    pull.team_reviewers += asked.fields.get("team_reviewers", [])
    return Answer(pull_shape(asked.repo, issue, full=False), 201)


@routes.on("DELETE", f"{_PULL}/requested_reviewers", needs=_NEEDS)
def remove_reviewers(asked: Asked) -> Any:
    issue, pull = pull_of(asked)
    gone = {login.lower() for login in asked.fields["reviewers"]}
    pull.reviewers = [one for one in pull.reviewers if one.lower() not in gone]
    return pull_shape(asked.repo, issue, full=False)


@routes.on("GET", f"{_PULL}/merge", needs=_NEEDS)
def is_merged(asked: Asked) -> Any:
    if not pull_of(asked)[1].merged_at:
        raise not_found()
    return Answer(status=204)
