"""How far a pipeline is: the jobs of a run, or everything that checks a commit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ringmain_core.errors import UpstreamRefused
from ringmain_core.text import clean
from ringmain_github.actions import failed_steps, has_failed, jobs_of, result_of, run_of
from ringmain_github.api import GitHub
from ringmain_github.checks import checks_of, runs_of
from ringmain_github.repository import Repository

_FINE = frozenset({"success", "skipped", "neutral"})
_GOING = frozenset({"queued", "in_progress", "waiting", "requested", "pending", "expected"})


@dataclass(frozen=True, slots=True)
class Target:
    """What is followed: a run, the head of a pull request, or a commit."""

    run_id: int | None = None
    number: int | None = None
    sha: str | None = None

    def __str__(self) -> str:
        if self.run_id is not None:
            return f"run {self.run_id}"
        return f"pull request #{self.number}" if self.number is not None else f"commit {self.sha}"


@dataclass(frozen=True, slots=True)
class Unit:
    """A job or check; `result` is its conclusion or, until it has one, its status."""

    name: str
    result: str
    detail: str = ""

    @property
    def going(self) -> bool:
        return self.result in _GOING

    @property
    def failed(self) -> bool:
        return not self.going and self.result not in _FINE


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A pipeline at a moment.

    Attributes:
        head: The commit that it is about.
        ended: Whether nothing of it is going on; a pipeline without units has not ended.
        runs: Ids of the runs that belong to it.
        url: Where a person can look.
        whole: Whether all of it was seen.
    """

    head: str
    units: Sequence[Unit]
    ended: bool
    runs: Sequence[int]
    url: str
    whole: bool = True

    @property
    def failed(self) -> bool:
        return any(unit.failed for unit in self.units)


async def look(github: GitHub, repository: Repository, target: Target) -> Snapshot:
    """See how far it is.

    Raises:
        NotFound: Where there is no such thing.
    """
    if target.run_id is not None:
        return await _of_run(github, repository, target.run_id)
    if target.number is not None:
        pull = (await github.get(repository.path("pulls", target.number))).json()
        return await _of_commit(github, repository, pull["head"]["sha"], pull["html_url"])
    commit = (await github.get(repository.path("commits", target.sha))).json()
    return await _of_commit(github, repository, commit["sha"], commit["html_url"])


async def failed_jobs(github: GitHub, repository: Repository, runs: Sequence[int]) -> list[dict[str, Any]]:
    """The failed jobs of these runs."""
    found: list[dict[str, Any]] = []
    for run_id in runs:
        found += [job for job in await jobs_of(github, repository, run_id) if has_failed(job)]
    return found


async def _of_run(github: GitHub, repository: Repository, run_id: int) -> Snapshot:
    run = await run_of(github, repository, run_id)
    jobs = await jobs_of(github, repository, run_id)
    units = [Unit(clean(job["name"]), result_of(job), _steps(job)) for job in jobs]
    ended = run["status"] == "completed"
    if ended and has_failed(run) and not any(unit.failed for unit in units):  # it failed before it had jobs
        units.append(Unit("the run itself", result_of(run)))
    return Snapshot(run["head_sha"], units, ended, [run_id], run["html_url"])


async def _of_commit(github: GitHub, repository: Repository, sha: str, url: str) -> Snapshot:
    checks = await checks_of(github, repository, sha)
    units = [Unit(check.name, check.result, check.details) for check in checks.states]
    runs = await _runs_of(github, repository, sha)
    # A run that is queued has no checks yet; one that has failed to start never has any.
    going = [run for run in runs if run["status"] != "completed"]
    units += [
        Unit(f"{clean(run.get('name') or run['path'])} (run {run['id']})", result_of(run))
        for run in ([] if checks.from_runs else runs)  # else they are among the checks already
        if run["status"] != "completed" or run.get("conclusion") in ("startup_failure", "action_required")
    ]
    ended = bool(units) and not going and not any(unit.going for unit in units)
    if units and checks.lacking:
        units.append(Unit("check runs", "neutral", checks.lacking))
    followed = [run["id"] for run in runs if has_failed(run) or run in going]
    return Snapshot(sha, units, ended, followed, url, whole=not checks.lacking)


async def _runs_of(github: GitHub, repository: Repository, sha: str) -> list[dict[str, Any]]:
    """Runs for a commit; none where the token may not see runs, for checks tell most of it."""
    try:
        return await runs_of(github, repository, sha)
    except UpstreamRefused as refused:
        if refused.detail.get("status") != 403:
            raise
        return []


def _steps(job: Mapping[str, Any]) -> str:
    if failed := failed_steps(job):
        return "failed: " + "; ".join(clean(step["name"]) for step in failed)
    at_work = [step for step in job.get("steps") or () if step["status"] == "in_progress"]
    return clean(at_work[0]["name"]) if at_work and job["status"] != "completed" else ""
