"""What checks a commit: check runs and commit statuses in one list, all pages of both."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from ringmain_core.errors import UpstreamRefused
from ringmain_github.api import GitHub
from ringmain_github.paging import all_of
from ringmain_github.repository import Repository
from ringmain_github.said import one_line

_FORBIDDEN = 403
_MOST = 1_000  # of either kind
_RUN = re.compile(r"/actions/runs/(\d+)")


@dataclass(frozen=True, slots=True)
class CheckState:
    """A check run, or the last status of a context.

    Attributes:
        state: `queued`, `in_progress`, `completed` and the like.
        conclusion: How it ended; `None` while it goes on.
        details: What it says of itself, harmless.
        run_id: Of the workflow run that it is a job of.
    """

    name: str
    state: str
    conclusion: str | None
    url: str | None
    details: str
    run_id: int | None

    @property
    def result(self) -> str:
        """How it ended, or how far it is."""
        return self.conclusion or self.state

    def __str__(self) -> str:
        about = "" if self.run_id is None else f" (run {self.run_id})"
        return f"{self.result}: {self.name}{about}" + (f", {self.details}" if self.details else "")


@dataclass(frozen=True, slots=True)
class Checks:
    """What checks a commit.

    Attributes:
        states: Check runs first.
        lacking: Why some may be missing; empty where none are.
        from_runs: Whether workflow runs stand in place of check runs.
    """

    states: list[CheckState]
    lacking: str = ""
    from_runs: bool = False

    @property
    def lines(self) -> list[str]:
        """All of it, one a line."""
        return [*map(str, self.states), *([self.lacking] if self.lacking else [])]


async def checks_of(github: GitHub, repository: Repository, sha: str) -> Checks:
    """Everything that checks a commit.

    GitHub has no permission for fine-grained tokens to read check runs of a private repository: the workflow
    runs then stand in their place.
    """
    lacking, from_runs, more = "", False, False
    try:
        url = repository.path("commits", sha, "check-runs")
        runs, more = await all_of(github, url, items="check_runs", most=_MOST)
        found = [_check(run) for run in runs]
    except UpstreamRefused as refused:
        if refused.detail.get("status") != _FORBIDDEN:
            raise
        found = [_workflow(run) for run in await runs_of(github, repository, sha)]
        lacking = "Checks that are no workflows are missing: this token may not read check runs."
        from_runs = True
    url = repository.path("commits", sha, "status")
    statuses, others = await all_of(github, url, items="statuses", most=_MOST)
    if more or others:
        lacking = f"There are more checks than the {len(found) + len(statuses):,} that were looked at."
    return Checks([*found, *map(_status, statuses)], lacking, from_runs)


async def runs_of(github: GitHub, repository: Repository, sha: str) -> list[dict[str, Any]]:
    """The workflow runs for a commit."""
    url = repository.path("actions", "runs")
    return (await all_of(github, url, params={"head_sha": sha}, items="workflow_runs"))[0]


def _workflow(run: Mapping[str, Any]) -> CheckState:
    return CheckState(
        name=one_line(run.get("name") or run["path"]),
        state=run["status"],
        conclusion=run["conclusion"],
        url=run["html_url"],
        details="",
        run_id=run["id"],
    )


def _check(check: Mapping[str, Any]) -> CheckState:
    url = check.get("details_url") or check.get("html_url")
    run = _RUN.search(url or "")
    title = cast("str | None", check["output"]["title"])
    return CheckState(
        name=one_line(check["name"]),
        state=check["status"],
        conclusion=check["conclusion"],
        url=url,
        details=one_line(title) if title and title != check["name"] else "",
        run_id=int(run[1]) if run is not None else None,
    )


def _status(status: Mapping[str, Any]) -> CheckState:
    going = status["state"] == "pending"
    return CheckState(
        name=one_line(status["context"]),
        state="pending" if going else "completed",
        conclusion=None if going else status["state"],
        url=status.get("target_url"),
        details=one_line(status.get("description") or ""),
        run_id=None,
    )
