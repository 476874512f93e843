"""Routes of what hangs on issues: labels, assignees, milestones, timeline, sub-issues."""

from typing import Any

from standins.github import shapes
from standins.github.comments import comment_shape
from standins.github.issues import issue_of, issue_shape, label_shape, milestone_shape
from standins.github.models import Issue
from standins.github.web import Answer, Asked, Refusal, Routes, invalid, not_found

routes = Routes()
_REPO = "/repos/{owner}/{repo}"
_ISSUE = f"{_REPO}/issues/{{issue_number}}"
_NEEDS = "issues|pull_requests"


@routes.on("GET", f"{_REPO}/labels", needs=_NEEDS)
def labels(asked: Asked) -> Any:
    return asked.page([label_shape(asked.repo, one) for one in asked.repo.labels.values()])


@routes.on("GET", f"{_REPO}/labels/{{name}}", needs=_NEEDS)
def one_label(asked: Asked) -> Any:
    known = [one for one in asked.repo.labels.values() if one.name.lower() == asked.parts["name"].lower()]
    if not known:
        raise not_found()
    return label_shape(asked.repo, known[0])


@routes.on("GET", f"{_REPO}/milestones", needs=_NEEDS)
def milestones(asked: Asked) -> Any:
    state = asked.query.get("state", "open")
    known = [one for one in asked.repo.milestones if state in {"all", one.state}]
    return asked.page([milestone_shape(asked.repo, one) for one in known])


@routes.on("GET", f"{_REPO}/assignees")
def assignees(asked: Asked) -> Any:
    known = [one for one in asked.fake.owners.values() if one.kind == "User"]
    return asked.page([shapes.user(asked.fake, one.login) for one in known])


@routes.on("GET", f"{_REPO}/assignees/{{assignee}}")
def assignable(asked: Asked) -> Any:
    known = asked.fake.owners.get(asked.parts["assignee"].lower())
    if known is None or known.kind != "User":
        raise not_found()
    return Answer(None, 204)


@routes.on("GET", f"{_ISSUE}/labels", needs=_NEEDS)
def issue_labels(asked: Asked) -> Any:
    return asked.page(_labels(asked, issue_of(asked)))


def _labels(asked: Asked, issue: Issue) -> list[dict[str, Any]]:
    return [label_shape(asked.repo, asked.repo.label(one)) for one in issue.labels]


@routes.on("POST", f"{_ISSUE}/labels", needs=_NEEDS)
def add_labels(asked: Asked) -> Any:
    issue = issue_of(asked)
    given: Any = asked.fields.get("labels", []) if asked.fields else asked.body or []
    for one in given:
        name = asked.repo.label(one if isinstance(one, str) else one["name"]).name
        if name not in issue.labels:
            issue.labels.append(name)
            _event(asked, issue, "labeled", label={"name": name, "color": asked.repo.label(name).color})
    return _labels(asked, issue)


@routes.on("DELETE", f"{_ISSUE}/labels/{{name}}", needs=_NEEDS)
def remove_label(asked: Asked) -> Any:
    issue = issue_of(asked)
    known = next((one for one in issue.labels if one.lower() == asked.parts["name"].lower()), None)
    if known is None:
        raise Refusal(404, "Label does not exist")
    issue.labels.remove(known)
    _event(asked, issue, "unlabeled", label={"name": known, "color": asked.repo.label(known).color})
    return _labels(asked, issue)


@routes.on("POST", f"{_ISSUE}/assignees", needs=_NEEDS)
def add_assignees(asked: Asked) -> Any:
    issue = issue_of(asked)
    for login in asked.fields.get("assignees", []):  # GitHub passes over people whom it does not know
        known = asked.fake.owners.get(login.lower())
        if known is not None and known.login not in issue.assignees:
            issue.assignees.append(known.login)
    issue.updated_at = asked.fake.now()
    return Answer(issue_shape(asked.repo, issue), 201)


@routes.on("DELETE", f"{_ISSUE}/assignees", needs=_NEEDS)
def remove_assignees(asked: Asked) -> Any:
    issue = issue_of(asked)
    gone = {login.lower() for login in asked.fields.get("assignees", [])}
    issue.assignees = [one for one in issue.assignees if one.lower() not in gone]
    issue.updated_at = asked.fake.now()
    return issue_shape(asked.repo, issue)


def _event(asked: Asked, issue: Issue, event: str, **more: Any) -> None:
    issue.updated_at = asked.fake.now()
    issue.events.append({"event": event, "actor": asked.login, "created_at": issue.updated_at, **more})


@routes.on("GET", f"{_ISSUE}/timeline", needs=_NEEDS)
def timeline(asked: Asked) -> Any:
    issue = issue_of(asked)
    rows: list[dict[str, Any]] = []
    for number, event in enumerate(issue.events, 1):
        url = f"{asked.fake.api}/repos/{asked.repo.full_name}/issues/events/{number}"
        row = {
            "id": number,
            "node_id": f"EV_{number}",
            "url": url,
            "commit_id": None,
            "commit_url": None,
            "performed_via_github_app": None,
            **event,
        }
        rows.append(row | {"actor": shapes.user(asked.fake, event["actor"])})
    for comment in issue.comments:
        row = comment_shape(asked.repo, issue, comment)
        rows.append(row | {"event": "commented", "actor": row["user"]})
    return asked.page(sorted(rows, key=lambda one: one["created_at"]))


@routes.on("GET", f"{_ISSUE}/sub_issues", needs="issues")
def sub_issues(asked: Asked) -> Any:
    return asked.page([issue_shape(asked.repo, asked.repo.issues[one]) for one in issue_of(asked).sub_issues])


@routes.on("POST", f"{_ISSUE}/sub_issues", needs="issues")
def add_sub_issue(asked: Asked) -> Any:
    parent = issue_of(asked)
    wanted = asked.fields["sub_issue_id"]
    child = next((one for one in asked.repo.issues.values() if one.id == wanted), None)
    if child is None:
        raise not_found()
    if child.number in parent.sub_issues:
        raise invalid("SubIssue", "sub_issue_id", "already_exists")
    parent.sub_issues.append(child.number)
    return Answer(issue_shape(asked.repo, child), 201)


@routes.on("GET", f"{_ISSUE}/parent", needs="issues")
def parent(asked: Asked) -> Any:
    child = issue_of(asked)
    found = next((one for one in asked.repo.issues.values() if child.number in one.sub_issues), None)
    if found is None:
        raise not_found()
    return issue_shape(asked.repo, found)
