"""Start workflows, run them again, cancel them: each once."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import anyio
from pydantic import Field

from ringmain_core.arguments import DryRun, IdempotencyKey, OnRecord, withheld
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, OutcomeUnknown, ToolFailure, UpstreamRefused
from ringmain_core.steps import sent_or_found
from ringmain_core.tooling import tool
from ringmain_github.actions import has_failed, jobs_of, result_of, run_of, workflow_of
from ringmain_github.api import GitHub
from ringmain_github.models import Outcome
from ringmain_github.references import RepoName, RunId, file_parts
from ringmain_github.repository import Repository
from ringmain_github.settling import if_noted
from ringmain_github.workflow_inputs import inputs_of, require_fitting

Action = Literal["dispatch", "rerun", "rerun_failed", "cancel"]

LOOKS = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each look for a run that was started: GitHub shows it after a moment."""

_CERTAIN_AFTER = 600.0  # seconds after which a run that is still not there was never started
_RAW = "application/vnd.github.raw+json"
_AGAIN: Mapping[str, str] = {"rerun": "rerun", "rerun_failed": "rerun-failed-jobs", "cancel": "cancel"}
_MOST_INPUTS = 25


@dataclass(frozen=True, slots=True)
class _Start:
    """What a dispatch is known by: GitHub gives no other name to it than what it looks like."""

    workflow: int
    file: str
    ref: str
    actor: str | None
    after: int


@if_noted
async def what_became(github: GitHub, call: Call, note: Any) -> Outcome | None:
    """What became of a try whose answer was lost."""
    repository = await github.repo(call, note["repo"])
    if note["action"] == "dispatch":
        start = _Start(**note["start"])
        found = await _runs_since(github, repository, start)
        if len(found) == 1:
            return _started(
                repository, start, found[0], ["The answer was lost; this run is what it looks like."]
            )
        if not found and time.time() - note["at"] > _CERTAIN_AFTER:
            return None
        raise OutcomeUnknown(_which(start, found))
    run = await run_of(github, repository, note["run_id"])
    return _changed(note["action"], run) if _has_happened(note["action"], run, note["attempt"]) else None


@tool(access="write", title="Run a workflow", idempotent=False, settle=what_became)
async def run_workflow(
    github: GitHub,
    call: Call,
    repo: RepoName,
    action: Annotated[Action, Field(description="All but `dispatch` take `run_id`.")],
    workflow: Annotated[str | None, Field(description="File, name or id.")] = None,
    ref: Annotated[str | None, Field(description="Branch or tag; else the default.")] = None,
    inputs: Annotated[
        dict[str, Any] | None, Field(description="Of the workflow."), OnRecord(withheld)
    ] = None,
    run_id: RunId | None = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core sees to it)
) -> Outcome:
    """Start (dispatch) a workflow, rerun it or what failed of it, or cancel it."""
    repository = await github.repo(call, repo)
    if action == "dispatch":
        if workflow is None or run_id is not None:
            raise InvalidArguments("To dispatch, give `workflow` and no `run_id`.")
        return await _dispatch(github, call, repository, workflow, ref, _texts(inputs), dry_run=dry_run)
    if run_id is None or workflow is not None or ref is not None or inputs is not None:
        raise InvalidArguments(f"For `{action}` give `run_id`, and no `workflow`, `ref` or `inputs`.")
    return await _again(github, call, repository, action, run_id, dry_run=dry_run)


async def _dispatch(
    github: GitHub,
    call: Call,
    repository: Repository,
    wanted: str,
    ref: str | None,
    inputs: dict[str, str],
    *,
    dry_run: bool,
) -> Outcome:
    workflow = await workflow_of(github, repository, wanted)
    if workflow["state"] != "active":
        raise UpstreamRefused(f"`{workflow['path']}` is {workflow['state']}: it cannot be started.")
    ref = (ref or repository.default_branch).removeprefix("refs/heads/").removeprefix("refs/tags/")
    warnings = await _check_inputs(github, repository, workflow["path"], ref, inputs)
    url = repository.path("actions", "workflows", workflow["id"], "dispatches")
    body: dict[str, Any] = {"ref": ref} | ({"inputs": inputs} if inputs else {})
    file = workflow["path"].rpartition("/")[2]
    if dry_run:
        return Outcome(
            done=False,
            summary=f"It would start {file} on {ref}.",
            warnings=warnings,
            requests=[{"method": "POST", "path": url, "body": body | {"return_run_details": True}}],
        )
    if inputs:
        await call.may_share(repository.audience, f"Inputs of a run of {file} in {repository.full_name}")
    before = await _runs_since(github, repository, _Start(workflow["id"], file, ref, None, 0))
    start = _Start(
        workflow["id"], file, ref, await _login(github), max((run["id"] for run in before), default=0)
    )
    noted = {name: getattr(start, name) for name in ("workflow", "file", "ref", "actor", "after")}
    note = {"repo": repository.full_name, "action": "dispatch", "start": noted, "at": time.time()}
    await call.note(note)

    async def look() -> Mapping[str, Any] | None:
        found = await _found(lambda: _runs_since(github, repository, start))
        if len(found) > 1:
            raise OutcomeUnknown(_which(start, found))
        return found[0] if found else None

    async def send() -> Mapping[str, Any] | None:
        started = await _send_dispatch(github, url, body)
        if started is not None:
            return {"id": started["workflow_run_id"], "html_url": started["html_url"]}
        try:
            return await look()
        except ToolFailure:  # it was started, all the same
            return None

    run = await sent_or_found(send, look)
    return _started(repository, start, run, warnings)


async def _send_dispatch(github: GitHub, url: str, body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Start it; says which run it is, where this GitHub does."""
    try:
        reply = await github.send("POST", url, {**body, "return_run_details": True})
    except UpstreamRefused as refused:
        if refused.detail.get("status") != 422 or "return_run_details" not in refused.message:
            raise
        reply = await github.send("POST", url, dict(body))  # an Enterprise Server that does not know it
    return reply.json() if reply.text.strip() else None


async def _again(
    github: GitHub, call: Call, repository: Repository, action: Action, run_id: int, *, dry_run: bool
) -> Outcome:
    run = await run_of(github, repository, run_id)
    ended = run["status"] == "completed"
    if action == "cancel" and ended:
        raise UpstreamRefused(f"Run {run_id} has ended ({result_of(run)}): there is nothing to cancel.")
    if action != "cancel" and not ended:
        raise UpstreamRefused(
            f"Run {run_id} is still going ({result_of(run)}): wait with "
            "`monitor_pipeline`, or cancel it first."
        )
    if action == "rerun_failed":
        failed = [job for job in await jobs_of(github, repository, run_id) if has_failed(job)]
        if not failed:
            raise UpstreamRefused(f"No job of run {run_id} has failed; `rerun` runs all of them again.")
    url = repository.path("actions", "runs", run_id, _AGAIN[action])
    if dry_run:
        summary = f"It would {action.replace('_', ' ')} run {run_id} ({result_of(run)})."
        return Outcome(done=False, summary=summary, requests=[{"method": "POST", "path": url}])
    attempt = run.get("run_attempt", 1)
    await call.note({"repo": repository.full_name, "action": action, "run_id": run_id, "attempt": attempt})

    async def send() -> Mapping[str, Any]:
        await github.send("POST", url)
        return run

    async def look() -> Mapping[str, Any] | None:
        now = await run_of(github, repository, run_id)
        return now if _has_happened(action, now, attempt) else None

    return _changed(action, await sent_or_found(send, look))


async def _check_inputs(
    github: GitHub, repository: Repository, path: str, ref: str, inputs: Mapping[str, str]
) -> list[str]:
    """Hold inputs against the workflow's file; returns warnings where that cannot be done."""
    if len(inputs) > _MOST_INPUTS:
        raise InvalidArguments(f"`inputs`: GitHub takes {_MOST_INPUTS} at most.")
    try:
        url = repository.path("contents", *file_parts(path))
        declared = inputs_of((await github.get(url, params={"ref": ref}, accept=_RAW)).text)
    except ToolFailure:
        declared = None
    if declared is None:
        return ["The workflow's file could not be read, so its inputs were not checked."] if inputs else []
    require_fitting(inputs, declared)
    return []


async def _runs_since(github: GitHub, repository: Repository, start: _Start) -> list[dict[str, Any]]:
    """Runs that this dispatch may have started; ids only grow."""
    url = repository.path("actions", "workflows", start.workflow, "runs")
    params = {"event": "workflow_dispatch", "branch": start.ref, "actor": start.actor, "per_page": 20}
    found = (await github.get(url, params=params)).json()["workflow_runs"]
    return [run for run in found if run["id"] > start.after]


async def _found(look: Callable[[], Awaitable[list[dict[str, Any]]]]) -> list[dict[str, Any]]:
    for pause in LOOKS:
        await anyio.sleep(pause)
        if found := await look():
            return found
    return []


async def _login(github: GitHub) -> str | None:
    try:
        return (await github.get("/user")).json()["login"]
    except ToolFailure:  # an app's installation is no user
        return None


def _texts(inputs: Mapping[str, Any] | None) -> dict[str, str]:
    """Inputs as GitHub takes them on every version: as texts."""
    texts: dict[str, str] = {}
    for name, value in (inputs or {}).items():
        if not isinstance(value, (str, int, float)):
            raise InvalidArguments(f"`inputs`: `{name}` has to be a text, a number, true or false.")
        texts[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return texts


def _has_happened(action: str, run: Mapping[str, Any], attempt: int) -> bool:
    if action == "cancel":
        return run["status"] == "completed" and run.get("conclusion") == "cancelled"
    return run.get("run_attempt", 1) > attempt


def _started(
    repository: Repository, start: _Start, run: Mapping[str, Any] | None, warnings: list[str]
) -> Outcome:
    summary = f"Started {start.file} on {start.ref} in {repository.full_name}."
    if run is None:
        unseen = "Its run is not to be seen yet, or not to be told from others: find it with `list_runs`."
        return Outcome(done=True, summary=summary, warnings=[*warnings, unseen])
    return Outcome(done=True, summary=summary, id=str(run["id"]), url=run["html_url"], warnings=warnings)


def _changed(action: str, run: Mapping[str, Any]) -> Outcome:
    said = {"rerun": "All its jobs run again", "rerun_failed": "Its failed jobs run again"}
    summary = f"{said.get(action, 'It is being cancelled')}: run {run['id']}."
    return Outcome(done=True, summary=summary, id=str(run["id"]), url=run["html_url"])


def _which(start: _Start, found: list[dict[str, Any]]) -> str:
    ids = ", ".join(str(run["id"]) for run in found)
    seen = f"these runs began since then: {ids}" if found else "no run is to be seen yet"
    return (
        f"Whether {start.file} was started on {start.ref} is not known: {seen}. Look with `list_runs` "
        "(event=workflow_dispatch) before you start it again."
    )
