"""Routes of commits: history, one commit, what differs between two."""

from typing import Any

from standins.github import shapes
from standins.github.git import Change, Commit, unified
from standins.github.repository import Repository
from standins.github.web import Answer, Asked, Refusal, Routes, not_found

routes = Routes()
_REPO = "/repos/{owner}/{repo}"
_MOST_FILES = 3000


def commit_of(asked: Asked, ref: str) -> Commit:
    """The commit that a reference means.

    Raises:
        Refusal: 404.
    """
    found = asked.repo.find(ref)
    if found is None:
        raise not_found()
    return asked.repo.git.commits[found]


def file_rows(repo: Repository, changes: list[Change], sha: str) -> list[dict[str, Any]]:
    """Changed files as GitHub lists them."""
    rows: list[dict[str, Any]] = []
    for change in changes:
        row: dict[str, Any] = {
            "sha": change.sha,
            "filename": change.path,
            "status": change.status,
            "additions": change.additions,
            "deletions": change.deletions,
            "changes": change.additions + change.deletions,
            "blob_url": f"{repo.fake.url}/{repo.full_name}/blob/{sha}/{change.path}",
            "raw_url": f"{repo.fake.url}/{repo.full_name}/raw/{sha}/{change.path}",
            "contents_url": f"{repo.fake.api}/repos/{repo.full_name}/contents/{change.path}?ref={sha}",
        }
        if change.patch is not None:
            row["patch"] = change.patch
        rows.append(row)
    return rows


@routes.on("GET", f"{_REPO}/commits", needs="contents")
def commits(asked: Asked) -> Any:
    query, repo = asked.query, asked.repo
    rows = list(repo.git.history(commit_of(asked, query.get("sha", "HEAD")).sha))
    if path := query.get("path", "").strip("/"):
        rows = [one for one in rows if any(_touches(change, path) for change in changes_of(repo, one))]
    if author := query.get("author"):
        rows = [one for one in rows if author in {one.author, f"{one.author}@example.com"}]
    if since := query.get("since"):
        rows = [one for one in rows if one.date >= since]
    if until := query.get("until"):
        rows = [one for one in rows if one.date <= until]
    page = asked.page(rows)
    page.body = [shapes.commit(repo, one) for one in page.body]
    return page


def _touches(change: Change, path: str) -> bool:
    return change.path == path or change.path.startswith(f"{path}/")


def changes_of(repo: Repository, commit: Commit) -> list[Change]:
    """What a commit changed against its first parent."""
    before = repo.git.commits[commit.parents[0]].files if commit.parents else {}
    return repo.git.changes(before, commit.files)


@routes.on("GET", f"{_REPO}/commits/{{ref}}", needs="contents")
def commit(asked: Asked) -> Any:
    ref = asked.parts["ref"]
    if asked.repo.find(ref) is None:
        raise Refusal(422, f"No commit found for SHA: {ref}")
    found = commit_of(asked, ref)
    if asked.accepts("sha"):
        return Answer(found.sha)
    changes = changes_of(asked.repo, found)
    if asked.accepts("diff"):
        return Answer(unified(changes))
    added, deleted = sum(one.additions for one in changes), sum(one.deletions for one in changes)
    rows = file_rows(asked.repo, changes, found.sha)
    page = asked.page(rows[:_MOST_FILES], most=300)
    page.body = shapes.commit(asked.repo, found) | {
        "stats": {"additions": added, "deletions": deleted, "total": added + deleted},
        "files": page.body if asked.query else rows[:300],
    }
    return page


@routes.on("GET", f"{_REPO}/compare/{{basehead}}", needs="contents")
def compare(asked: Asked) -> Any:
    repo = asked.repo
    base_ref, dots, head_ref = asked.parts["basehead"].partition("...")
    if not dots:
        raise not_found()
    base, head = (commit_of(asked, ref.rpartition(":")[2]) for ref in (base_ref, head_ref))
    merge_base = repo.git.merge_base(base.sha, head.sha)
    if merge_base is None:
        raise Refusal(404, f"No common ancestor between {base_ref} and {head_ref}.")
    changes = repo.git.changes(repo.git.commits[merge_base].files, head.files)
    if asked.accepts("diff"):
        return Answer(unified(changes))
    of_base = {one.sha for one in repo.git.history(base.sha)}
    of_head = {one.sha for one in repo.git.history(head.sha)}
    ahead = [one for one in repo.git.history(head.sha) if one.sha not in of_base][::-1]
    behind = len(of_base - of_head)
    page = asked.page(ahead, most=100) if {"page", "per_page"} & {*asked.query} else Answer(ahead[:250])
    status = {(False, False): "identical", (True, False): "ahead", (False, True): "behind"}
    made = shapes.shape(repo.fake, "GET /repos/{owner}/{repo}/compare/{basehead}", of=repo.full_name)
    first = int(asked.query.get("page", 1)) == 1
    page.body = made | {
        "base_commit": shapes.commit(repo, base),
        "merge_base_commit": shapes.commit(repo, repo.git.commits[merge_base]),
        "status": status.get((bool(ahead), bool(behind)), "diverged"),
        "ahead_by": len(ahead),
        "behind_by": behind,
        "total_commits": len(ahead),
        "commits": [shapes.commit(repo, one) for one in page.body],
        "files": file_rows(repo, changes, head.sha)[:300] if first else [],
        "html_url": f"{repo.fake.url}/{repo.full_name}/compare/{base_ref}...{head_ref}",
    }
    return page
