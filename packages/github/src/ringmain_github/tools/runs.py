"""Runs of workflows: find them, and read why one has failed."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from ringmain_core.answers import Cell, PagedItem, Rows, size_of
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments
from ringmain_core.text import clean
from ringmain_core.tooling import tool
from ringmain_github.actions import (
    JOB_COLUMNS,
    counted,
    has_failed,
    job_row,
    jobs_of,
    pick,
    result_of,
    run_of,
    workflow_of,
)
from ringmain_github.api import GitHub
from ringmain_github.logged import Wanted, logs_of
from ringmain_github.logs import weight
from ringmain_github.paging import all_of, page_of
from ringmain_github.references import Number, RepoName, RunId
from ringmain_github.repository import Repository
from ringmain_github.tools.run_writes import run_workflow

Cursor = Annotated[str | None, Field(description="`next_cursor`.")]

_COLUMNS = ["run id", "workflow", "result", "branch", "sha", "event", "actor", "title", "created"]
_ENDS = {"action_required", "cancelled", "failure", "neutral", "skipped", "stale", "success", "timed_out"}
_STATUSES = _ENDS | {"completed", "in_progress", "pending", "queued", "requested", "waiting"}
_GIVEN_AT_MOST = 1_000  # rows of a filtered list that GitHub gives, whatever it counts
_RESERVE = 2_500  # bytes for what an answer says about what is cut


@tool(access="read", title="List workflow runs")
async def list_runs(
    github: GitHub,
    call: Call,
    repo: RepoName,
    workflow: Annotated[str | None, Field(description="File, name or id.")] = None,
    branch: Annotated[str | None, Field(description="Its name.")] = None,
    sha: Annotated[str | None, Field(description="Full, of the head.")] = None,
    number: Annotated[Number | None, Field(description="PR: of its head.")] = None,
    status: Annotated[str | None, Field(description="Or conclusion: `failure`.")] = None,
    event: Annotated[str | None, Field(description="Like `push`.")] = None,
    limit: Annotated[int, Field(ge=1, le=100)] = 20,
    cursor: Cursor = None,
) -> Rows:
    """List workflow runs by branch, status or PR, newest first."""
    repository = await github.repo(call, repo)
    if status is not None and status not in _STATUSES:
        raise InvalidArguments(f"`status`: GitHub knows {', '.join(sorted(_STATUSES))}.")
    if number is not None:
        head = await _head_of(github, repository, number)
        if sha not in (None, head):
            raise InvalidArguments(f"`sha` is not the head of #{number}, which is {head}: give one of them.")
        sha = head
    parts: tuple[object, ...] = ("actions", "runs")
    if workflow is not None:
        parts = ("actions", "workflows", (await workflow_of(github, repository, workflow))["id"], "runs")
    params = {"branch": branch, "head_sha": sha, "status": status, "event": event}
    filtered = {name: value for name, value in params.items() if value is not None}
    page = await page_of(
        github,
        call,
        repository.path(*parts),
        _run_row,
        limit=limit,
        cursor=cursor,
        params=filtered,
        items="workflow_runs",
    )
    await call.saw(repository.audience)
    note = None
    if filtered and (page.total or 0) > _GIVEN_AT_MOST:
        note = f"GitHub gives the latest {_GIVEN_AT_MOST:,} of them only: narrow the filter for older ones."
    return Rows(
        source=f"runs of {repository.full_name}",
        columns=_COLUMNS,
        rows=page.rows,
        total=page.total,
        next_cursor=page.next_cursor,
        note=note,
    )


@tool(access="read", title="Get a run")
async def get_run(
    github: GitHub,
    call: Call,
    repo: RepoName,
    run_id: RunId,
    job: Annotated[str | None, Field(description="Name or id; else all.")] = None,
    logs: Annotated[
        Literal["none", "failed", "all"], Field(description="`failed`: failed steps only.")
    ] = "none",
    grep: Annotated[str | None, Field(max_length=200, description="Regex for log lines.")] = None,
    tail: Annotated[int, Field(description="Lines per log.")] = 60,
    context: Annotated[int, Field(description="Lines around matches.")] = 2,
    artifacts: Annotated[bool, Field(description="List them.")] = False,
    cursor: Cursor = None,
) -> PagedItem:
    """Read one run: its jobs, failed steps and logs."""
    repository = await github.repo(call, repo)
    if grep is not None and logs == "none":
        logs = "all"
    run = await run_of(github, repository, run_id)
    jobs = await jobs_of(github, repository, run_id)
    purpose = f"{call.target} {repository.full_name} {run_id} {job}"
    kind, at = ("jobs", 0) if cursor is None else github.cursors.open(call, purpose, cursor)
    answer = PagedItem(
        source=f"run {run_id} of {repository.full_name}", facts=facts_of(run) | {"jobs": counted(jobs)}
    )
    budget = call.room - _RESERVE - size_of(answer.facts)
    chosen = jobs if job is None else [pick(jobs, job)]
    if kind == "jobs":
        share = budget if logs == "none" and not artifacts else budget // 3
        following = _add_jobs(answer, chosen, at, share)
        if following is not None:
            answer.next_cursor = github.cursors.seal(call, purpose, ["jobs", following])
    if artifacts and cursor is None:
        await _add_artifacts(github, repository, run_id, answer, budget // 4)
    if logs != "none" and (cursor is None or kind == "log"):
        wanted = Wanted(
            failed_only=logs == "failed",
            grep=grep,
            tail=max(1, tail),
            context=max(0, context),
            before=at if kind == "log" else None,
        )
        read = chosen if logs == "all" or job is not None else [each for each in chosen if has_failed(each)]
        budget -= sum(weight(part) for part in answer.parts.values())
        shown = await logs_of(github, repository, read, wanted, budget)
        answer.parts |= shown.parts
        answer.truncated += shown.truncated
        if not read:
            answer.truncated.append("there are no logs of failed jobs: no job has failed.")
        if job is not None and shown.earlier is not None:
            answer.next_cursor = github.cursors.seal(call, purpose, ["log", shown.earlier])
    await call.saw(repository.audience)
    return answer


def facts_of(run: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be known about a run."""
    return {
        "run id": run["id"],
        "workflow": clean(f"{run.get('name') or ''} ({run['path']})"),
        "title": clean(run["display_title"]),
        "result": result_of(run),
        "branch": clean(run["head_branch"] or ""),
        "sha": run["head_sha"],
        "event": run["event"],
        "actor": _actor(run),
        "attempt": run.get("run_attempt", 1),
        "pull requests": [f"#{each['number']}" for each in run.get("pull_requests") or ()],
        "created": run["created_at"],
        "updated": run["updated_at"],
        "url": run["html_url"],
    }


async def _head_of(github: GitHub, repository: Repository, number: int) -> str:
    return (await github.get(repository.path("pulls", number))).json()["head"]["sha"]


def _run_row(run: Mapping[str, Any]) -> list[Cell]:
    return [
        run["id"],
        clean(run.get("name") or run["path"]),
        result_of(run),
        clean(run["head_branch"] or ""),
        run["head_sha"][:10],
        run["event"],
        _actor(run),
        clean(run["display_title"]),
        run["created_at"],
    ]


def _actor(run: Mapping[str, Any]) -> str:
    actor: Mapping[str, str] | None = run.get("actor")
    return actor["login"] if actor else ""


def _add_jobs(answer: PagedItem, jobs: Sequence[Mapping[str, Any]], skip: int, budget: int) -> int | None:
    """Add jobs as rows, as many as fit; returns where the rest begins."""
    lines = [" | ".join(JOB_COLUMNS)]
    for at, job in enumerate(jobs[skip:], start=skip):
        line = " | ".join("" if cell is None else " ".join(str(cell).split()) for cell in job_row(job))
        budget -= weight(line)
        if budget < 0 and at > skip:
            answer.parts["jobs"] = "\n".join(lines)
            answer.truncated.append(f"{len(jobs) - at} more jobs: `next_cursor` leads to them.")
            return at
        lines.append(line)
    answer.parts["jobs"] = "\n".join(lines)
    return None


async def _add_artifacts(
    github: GitHub, repository: Repository, run_id: int, answer: PagedItem, budget: int
) -> None:
    url = repository.path("actions", "runs", run_id, "artifacts")
    found, _ = await all_of(github, url, items="artifacts")
    lines = ["artifact id | name | bytes | expired"]
    for at, each in enumerate(found):
        gone = "yes" if each["expired"] else "no"
        line = f"{each['id']} | {clean(each['name'])} | {each['size_in_bytes']} | {gone}"
        budget -= weight(line)
        if budget < 0:
            answer.truncated.append(f"{len(found) - at} more artifacts: see {answer.facts['url']}.")
            break
        lines.append(line)
    answer.parts["artifacts"] = "\n".join(lines)


TOOLS = (list_runs, get_run, run_workflow)
