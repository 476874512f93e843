"""Routes of Actions that start and stop runs: dispatch, rerun, cancel."""

from typing import Any

from standins.github.actions import run_of, run_shape, workflow_of
from standins.github.web import Answer, Asked, Refusal, Routes

routes = Routes()
_ACTIONS = "/repos/{owner}/{repo}/actions"
_RUN = f"{_ACTIONS}/runs/{{run_id}}"
_WORKFLOW = f"{_ACTIONS}/workflows/{{workflow_id}}"


@routes.on("POST", f"{_WORKFLOW}/dispatches", needs="actions")
def dispatch(asked: Asked) -> Any:
    known, fields, repo = workflow_of(asked), asked.fields, asked.repo
    if "return_run_details" in fields and asked.fake.old_server == "refuses":
        raise Refusal(422, 'Invalid request.\n\n"return_run_details" is not a permitted key.')
    if not known.dispatchable:
        raise Refusal(422, "Workflow does not have 'workflow_dispatch' trigger")
    ref = str(fields["ref"]).removeprefix("refs/heads/")
    if repo.find(ref) is None:
        raise Refusal(422, f"No ref found for: {ref}")
    inputs: dict[str, Any] = fields.get("inputs", {})
    if unknown := inputs.keys() - {*known.inputs}:
        raise Refusal(422, f"Unexpected inputs provided: {sorted(unknown)}")
    made = repo.run(
        known.path.rpartition("/")[2],
        branch=ref,
        sha=repo.sha(ref),
        event="workflow_dispatch",
        actor=asked.login,
        jobs=[("build", None)],
        status="queued",
        script=asked.fake.dispatched,
    )
    made.inputs = inputs
    if not fields.get("return_run_details") or asked.fake.old_server:
        return Answer(status=204)
    shown = run_shape(repo, made)
    return {"workflow_run_id": made.id, "run_url": shown["url"], "html_url": shown["html_url"]}


def _again(asked: Asked, *, failed_only: bool) -> Answer:
    found = run_of(asked)
    if found.status != "completed":
        raise Refusal(403, "This workflow is already running")
    if failed_only and not any(one.conclusion not in {"success", "skipped"} for one in found.jobs):
        raise Refusal(403, "This workflow run cannot be rerun: it has no failed jobs")
    found.attempt += 1
    found.status, found.conclusion, found.updated_at = "queued", None, asked.fake.now()
    for one in found.jobs:
        if not failed_only or one.conclusion not in {"success", "skipped"}:
            one.status, one.conclusion, one.completed_at = "queued", None, None
    found.script = list(asked.fake.dispatched)
    return Answer({}, 201)


@routes.on("POST", f"{_RUN}/rerun", needs="actions")
def rerun(asked: Asked) -> Any:
    return _again(asked, failed_only=False)


@routes.on("POST", f"{_RUN}/rerun-failed-jobs", needs="actions")
def rerun_failed(asked: Asked) -> Any:
    return _again(asked, failed_only=True)


@routes.on("POST", f"{_RUN}/cancel", needs="actions")
def cancel(asked: Asked) -> Any:
    found = run_of(asked)
    if found.status == "completed":
        raise Refusal(409, "Cannot cancel a workflow run that is completed.")
    found.script = []
    found.status, found.conclusion, found.updated_at = "completed", "cancelled", asked.fake.now()
    for one in found.jobs:
        if one.status != "completed":
            one.status, one.conclusion, one.completed_at = "completed", "cancelled", found.updated_at
    return Answer({}, 202)
