"""Routes of Actions that read: workflows, runs, jobs and their logs, artifacts."""

from typing import Any

from standins.github import shapes
from standins.github.models import Job, Run, Workflow
from standins.github.repository import Repository
from standins.github.web import Answer, Asked, Routes, not_found

routes = Routes()
_ACTIONS = "/repos/{owner}/{repo}/actions"
_RUN = f"{_ACTIONS}/runs/{{run_id}}"
_WORKFLOW = f"{_ACTIONS}/workflows/{{workflow_id}}"
_STATUSES = {"queued", "in_progress", "waiting", "requested", "pending"}


def workflow_shape(repo: Repository, workflow: Workflow) -> dict[str, Any]:
    made = shapes.shape(repo.fake, f"GET {_ACTIONS}/workflows", "workflows", 0, of=repo.full_name)
    return made | {
        "id": workflow.id,
        "node_id": f"W_{workflow.id}",
        "name": workflow.name,
        "path": workflow.path,
        "state": workflow.state,
        "url": f"{repo.fake.api}/repos/{repo.full_name}/actions/workflows/{workflow.id}",
        "html_url": f"{repo.fake.url}/{repo.full_name}/blob/{repo.default_branch}/{workflow.path}",
    }


def run_shape(repo: Repository, run: Run) -> dict[str, Any]:
    made = shapes.shape(repo.fake, f"GET {_ACTIONS}/runs", "workflow_runs", 0, of=repo.full_name)
    url = f"{repo.fake.api}/repos/{repo.full_name}/actions/runs/{run.id}"
    actor = shapes.user(repo.fake, run.actor)
    urls = ("jobs", "logs", "artifacts", "cancel", "rerun")
    made["head_commit"] |= {"id": run.sha, "message": run.title}
    return made | {
        "id": run.id,
        "node_id": f"WFR_{run.id}",
        "name": run.workflow.name,
        "path": run.workflow.path,
        "workflow_id": run.workflow.id,
        "run_number": run.number,
        "run_attempt": run.attempt,
        "event": run.event,
        "status": run.status,
        "conclusion": run.conclusion,
        "head_branch": run.branch,
        "head_sha": run.sha,
        "display_title": run.title,
        "actor": actor,
        "triggering_actor": actor,
        "created_at": run.created_at,
        "run_started_at": run.created_at,
        "updated_at": run.updated_at,
        "url": url,
        "html_url": f"{repo.fake.url}/{repo.full_name}/actions/runs/{run.id}",
        **{f"{name}_url": f"{url}/{name}" for name in urls},
        "previous_attempt_url": f"{url}/attempts/{run.attempt - 1}" if run.attempt > 1 else None,
        "pull_requests": [_pull_row(repo, number) for number in run.pulls],
        "repository": shapes.repository(repo),
        "head_repository": shapes.repository(repo),
    }


def _pull_row(repo: Repository, number: int) -> dict[str, Any]:
    pull = repo.pull_of(number)
    url = f"{repo.fake.api}/repos/{repo.full_name}"
    known = {"id": repo.id, "url": url, "name": repo.name}
    sides = {"head": (pull.head, pull.head_sha), "base": (pull.base, repo.heads[pull.base])}
    return {"id": pull.id, "number": number, "url": f"{url}/pulls/{number}"} | {
        name: {"ref": ref, "sha": sha, "repo": known} for name, (ref, sha) in sides.items()
    }


def job_shape(repo: Repository, run: Run, job: Job) -> dict[str, Any]:
    made = shapes.shape(repo.fake, f"GET {_RUN}/jobs", "jobs", 0, of=repo.full_name)
    url = f"{repo.fake.api}/repos/{repo.full_name}/actions"
    return made | {
        "id": job.id,
        "node_id": f"CR_{job.id}",
        "run_id": run.id,
        "run_url": f"{url}/runs/{run.id}",
        "run_attempt": run.attempt,
        "head_sha": run.sha,
        "head_branch": run.branch,
        "url": f"{url}/jobs/{job.id}",
        "html_url": f"{repo.fake.url}/{repo.full_name}/actions/runs/{run.id}/job/{job.id}",
        "check_run_url": f"{repo.fake.api}/repos/{repo.full_name}/check-runs/{job.id}",
        "name": job.name,
        "workflow_name": run.workflow.name,
        "status": job.status,
        "conclusion": job.conclusion,
        "created_at": job.started_at,
        "started_at": job.started_at,
        "completed_at": job.completed_at,
        "steps": job.steps,
    }


def _advance(run: Run) -> None:
    """One step of the run's script; its end ends its jobs."""
    if not run.script:
        return
    step = run.script.pop(0)
    if step in _STATUSES:
        run.status, run.conclusion = step, None
        return
    run.status, run.conclusion = "completed", step
    for job in run.jobs:
        if job.status != "completed":
            job.status, job.conclusion, job.completed_at = "completed", step, run.updated_at


def run_of(asked: Asked) -> Run:
    """The run of a path.

    Raises:
        Refusal: 404.
    """
    number = asked.number("run_id")
    found = next((one for one in asked.repo.runs if one.id == number), None)
    if found is None:
        raise not_found()
    return found


def workflow_of(asked: Asked) -> Workflow:
    wanted = asked.parts["workflow_id"]
    for one in asked.repo.workflows:
        if wanted == str(one.id) or one.path.endswith(f"/{wanted}"):
            return one
    raise not_found()


@routes.on("GET", f"{_ACTIONS}/workflows", needs="actions")
def workflows(asked: Asked) -> Any:
    return asked.page([workflow_shape(asked.repo, one) for one in asked.repo.workflows], "workflows")


@routes.on("GET", _WORKFLOW, needs="actions")
def workflow(asked: Asked) -> Any:
    return workflow_shape(asked.repo, workflow_of(asked))


@routes.on("GET", f"{_ACTIONS}/runs", needs="actions")
def runs(asked: Asked) -> Any:
    return _runs(asked, asked.repo.runs)


@routes.on("GET", f"{_WORKFLOW}/runs", needs="actions")
def workflow_runs(asked: Asked) -> Any:
    known = workflow_of(asked)
    return _runs(asked, [one for one in asked.repo.runs if one.workflow is known])


def _runs(asked: Asked, rows: list[Run]) -> Answer:
    query = asked.query
    status = query.get("status")
    found = [
        one
        for one in reversed(rows)
        if query.get("branch", one.branch) == one.branch
        and query.get("event", one.event) == one.event
        and query.get("actor", one.actor) == one.actor
        and query.get("head_sha", one.sha) == one.sha
        and (status is None or status in {one.status, one.conclusion})
    ]
    page = asked.page(found, "workflow_runs")
    page.body["workflow_runs"] = [run_shape(asked.repo, one) for one in page.body["workflow_runs"]]
    return page


@routes.on("GET", _RUN, needs="actions")
def run(asked: Asked) -> Any:
    found = run_of(asked)
    _advance(found)
    return run_shape(asked.repo, found)


@routes.on("GET", f"{_RUN}/attempts/{{attempt_number}}", needs="actions")
def attempt(asked: Asked) -> Any:
    found = run_of(asked)
    number = asked.number("attempt_number")
    if not 1 <= number <= found.attempt:
        raise not_found()
    return run_shape(asked.repo, found) | {"run_attempt": number}


@routes.on("GET", f"{_RUN}/jobs", needs="actions")
def jobs(asked: Asked) -> Any:
    found = run_of(asked)
    _advance(found)
    return _jobs(asked, found)


@routes.on("GET", f"{_RUN}/attempts/{{attempt_number}}/jobs", needs="actions")
def attempt_jobs(asked: Asked) -> Any:
    return _jobs(asked, run_of(asked))


def _jobs(asked: Asked, found: Run) -> Answer:
    page = asked.page(found.jobs, "jobs")
    page.body["jobs"] = [job_shape(asked.repo, found, one) for one in page.body["jobs"]]
    return page


@routes.on("GET", f"{_RUN}/artifacts", needs="actions")
def artifacts(asked: Asked) -> Any:
    made: list[dict[str, Any]] = []
    for one in run_of(asked).artifacts:
        row = shapes.shape(asked.fake, f"GET {_RUN}/artifacts", "artifacts", 0, of=asked.repo.full_name)
        url = f"{asked.fake.api}/repos/{asked.repo.full_name}/actions/artifacts/{one['id']}"
        made.append(row | {"url": url, "archive_download_url": f"{url}/zip", "expired": False} | one)
    return asked.page(made, "artifacts")


def _job_of(asked: Asked) -> tuple[Run, Job]:
    number = asked.number("job_id")
    for one in asked.repo.runs:
        for job in one.jobs:
            if job.id == number:
                return one, job
    raise not_found()


@routes.on("GET", f"{_ACTIONS}/jobs/{{job_id}}", needs="actions")
def job(asked: Asked) -> Any:
    return job_shape(asked.repo, *_job_of(asked))


@routes.on("GET", f"{_ACTIONS}/jobs/{{job_id}}/logs", needs="actions")
def log(asked: Asked) -> Any:
    found = _job_of(asked)[1]
    if found.log is None:
        raise not_found()
    where = f"{asked.fake.api}/_logs/{asked.repo.full_name}/{found.id}"
    return Answer(status=302, headers={"location": where})


@routes.on("GET", "/_logs/{owner}/{repo}/{job_id}")
def stored_log(asked: Asked) -> Any:
    asked.found = asked.fake.repositories.get(f"{asked.parts['owner']}/{asked.parts['repo']}".lower())
    return Answer(_job_of(asked)[1].log)
