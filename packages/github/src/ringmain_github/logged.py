"""Logs of several jobs as parts of one answer, within a budget, with what is cut said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import anyio
import anyio.to_thread

from ringmain_core.errors import ToolFailure
from ringmain_github.actions import failed_steps
from ringmain_github.api import GitHub
from ringmain_github.logs import (
    Line,
    Log,
    clipped,
    job_log,
    last_fitting,
    matcher,
    matching,
    step_range,
    weight,
)
from ringmain_github.repository import Repository
from ringmain_github.said import one_line

MOST_LOGS = 5
"""How many logs one answer shows."""

_MOST_NAMED = 20
_FRAME = 120  # bytes around a part


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the logs to show.

    Attributes:
        failed_only: The failed steps; else all of each log.
        tail: Most lines of each part.
        before: End before this line of the log, counted from 1.
    """

    failed_only: bool = True
    grep: str | None = None
    tail: int = 60
    context: int = 2
    before: int | None = None


@dataclass(slots=True)
class Shown:
    """Parts of an answer.

    Attributes:
        earlier: The line before which more is to be read, where one part is shown and begins later.
    """

    parts: dict[str, str] = field(default_factory=dict[str, str])
    truncated: list[str] = field(default_factory=list[str])
    earlier: int | None = None


async def logs_of(
    github: GitHub, repository: Repository, jobs: Sequence[Mapping[str, Any]], wanted: Wanted, budget: int
) -> Shown:
    """The logs of jobs that have ended, or of their failed steps.

    Args:
        github: Asked for them.
        repository: Where they ran.
        jobs: Those whose logs to show; the first ones are.
        wanted: What of them.
        budget: Bytes for all of them.
    """
    shown = Shown()
    ended = [job for job in jobs if job["status"] == "completed"]
    if len(ended) < len(jobs):
        going = _ids([job for job in jobs if job["status"] != "completed"])
        shown.truncated.append(f"jobs without a log until they end: {going}.")
    taken, left = ended[:MOST_LOGS], ended[MOST_LOGS:]
    if left:
        shown.truncated.append(f"logs of {len(left)} jobs: give `job` for one of them: {_ids(left)}.")
    found: dict[int, Log | ToolFailure] = {}

    async def fetch(job: Mapping[str, Any]) -> None:
        try:
            found[job["id"]] = await job_log(github, repository, job["id"])
        except ToolFailure as error:
            found[job["id"]] = error

    async with anyio.create_task_group() as tasks:
        for job in taken:
            tasks.start_soon(fetch, job)
    for at, job in enumerate(taken):
        log = found[job["id"]]
        name = _Name(f"log of {one_line(job['name'])} ({job['id']})", f"log of job {job['id']}")
        if isinstance(log, ToolFailure):
            shown.truncated.append(f"{name.outside}: {log.message}")
            continue
        share = max(0, budget) // (len(taken) - at)
        # What a pattern costs is bounded, but not small enough for the loop that everybody shares.
        work = partial(_add, shown, name, log, job, wanted, share)
        budget -= await anyio.to_thread.run_sync(work)
    if len(taken) > 1 or wanted.grep is not None:
        shown.earlier = None
    return shown


@dataclass(frozen=True, slots=True)
class _Name:
    """What a part is called: its title, and what it is called where others' words must not be.

    Workflows of forks name jobs and steps, too, and only parts are fenced as untrusted.
    """

    title: str
    outside: str

    def step(self, at: int, step: Mapping[str, Any]) -> "_Name":
        return _Name(f"{self.title}, step {one_line(step['name'])}", f"{self.outside}, failed step {at}")


def _ids(jobs: Sequence[Mapping[str, Any]]) -> str:
    more = f" and {len(jobs) - _MOST_NAMED} more" if len(jobs) > _MOST_NAMED else ""
    return ", ".join(str(job["id"]) for job in jobs[:_MOST_NAMED]) + more


def _add(shown: Shown, name: _Name, log: Log, job: Mapping[str, Any], wanted: Wanted, budget: int) -> int:
    """Add what of a log is wanted; returns the bytes that it took."""
    used = 0
    sections = _sections(name, log, job, wanted)
    if log.lacking:
        shown.truncated.append(
            f"{name.outside}: its first {log.lacking:,} bytes are too far back to be shown or searched."
        )
    for at, (section, lines) in enumerate(sections):
        share = max(0, budget - used) // (len(sections) - at)
        show = _searched if wanted.grep else _ended
        text = show(shown, section.outside, log, lines, wanted, share)
        shown.parts[section.title] = text
        used += weight(text) + len(section.title.encode()) + _FRAME
    return used


def _sections(name: _Name, log: Log, job: Mapping[str, Any], wanted: Wanted) -> list[tuple[_Name, range]]:
    last = len(log.lines) if wanted.before is None else min(len(log.lines), wanted.before - 1)
    whole = range(max(0, last))
    if not wanted.failed_only or wanted.before is not None:
        return [(name, whole)]
    found = [
        (name.step(at, step), lines)
        for at, step in enumerate(failed_steps(job), start=1)
        if (lines := step_range(log, step)) is not None
    ]
    return found or [(name, whole)]


def _searched(shown: Shown, name: str, log: Log, lines: range, wanted: Wanted, budget: int) -> str:
    pattern = wanted.grep or ""
    finds, understood = matcher(pattern)
    every: Sequence[Line] = log.lines[lines.start : lines.stop]
    found, count = matching(every, finds, wanted.context, lines.start)
    if not understood:
        shown.truncated.append(f"`grep` is no pattern that works here; {name} was searched for it as text.")
    fit = last_fitting(found[-wanted.tail :], budget)
    if len(fit) < len(found):
        shown.truncated.append(
            f"{name}: the last {len(fit):,} of {len(found):,} lines found; a larger `tail`, less `context` "
            "or a narrower `grep` shows the others."
        )
    return "\n".join(fit) if fit else f"[{count} of {len(every):,} lines match]"


def _ended(shown: Shown, name: str, log: Log, lines: range, wanted: Wanted, budget: int) -> str:
    tail = [clipped(log.lines[at].text) for at in lines[-wanted.tail :]]
    fit = last_fitting(tail, budget)
    first = lines.stop - len(fit) + 1
    if len(fit) < len(lines):
        shown.truncated.append(
            f"{name}: lines {first:,} to {lines.stop:,} of {len(log.lines):,}; a larger `tail` or "
            "`grep` shows others."
        )
        shown.earlier = first
    return "\n".join(fit) or "[empty]"
