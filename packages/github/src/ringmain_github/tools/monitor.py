"""Wait for a pipeline in one call: progress while it goes on, the failing logs at its end."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal

import anyio
from pydantic import Field

from ringmain_core.answers import PagedItem, size_of
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, ToolFailure
from ringmain_core.live.pauses import Pauses
from ringmain_core.tooling import tool
from ringmain_github.api import GitHub
from ringmain_github.logged import Wanted, logs_of
from ringmain_github.logs import weight
from ringmain_github.pipeline import Snapshot, Target, Unit, failed_jobs, look
from ringmain_github.references import Number, RepoName, RunId
from ringmain_github.repository import Repository

PAUSES = (2.0, 20.0)
"""The first and the longest pause between two looks, in seconds."""

GRACE = 60.0
"""Seconds after which a commit without any checks counts as one that has none."""

_TOOL_SECONDS = 600.0
_LONGEST = 540.0  # what is left of the tool's time is for logs and the answer
_RESERVE = 2_500  # bytes for what an answer says about what is cut
_TAIL = 40
_MOST_TOLD = 5


@tool(access="read", title="Wait for a pipeline", timeout=_TOOL_SECONDS)
async def monitor_pipeline(
    github: GitHub,
    call: Call,
    repo: RepoName,
    run_id: RunId | None = None,
    number: Annotated[Number | None, Field(description="PR: of its head.")] = None,
    sha: Annotated[str | None, Field(description="Commit or ref.")] = None,
    until: Annotated[Literal["complete", "first_failure"], Field(description="When to stop.")] = "complete",
    timeout_s: Annotated[float, Field(description="Seconds, at most 540.")] = 300,
    cursor: Annotated[str | None, Field(description="`next_cursor`, to go on.")] = None,
) -> PagedItem:
    """Wait for CI: follow a run, PR or commit until it has finished; ends with failing logs."""
    began = time.monotonic()
    repository = await github.repo(call, repo)
    purpose = f"{call.target} {repository.full_name}"
    target, known_head = Target(run_id, number, sha), None
    if cursor is not None:
        known = github.cursors.open(call, purpose, cursor)
        if target not in (Target(), Target(**known["target"])):
            raise InvalidArguments("`cursor` belongs to something else: leave the other names out.")
        target, known_head = Target(**known["target"]), known["head"]
    if sum(value is not None for value in (target.run_id, target.number, target.sha)) != 1:
        raise InvalidArguments("Give one of `run_id`, `number` and `sha`.")
    waiting = _Waiting(github, call, repository, target, known_head)
    now = await waiting.wait(began + min(timeout_s, _LONGEST), until)
    answer = PagedItem(
        source=f"pipeline of {repository.full_name}",
        facts={"pipeline": str(target), "head sha": now.head, "result": waiting.result(now), "url": now.url},
        truncated=[],
    )
    if waiting.notes:
        answer.facts["note"] = " ".join(waiting.notes)
    if waiting.unfinished:
        answer.next_cursor = github.cursors.seal(call, purpose, {"target": asdict(target), "head": now.head})
    budget = call.room - _RESERVE - size_of(answer.facts)
    _add_units(answer, now.units, budget // 2 if now.failed else budget)
    if now.failed:
        budget -= sum(weight(part) for part in answer.parts.values())
        await _add_logs(github, repository, now, answer, budget)
    await call.saw(repository.audience)
    return answer


class _Waiting:
    """Looks again and again, tells what changes, and remembers what has happened meanwhile."""

    def __init__(
        self, github: GitHub, call: Call, repository: Repository, target: Target, head: str | None
    ) -> None:
        self._github = github
        self._call = call
        self._repository = repository
        self._target = target
        self._head = head
        self._told = 0.0
        self.notes: list[str] = []
        self.unfinished = False

    async def wait(self, end: float, until: str) -> Snapshot:
        """Wait until it is over or the time is; `unfinished` says which."""
        pauses = Pauses(*PAUSES)
        began = time.monotonic()
        last: Snapshot | None = None
        while True:
            trouble, away = "", 0.0
            try:
                now = await look(self._github, self._repository, self._target)
            except ToolFailure as error:
                if last is None or not error.retryable:
                    raise
                now, trouble, away = last, error.message, (error.retry_after_ms or 0) / 1000
            if now != last:
                pauses.changed()
                await self._tell(last, now)
                last = now
            if now.ended or (until == "first_failure" and now.failed):
                self.unfinished = not now.ended
                break
            if not now.units and not now.runs and time.monotonic() - began >= GRACE:
                break
            pause = max(pauses.next(), away)
            if time.monotonic() + pause >= end:
                self.unfinished = True
                break
            await anyio.sleep(pause)
        if trouble:
            self.notes.append(f"The last look failed: {trouble}")
        return now

    def result(self, now: Snapshot) -> str:
        """What it came to, in a line."""
        failed = sum(unit.failed for unit in now.units)
        going = sum(unit.going for unit in now.units)
        if not now.units and not self.unfinished:
            return "nothing checks this commit"
        counts = f"{failed} failed, {going} going, {len(now.units) - failed - going} fine of {len(now.units)}"
        if not now.ended:
            return f"still going: {counts}; call again with next_cursor to go on waiting"
        if not failed and not now.whole:
            return f"no failure is known, but not all checks are: {counts}"
        return f"{'failure' if failed else 'success'}: {counts}"

    async def _tell(self, last: Snapshot | None, now: Snapshot) -> None:
        if self._head not in (None, now.head):
            self.notes.append(f"A new head was pushed meanwhile: {self._head} before, now {now.head}.")
            last = None
        self._head = now.head
        done, total = sum(not unit.going for unit in now.units), len(now.units)
        known = set(last.units) if last is not None else set[Unit]()
        changed = [f"{unit.name}: {unit.result}" for unit in now.units if unit not in known and unit.result]
        more = len(changed) - _MOST_TOLD
        words = ", ".join(changed[:_MOST_TOLD]) + (f" and {more} more" if more > 0 else "")
        self._told = max(float(done), self._told + 0.01)  # the protocol wants it to grow each time
        message = f"{done} of {total} done" + (f"; {words}" if words else "")
        await self._call.progress(self._told, total if total >= self._told else None, message)


def _add_units(answer: PagedItem, units: Sequence[Unit], budget: int) -> None:
    """Add jobs or checks as rows: those that have failed first, then those that go on."""
    lines = ["name | result | detail"]
    ordered = sorted(units, key=lambda unit: (not unit.failed, not unit.going))
    for at, unit in enumerate(ordered):
        line = " | ".join(" ".join(cell.split()) for cell in (unit.name, unit.result, unit.detail))
        budget -= weight(line)
        if budget < 0 and at:
            left = len(ordered) - at
            answer.truncated.append(f"{left} more checks: `get_run`, or `get_pull_request` with checks.")
            break
        lines.append(line)
    answer.parts["checks"] = "\n".join(lines)


async def _add_logs(
    github: GitHub, repository: Repository, now: Snapshot, answer: PagedItem, budget: int
) -> None:
    try:
        jobs: Sequence[dict[str, Any]] = await failed_jobs(github, repository, now.runs)
        shown = await logs_of(github, repository, jobs, Wanted(tail=_TAIL), budget)
    except ToolFailure as error:  # what is known is worth more than its logs
        answer.truncated.append(f"logs: {error.message}")
        return
    answer.parts |= shown.parts
    answer.truncated += shown.truncated


TOOLS = (monitor_pipeline,)
