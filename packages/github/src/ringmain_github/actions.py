"""Runs and jobs of GitHub Actions: what counts as failed, and what of it is shown."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ringmain_core.answers import Cell
from ringmain_core.errors import InvalidArguments, NotFound
from ringmain_core.text import clean, untrusted
from ringmain_github.api import GitHub
from ringmain_github.paging import all_of
from ringmain_github.repository import Repository
from ringmain_github.said import one_line

Json = Mapping[str, Any]

JOB_COLUMNS = ["job id", "name", "result", "seconds", "failed steps"]
_FINE = frozenset({"success", "skipped", "neutral"})
_MOST_JOBS = 2_000
_MOST_NAMED = 20


def result_of(thing: Json) -> str:
    """How a run, job or step ended, or how far it is."""
    return str(thing.get("conclusion") or thing["status"])


def has_failed(thing: Json) -> bool:
    """Whether it ended in any way that is not fine: a time-out and a cancellation, too."""
    return thing["status"] == "completed" and thing.get("conclusion") not in _FINE


def failed_steps(job: Json) -> list[Json]:
    """The steps because of which a job failed."""
    return [step for step in job.get("steps") or () if has_failed(step)]


async def run_of(github: GitHub, repository: Repository, run_id: int) -> Json:
    """A run.

    Raises:
        NotFound: Where the repository has none with this id.
    """
    try:
        return (await github.get(repository.path("actions", "runs", run_id))).json()
    except NotFound:
        raise NotFound(
            f"There is no run {run_id} in {repository.full_name}; `list_runs` shows those that there are."
        ) from None


async def jobs_of(github: GitHub, repository: Repository, run_id: int) -> list[dict[str, Any]]:
    """All jobs of a run's latest attempt, those that have failed first."""
    url = repository.path("actions", "runs", run_id, "jobs")
    jobs, _ = await all_of(github, url, items="jobs", most=_MOST_JOBS)
    return sorted(jobs, key=lambda job: (not has_failed(job), job["id"]))


def pick(jobs: Sequence[dict[str, Any]], wanted: str) -> dict[str, Any]:
    """The job with an id or name; a part of the name will do where it fits one only.

    Raises:
        NotFound, InvalidArguments: Naming those that there are.
    """
    exact = [job for job in jobs if wanted in (str(job["id"]), job["name"])]
    found = exact or [job for job in jobs if wanted.casefold() in str(job["name"]).casefold()]
    if len(found) == 1:
        return found[0]
    known = found or jobs
    names = [f"{job['id']} {one_line(job['name'])}" for job in known[:_MOST_NAMED]]
    names += [f"and {len(known) - _MOST_NAMED} more"] if len(known) > _MOST_NAMED else []
    listed = untrusted("\n".join(names), "names of jobs")  # workflows of forks name jobs, too
    if found:
        raise InvalidArguments(f"`job`: {len(found)} jobs are called like that; give an id:\n{listed}")
    raise NotFound(f"The run has no such job. It has:\n{listed}" if jobs else "The run has no jobs yet.")


def job_row(job: Json) -> list[Cell]:
    """A job, as `JOB_COLUMNS`."""
    steps = [f"{clean(step['name'])} ({result_of(step)})" for step in failed_steps(job)]
    return [job["id"], clean(job["name"]), result_of(job), seconds_of(job), "; ".join(steps)]


def seconds_of(thing: Json) -> int | None:
    """How long it took."""
    begin, end = thing.get("started_at"), thing.get("completed_at")
    if not begin or not end:
        return None
    return max(0, int((datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()))


def counted(things: Sequence[Json]) -> str:
    """How many ended how."""
    results = Counter(result_of(thing) for thing in things)
    return ", ".join(f"{count} {result}" for result, count in sorted(results.items())) or "none yet"


async def workflow_of(github: GitHub, repository: Repository, wanted: str) -> Json:
    """A workflow by id, file or name.

    Raises:
        NotFound, InvalidArguments: Naming those that there are.
    """
    url = repository.path("actions", "workflows")
    workflows, _ = await all_of(github, url, items="workflows")
    path = wanted.removeprefix("/")
    found = [
        each for each in workflows if path in (str(each["id"]), each["path"], each["path"].rpartition("/")[2])
    ] or [each for each in workflows if each["name"].casefold() == wanted.casefold()]
    if len(found) == 1:
        return found[0]
    known = ", ".join(
        f"`{clean(each['path'].rpartition('/')[2])}`" for each in (found or workflows)[:_MOST_NAMED]
    )
    if found:
        raise InvalidArguments(f"`workflow`: several have this name; give a file: {known}.")
    raise NotFound(f"{repository.full_name} has no workflow `{wanted}`. It has {known or 'none'}.")
