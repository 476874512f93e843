"""Routes of comments on issues and pull requests."""

from typing import Any

from standins.github import shapes
from standins.github.issues import issue_of
from standins.github.models import Comment, Issue
from standins.github.repository import Repository
from standins.github.web import Answer, Asked, Refusal, Routes, invalid, not_found

routes = Routes()
_REPO = "/repos/{owner}/{repo}"


def comment_shape(repo: Repository, issue: Issue, comment: Comment) -> dict[str, Any]:
    made = shapes.shape(repo.fake, "GET /repos/{owner}/{repo}/issues/{issue_number}/comments", 0)
    api = f"{repo.fake.api}/repos/{repo.full_name}/issues"
    kind = "pull" if issue.pull else "issues"
    return made | {
        "id": comment.id,
        "node_id": f"IC_{comment.id}",
        "url": f"{api}/comments/{comment.id}",
        "html_url": f"{repo.fake.url}/{repo.full_name}/{kind}/{issue.number}#issuecomment-{comment.id}",
        "issue_url": f"{api}/{issue.number}",
        "body": comment.body,
        "user": shapes.user(repo.fake, comment.author),
        "created_at": comment.created_at,
        "updated_at": comment.updated_at,
        "author_association": "MEMBER",
    }


@routes.on("GET", f"{_REPO}/issues/{{issue_number}}/comments", needs="issues|pull_requests")
def comments(asked: Asked) -> Any:
    found = issue_of(asked)
    since = asked.query.get("since", "")
    rows = [comment_shape(asked.repo, found, one) for one in found.comments if one.updated_at >= since]
    return asked.page(rows)


@routes.on("POST", f"{_REPO}/issues/{{issue_number}}/comments", needs="issues|pull_requests")
def add_comment(asked: Asked) -> Any:
    found = issue_of(asked)
    if found.locked:
        raise Refusal(403, "Unable to create comment because issue is locked.")
    if not str(asked.fields["body"]).strip():
        raise invalid("IssueComment", "body", "missing_field")
    made = asked.repo.comment(found.number, asked.fields["body"], author=asked.login)
    return Answer(comment_shape(asked.repo, found, made), 201)


def comment_of(asked: Asked) -> tuple[Issue, Comment]:
    number = asked.number("comment_id")
    for one in asked.repo.issues.values():
        for comment in one.comments:
            if comment.id == number:
                return one, comment
    raise not_found()


@routes.on("GET", f"{_REPO}/issues/comments/{{comment_id}}", needs="issues|pull_requests")
def comment(asked: Asked) -> Any:
    return comment_shape(asked.repo, *comment_of(asked))


@routes.on("PATCH", f"{_REPO}/issues/comments/{{comment_id}}", needs="issues|pull_requests")
def change_comment(asked: Asked) -> Any:
    found, known = comment_of(asked)
    known.body, known.updated_at = asked.fields["body"], asked.fake.now()
    return comment_shape(asked.repo, found, known)


@routes.on("DELETE", f"{_REPO}/issues/comments/{{comment_id}}", needs="issues|pull_requests")
def delete_comment(asked: Asked) -> Any:
    found, known = comment_of(asked)
    found.comments.remove(known)
    return Answer(status=204)
