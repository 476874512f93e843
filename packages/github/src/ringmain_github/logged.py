"""Logs of several jobs as parts of one answer, within a budget, with what is cut said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import anyio
import anyio.to_thread

from ringmain_core.errors import ToolFailure
from ringmain_core.text import clean
from ringmain_github.actions import failed_steps
from ringmain_github.api import GitHub, Repository
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

MOST_LOGS = 5
"""How many logs one answer shows."""

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
        going = ", ".join(clean(job["name"]) for job in jobs if job["status"] != "completed")
        shown.truncated.append(f"jobs without a log until they end: {going[:500]}.")
    taken, left = ended[:MOST_LOGS], ended[MOST_LOGS:]
    if left:
        names = ", ".join(f"{clean(job['name'])} ({job['id']})" for job in left[:20])
        more = f" and {len(left) - 20} more" if len(left) > 20 else ""
        shown.truncated.append(f"logs of {len(left)} jobs: give `job` for one of them: {names}{more}.")
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
        name = f"log of {clean(job['name'])} ({job['id']})"
        if isinstance(log, ToolFailure):
            shown.truncated.append(f"{name}: {log.message}")
            continue
        share = max(0, budget) // (len(taken) - at)
        # What a pattern costs is bounded, but not small enough for the loop that everybody shares.
        work = partial(_add, shown, name, log, job, wanted, share)
        budget -= await anyio.to_thread.run_sync(work)
    if len(taken) > 1 or wanted.grep is not None:
        shown.earlier = None
    return shown


def _add(shown: Shown, name: str, log: Log, job: Mapping[str, Any], wanted: Wanted, budget: int) -> int:
    """Add what of a log is wanted; returns the bytes that it took."""
    used = 0
    sections = _sections(log, job, wanted)
    if log.lacking:
        shown.truncated.append(
            f"{name}: its first {log.lacking:,} bytes are too far back to be shown or searched."
        )
    for at, (step, lines) in enumerate(sections):
        title = f"{name}{step}"
        share = max(0, budget - used) // (len(sections) - at)
        text = _searched(shown, title, log, lines, wanted, share) if wanted.grep else None
        if text is None:
            text = _ended(shown, title, log, lines, wanted, share)
        shown.parts[title] = text
        used += weight(text) + len(title.encode()) + _FRAME
    return used


def _sections(log: Log, job: Mapping[str, Any], wanted: Wanted) -> list[tuple[str, range]]:
    last = len(log.lines) if wanted.before is None else min(len(log.lines), wanted.before - 1)
    whole = range(max(0, last))
    if not wanted.failed_only or wanted.before is not None:
        return [("", whole)]
    found = [
        (f", step {clean(step['name'])}", lines)
        for step in failed_steps(job)
        if (lines := step_range(log, step)) is not None
    ]
    return found or [("", whole)]


def _searched(shown: Shown, title: str, log: Log, lines: range, wanted: Wanted, budget: int) -> str:
    pattern = wanted.grep or ""
    finds, understood = matcher(pattern)
    every: Sequence[Line] = log.lines[lines.start : lines.stop]
    found, count = matching(every, finds, wanted.context, lines.start)
    if not understood:
        shown.truncated.append(f"`grep` is no pattern that works here; {title} was searched for it as text.")
    fit = last_fitting(found[-wanted.tail :], budget)
    if len(fit) < len(found):
        shown.truncated.append(
            f"{title}: the last {len(fit):,} of {len(found):,} lines found; a larger `tail`, less `context` "
            "or a narrower `grep` shows the others."
        )
    return "\n".join(fit) if fit else f"[{count} of {len(every):,} lines match]"


def _ended(shown: Shown, title: str, log: Log, lines: range, wanted: Wanted, budget: int) -> str:
    tail = [clipped(log.lines[at].text) for at in lines[-wanted.tail :]]
    fit = last_fitting(tail, budget)
    first = lines.stop - len(fit) + 1
    if len(fit) < len(lines):
        shown.truncated.append(
            f"{title}: lines {first:,} to {lines.stop:,} of {len(log.lines):,}; a larger `tail` or "
            "`grep` shows others."
        )
        shown.earlier = first
    return "\n".join(fit) or "[empty]"
