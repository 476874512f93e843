"""Routes of issues: list, get, create, patch."""

from typing import Any

from standins.github import shapes
from standins.github.models import Issue, Label, Milestone
from standins.github.repository import Repository
from standins.github.web import Answer, Asked, Refusal, Routes, invalid, not_found

routes = Routes()
_REPO = "/repos/{owner}/{repo}"
_LONGEST_BODY = 65536


def issue_of(asked: Asked, part: str = "issue_number") -> Issue:
    """The issue (or pull request) of a path.

    Raises:
        Refusal: 404.
    """
    found = asked.repo.issues.get(asked.number(part))
    if found is None:
        raise not_found()
    return found


def label_shape(repo: Repository, label: Label) -> dict[str, Any]:
    return {
        "id": label.id,
        "node_id": f"LA_{label.id}",
        "url": f"{repo.fake.api}/repos/{repo.full_name}/labels/{label.name}",
        "name": label.name,
        "description": label.description or None,
        "color": label.color,
        "default": False,
    }


def milestone_shape(repo: Repository, milestone: Milestone) -> dict[str, Any]:
    made = shapes.shape(repo.fake, "GET /repos/{owner}/{repo}/milestones", 0, of=repo.full_name)
    return made | {
        "id": milestone.id,
        "number": milestone.number,
        "title": milestone.title,
        "state": milestone.state,
        "html_url": f"{repo.fake.url}/{repo.full_name}/milestone/{milestone.number}",
    }


def issue_shape(repo: Repository, issue: Issue) -> dict[str, Any]:
    made = shapes.shape(repo.fake, "issue", of=repo.full_name)
    text = {"pull": "pull", "issues": "issues"}["pull" if issue.pull else "issues"]
    url = f"{repo.fake.api}/repos/{repo.full_name}/issues/{issue.number}"
    known = [one for one in repo.milestones if one.number == issue.milestone]
    made |= {
        "id": issue.id,
        "node_id": f"{'PR' if issue.pull else 'I'}_{issue.id}",
        "number": issue.number,
        "url": url,
        "html_url": f"{repo.fake.url}/{repo.full_name}/{text}/{issue.number}",
        **{f"{name}_url": f"{url}/{name}" for name in ("comments", "events")},
        "labels_url": f"{url}/labels{{/name}}",
        "timeline_url": f"{url}/timeline",
        "title": issue.title,
        "body": issue.body,
        "user": shapes.user(repo.fake, issue.author),
        "state": issue.state,
        "state_reason": issue.state_reason,
        "labels": [label_shape(repo, repo.label(one)) for one in issue.labels],
        "assignees": [shapes.user(repo.fake, one) for one in issue.assignees],
        "assignee": shapes.user(repo.fake, issue.assignees[0]) if issue.assignees else None,
        "milestone": milestone_shape(repo, known[0]) if known else None,
        "locked": issue.locked,
        "active_lock_reason": None,
        "comments": len(issue.comments),
        "created_at": issue.created_at,
        "updated_at": issue.updated_at,
        "closed_at": issue.closed_at,
        "closed_by": None,
        "author_association": "MEMBER",
    }
    done = sum(repo.issues[one].state == "closed" for one in issue.sub_issues)
    total = len(issue.sub_issues)
    made["sub_issues_summary"] = {
        "total": total,
        "completed": done,
        "percent_completed": 100 * done // total if total else 0,
    }
    made.pop("pull_request", None)
    if issue.pull:
        pull = f"{repo.fake.api}/repos/{repo.full_name}/pulls/{issue.number}"
        made["pull_request"] = {
            "url": pull,
            "html_url": made["html_url"],
            "diff_url": f"{made['html_url']}.diff",
            "patch_url": f"{made['html_url']}.patch",
            "merged_at": issue.pull.merged_at,
        }
        made["draft"] = issue.pull.draft
    return made


@routes.on("GET", f"{_REPO}/issues", needs="issues")
def issues(asked: Asked) -> Any:
    query = asked.query
    state = query.get("state", "open")
    labels = {one.lower() for one in query.get("labels", "").split(",") if one}
    rows = [
        one
        for one in asked.repo.issues.values()
        if (asked.repo.has_issues or one.pull)
        and state in {"all", one.state}
        and labels <= {name.lower() for name in one.labels}
        and query.get("creator", one.author).lower() == one.author.lower()
        and _fits(query.get("assignee"), one.assignees)
        and _fits(query.get("milestone"), [str(one.milestone)] if one.milestone else [])
        and one.updated_at >= query.get("since", "")
    ]

    def order(one: Issue) -> tuple[int | str, int]:
        by = query.get("sort", "created")
        moment = one.updated_at if by == "updated" else one.created_at
        return (len(one.comments) if by == "comments" else moment), one.number

    rows.sort(key=order, reverse=query.get("direction", "desc") == "desc")
    reached = int(query.get("page", 1)) * int(query.get("per_page", 30))
    if reached > asked.fake.largest_numbered and query.get("after") != _after(int(query["page"])):
        raise Refusal(422, "Pagination with the page parameter is not supported for large datasets.")
    page = asked.page(rows, after=_after)
    page.body = [issue_shape(asked.repo, one) for one in page.body]
    return page


def _after(page: int) -> str:
    return f"Y3Vyc29y{page - 1}"


def _fits(wanted: str | None, has: list[str]) -> bool:
    if wanted is None:
        return True
    if wanted in {"*", "none"}:
        return bool(has) is (wanted == "*")
    return wanted.lower() in {one.lower() for one in has}


@routes.on("POST", f"{_REPO}/issues", needs="issues")
def create(asked: Asked) -> Any:
    fields, repo = asked.fields, asked.repo
    if not repo.has_issues:
        raise Refusal(410, "Issues are disabled for this repo")
    _check(asked)
    made = repo.issue(
        str(fields["title"]),
        body=fields.get("body"),
        author=asked.login,
        labels=[one if isinstance(one, str) else one["name"] for one in fields.get("labels", [])],
        assignees=fields.get("assignees") or [],
        milestone=fields.get("milestone"),
    )
    return Answer(issue_shape(repo, made), 201)


def _check(asked: Asked) -> None:
    fields, repo = asked.fields, asked.repo
    if "title" in fields and not str(fields["title"]).strip():
        raise invalid("Issue", "title", "missing_field")
    if len(fields.get("body") or "") > _LONGEST_BODY:
        raise invalid("Issue", "body", "custom", "body is too long (maximum is 65536 characters)")
    assignees: list[str] = fields.get("assignees") or []
    for login in assignees:
        if login.lower() not in repo.fake.owners:
            raise invalid("Issue", "assignees")
    milestone = fields.get("milestone")
    if milestone is not None and milestone not in {one.number for one in repo.milestones}:
        raise invalid("Issue", "milestone")


@routes.on("GET", f"{_REPO}/issues/{{issue_number}}", needs="issues|pull_requests")
def issue(asked: Asked) -> Any:
    moved = asked.repo.moved.get(asked.number("issue_number"))
    if moved:
        url = f"{asked.fake.api}/repos/{moved[0]}/issues/{moved[1]}"
        said = {"message": "Moved Permanently", "url": url, "documentation_url": "https://docs.github.com"}
        return Answer(said, 301, {"location": url})
    return issue_shape(asked.repo, issue_of(asked))


@routes.on("PATCH", f"{_REPO}/issues/{{issue_number}}", needs="issues|pull_requests")
def change(asked: Asked) -> Any:
    found, fields = issue_of(asked), asked.fields
    _check(asked)
    for name in ("title", "body", "milestone"):
        if name in fields:
            setattr(found, name, fields[name])
    if "labels" in fields:
        names = [one if isinstance(one, str) else one["name"] for one in fields["labels"]]
        found.labels = [asked.repo.label(one).name for one in names]
    if "assignees" in fields:
        found.assignees = [asked.fake.user(one).login for one in fields["assignees"]]
    state = fields.get("state", found.state)
    if state != found.state:
        found.state = state
        found.closed_at = asked.fake.now() if state == "closed" else None
        found.state_reason = fields.get("state_reason") or ("completed" if state == "closed" else "reopened")
        event = "closed" if state == "closed" else "reopened"
        found.events.append({"event": event, "actor": asked.login, "created_at": asked.fake.now()})
    elif fields.get("state_reason"):
        found.state_reason = fields["state_reason"]
    found.updated_at = asked.fake.now()
    return issue_shape(asked.repo, found)
