"""Routes of what says whether a commit is good: check runs and commit statuses."""

from typing import Any

from standins.github import shapes
from standins.github.commits import commit_of
from standins.github.models import Check
from standins.github.repository import Repository
from standins.github.web import Asked, Routes

routes = Routes()
_COMMIT = "/repos/{owner}/{repo}/commits/{ref}"


def check_shape(repo: Repository, check: Check) -> dict[str, Any]:
    made = shapes.shape(repo.fake, f"GET {_COMMIT}/check-runs", "check_runs", 0, of=repo.full_name)
    html = f"{repo.fake.url}/{repo.full_name}/runs/{check.id}"
    made["output"] |= {"title": check.name, "summary": check.summary, "text": None, "annotations_count": 0}
    made["pull_requests"] = []
    return made | {
        "id": check.id,
        "node_id": f"CR_{check.id}",
        "head_sha": check.sha,
        "name": check.name,
        "url": f"{repo.fake.api}/repos/{repo.full_name}/check-runs/{check.id}",
        "html_url": html,
        "details_url": check.details_url or html,
        "status": check.status,
        "conclusion": check.conclusion,
        "started_at": check.started_at,
        "completed_at": check.completed_at,
    }


@routes.on("GET", f"{_COMMIT}/check-runs", needs="checks")
def check_runs(asked: Asked) -> Any:
    sha = commit_of(asked, asked.parts["ref"]).sha
    query = asked.query
    rows = [
        check_shape(asked.repo, one)
        for one in asked.repo.checks
        if one.sha == sha
        and query.get("check_name", one.name) == one.name
        and query.get("status", one.status) == one.status
    ]
    return asked.page(rows, "check_runs")


def _status_shape(repo: Repository, status: Check) -> dict[str, Any]:
    made = shapes.shape(repo.fake, f"GET {_COMMIT}/statuses", 0, of=repo.full_name)
    return made | {
        "id": status.id,
        "node_id": f"SC_{status.id}",
        "url": f"{repo.fake.api}/repos/{repo.full_name}/statuses/{status.sha}",
        "state": status.status,
        "context": status.name,
        "description": status.summary or None,
        "created_at": status.started_at,
        "updated_at": status.started_at,
    }


@routes.on("GET", f"{_COMMIT}/statuses", needs="statuses")
def statuses(asked: Asked) -> Any:
    sha = commit_of(asked, asked.parts["ref"]).sha
    known = [one for one in reversed(asked.repo.statuses) if one.sha == sha]
    return asked.page([_status_shape(asked.repo, one) for one in known])


def state_of(states: set[str]) -> str:
    """What several statuses come to."""
    if states & {"failure", "error"}:
        return "failure"
    return "success" if states == {"success"} else "pending"


@routes.on("GET", f"{_COMMIT}/status", needs="statuses")
def status(asked: Asked) -> Any:
    sha = commit_of(asked, asked.parts["ref"]).sha
    latest = {one.name: one for one in asked.repo.statuses if one.sha == sha}  # the last of each context
    api = f"{asked.fake.api}/repos/{asked.repo.full_name}/commits/{sha}"
    page = asked.page([_status_shape(asked.repo, one) for one in latest.values()], "statuses")
    for row in page.body["statuses"]:
        row.pop("creator", None)
        row["avatar_url"] = f"{asked.fake.url}/avatar"
    page.body |= {
        "state": state_of({one.status for one in latest.values()}),
        "sha": sha,
        "repository": shapes.repository(asked.repo, asked.login),
        "commit_url": api,
        "url": f"{api}/status",
    }
    return page
