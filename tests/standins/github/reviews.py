"""Routes of reviews and merging: reviews, review comments and replies, merge, update-branch."""

from typing import Any

from standins.github import shapes
from standins.github.models import Issue, Pull, Review, ReviewComment, Thread
from standins.github.pulls import changes_of, pull_of
from standins.github.repository import Repository
from standins.github.web import Answer, Asked, Refusal, Routes, not_found

routes = Routes()
_PULL = "/repos/{owner}/{repo}/pulls/{pull_number}"
_NEEDS = "pull_requests"
_STATES = {
    "APPROVE": "APPROVED",
    "REQUEST_CHANGES": "CHANGES_REQUESTED",
    "COMMENT": "COMMENTED",
    None: "PENDING",
}


def review_shape(repo: Repository, issue: Issue, review: Review) -> dict[str, Any]:
    made = shapes.shape(repo.fake, f"GET {_PULL}/reviews", 0, of=repo.full_name)
    html = f"{repo.fake.url}/{repo.full_name}/pull/{issue.number}#pullrequestreview-{review.id}"
    pull = f"{repo.fake.api}/repos/{repo.full_name}/pulls/{issue.number}"
    return made | {
        "id": review.id,
        "node_id": f"PRR_{review.id}",
        "user": shapes.user(repo.fake, review.author),
        "body": review.body,
        "state": review.state,
        "html_url": html,
        "pull_request_url": pull,
        "_links": {"html": {"href": html}, "pull_request": {"href": pull}},
        "submitted_at": review.submitted_at,
        "commit_id": review.commit_id,
        "author_association": "MEMBER",
    }


def comment_shape(repo: Repository, issue: Issue, thread: Thread, comment: ReviewComment) -> dict[str, Any]:
    made = shapes.shape(repo.fake, f"GET {_PULL}/comments", 0, of=repo.full_name)
    html = f"{repo.fake.url}/{repo.full_name}/pull/{issue.number}#discussion_r{comment.id}"
    api = f"{repo.fake.api}/repos/{repo.full_name}/pulls"
    url = f"{api}/comments/{comment.id}"
    sha = repo.pull_of(issue.number).head_sha
    made |= {
        "id": comment.id,
        "node_id": f"PRRC_{comment.id}",
        "pull_request_review_id": comment.review,
        "url": url,
        "html_url": html,
        "pull_request_url": f"{api}/{issue.number}",
        "path": thread.path,
        "line": None if thread.outdated else thread.line,
        "original_line": thread.line,
        "side": thread.side,
        "start_line": thread.start_line,
        "original_start_line": thread.start_line,
        "start_side": thread.side if thread.start_line else None,
        "commit_id": sha,
        "original_commit_id": sha,
        "user": shapes.user(repo.fake, comment.author),
        "body": comment.body,
        "created_at": comment.created_at,
        "updated_at": comment.updated_at,
        "author_association": "MEMBER",
        "_links": {
            "self": {"href": url},
            "html": {"href": html},
            "pull_request": {"href": f"{api}/{issue.number}"},
        },
    }
    made.pop("in_reply_to_id", None)
    return made | ({"in_reply_to_id": comment.reply_to} if comment.reply_to else {})


@routes.on("GET", f"{_PULL}/reviews", needs=_NEEDS)
def reviews(asked: Asked) -> Any:
    issue, pull = pull_of(asked)
    return asked.page([review_shape(asked.repo, issue, one) for one in pull.reviews])


@routes.on("POST", f"{_PULL}/reviews", needs=_NEEDS)
def create(asked: Asked) -> Any:
    issue, pull = pull_of(asked)
    fields, repo = asked.fields, asked.repo
    event = fields.get("event")
    own = asked.login == issue.author
    if own and event in {"APPROVE", "REQUEST_CHANGES"}:
        wish = "approve" if event == "APPROVE" else "request changes on"
        raise _unprocessable(f"Can not {wish} your own pull request")
    if event in {"REQUEST_CHANGES", "COMMENT"} and not fields.get("body") and not fields.get("comments"):
        raise _unprocessable("Body can't be blank")
    commit = fields.get("commit_id", pull.head_sha)
    if commit not in repo.git.commits:
        raise _unprocessable("Commit is not part of the pull request")
    comments: list[dict[str, Any]] = fields.get("comments", [])
    for one in comments:
        _check_place(repo, pull, one)
    made = repo.review(issue.number, asked.login, _STATES[event], fields.get("body", ""), commit)
    for one in comments:
        thread = repo.thread(
            issue.number, one["path"], one.get("line"), [one["body"]], authors=[asked.login], review=made
        )
        thread.side, thread.start_line = one.get("side", "RIGHT"), one.get("start_line")
    if asked.login in pull.reviewers:
        pull.reviewers.remove(asked.login)
    issue.updated_at = asked.fake.now()
    return review_shape(repo, issue, made)


def _unprocessable(*messages: str) -> Refusal:
    return Refusal(422, "Unprocessable Entity", messages)


def _check_place(repo: Repository, pull: Pull, comment: dict[str, Any]) -> None:
    change = next((one for one in changes_of(repo, pull) if one.path == comment["path"]), None)
    if change is None:
        raise _unprocessable("Path could not be resolved")
    line = comment.get("line")
    if line is not None and line not in _lines_shown(change.patch or "", comment.get("side", "RIGHT")):
        raise _unprocessable("Line could not be resolved")


def _lines_shown(patch: str, side: str) -> set[int]:
    shown: set[int] = set()
    number = 0
    for row in patch.splitlines():
        if row.startswith("@@"):
            start = row.split()[2 if side == "RIGHT" else 1]
            number = int(start[1:].partition(",")[0])
        elif row.startswith((" ", "+" if side == "RIGHT" else "-")):
            shown.add(number)
            number += 1
    return shown


@routes.on("GET", f"{_PULL}/comments", needs=_NEEDS)
def comments(asked: Asked) -> Any:
    issue, pull = pull_of(asked)
    every = [(thread, one) for thread in pull.threads for one in thread.comments]
    every.sort(key=lambda one: one[1].id)
    return asked.page([comment_shape(asked.repo, issue, *one) for one in every])


def _find(asked: Asked, pull: Pull) -> tuple[Thread, ReviewComment]:
    number = asked.number("comment_id")
    for thread in pull.threads:
        for comment in thread.comments:
            if comment.id == number:
                return thread, comment
    raise not_found()


@routes.on("POST", f"{_PULL}/comments/{{comment_id}}/replies", needs=_NEEDS)
def reply(asked: Asked) -> Any:
    issue, pull = pull_of(asked)
    thread, first = _find(asked, pull)
    if first.reply_to:
        raise Refusal(404, "Parent comment not found")
    made = asked.repo.reply(thread, asked.fields["body"], asked.login)
    return Answer(comment_shape(asked.repo, issue, thread, made), 201)


def _anywhere(asked: Asked) -> tuple[Issue, Thread, ReviewComment]:
    for issue in asked.repo.issues.values():
        for thread in issue.pull.threads if issue.pull else []:
            for comment in thread.comments:
                if comment.id == asked.number("comment_id"):
                    return issue, thread, comment
    raise not_found()


@routes.on("GET", "/repos/{owner}/{repo}/pulls/comments/{comment_id}", needs=_NEEDS)
def comment(asked: Asked) -> Any:
    return comment_shape(asked.repo, *_anywhere(asked))


@routes.on("PATCH", "/repos/{owner}/{repo}/pulls/comments/{comment_id}", needs=_NEEDS)
def change_comment(asked: Asked) -> Any:
    issue, thread, known = _anywhere(asked)
    known.body, known.updated_at = asked.fields["body"], asked.fake.now()
    return comment_shape(asked.repo, issue, thread, known)


@routes.on("PUT", f"{_PULL}/merge", needs="contents")
def merge(asked: Asked) -> Any:
    issue, pull = pull_of(asked)
    repo, fields = asked.repo, asked.fields
    if pull.merged_at or issue.state != "open" or pull.draft or pull.mergeable is False:
        raise Refusal(
            405, "Pull Request is not mergeable" if not pull.draft else "Pull Request is still a draft"
        )
    good = {one.name for one in repo.checks if one.sha == pull.head_sha and one.conclusion == "success"}
    if missing := [one for one in repo.required_checks if one not in good]:
        raise Refusal(405, f'Required status check "{missing[0]}" is expected.')
    if fields.get("sha", pull.head_sha) != pull.head_sha:
        raise Refusal(409, "Head branch was modified. Review and try the merge again.")
    made = merged(repo, issue, pull, asked.login, fields)
    return {"sha": made, "merged": True, "message": "Pull Request successfully merged"}


def merged(repo: Repository, issue: Issue, pull: Pull, login: str, fields: dict[str, Any]) -> str:
    """Merge it, and give the commit."""
    changes = {one.path: _content(repo, pull, one.path) for one in changes_of(repo, pull)}
    base = repo.heads[pull.base]
    pull.base_sha = base
    title = (
        fields.get("commit_title")
        or f"Merge pull request #{issue.number} from {repo.owner.login}/{pull.head}"
    )
    both = (base, pull.head_sha) if fields.get("merge_method", "merge") == "merge" else (base,)
    message = f"{title}\n\n{fields.get('commit_message') or issue.title}"
    pull.merge_sha = repo.commit(pull.base, changes, message, author=login, parents=both)
    issue.state, issue.closed_at = "closed", repo.fake.now()
    pull.merged_at, pull.merged_by, issue.updated_at = issue.closed_at, login, issue.closed_at
    return pull.merge_sha


def _content(repo: Repository, pull: Pull, path: str) -> bytes | None:
    sha = repo.git.commits[pull.head_sha].files.get(path)
    return None if sha is None else repo.git.blobs[sha]


@routes.on("PUT", f"{_PULL}/update-branch", needs="contents")
def update_branch(asked: Asked) -> Any:
    issue, pull = pull_of(asked)
    repo = asked.repo
    if asked.fields.get("expected_head_sha", pull.head_sha) != pull.head_sha:
        raise Refusal(422, "expected head sha didn’t match current head ref.")  # noqa: RUF001 (as GitHub writes it)
    base = repo.git.commits[repo.heads[pull.base]]
    origin = repo.git.merge_base(base.sha, pull.head_sha)
    if origin == base.sha:
        raise Refusal(422, "There are no new commits on the base branch.")
    theirs = repo.git.changes(repo.git.commits[origin or ""].files, base.files)
    changes = {
        one.path: repo.git.blobs[base.files[one.path]] if one.path in base.files else None for one in theirs
    }
    message = f"Merge branch '{pull.base}' into {pull.head}"
    repo.commit(pull.head, changes, message, author=asked.login, parents=(pull.head_sha, base.sha))
    url = f"{asked.fake.url}/repos/{repo.full_name}/pulls/{issue.number}"
    return Answer({"message": "Updating pull request branch.", "url": url}, 202)
