"""The live resources: how changes of pull requests and runs become known, by asking at no cost."""

from collections.abc import AsyncGenerator, Callable, Mapping
from functools import partial
from typing import Any

import anyio

from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments
from ringmain_core.live.pauses import Pauses
from ringmain_core.live.watch import Variables, Watch
from ringmain_core.policy import Grant
from ringmain_github.api import GitHub
from ringmain_github.references import path

PAUSES = (2.0, 60.0)
"""The first and the longest pause between two looks, in seconds."""

ENDED = 300.0
"""Seconds between looks at what is over, and is not likely to begin again."""

_PULL = (
    "updated_at",
    "state",
    "draft",
    "merged",
    "mergeable_state",
    "comments",
    "review_comments",
    "commits",
)
_RUN = ("updated_at", "status", "conclusion", "run_attempt")


def _pull_url(variables: Variables) -> str:
    return path("repos", variables["owner"], variables["repo"], "pulls", variables["number"])


def _run_url(variables: Variables) -> str:
    return path("repos", variables["owner"], variables["repo"], "actions", "runs", variables["run_id"])


def _pull_state(pull: Mapping[str, Any]) -> tuple[object, bool]:
    said = [pull.get(name) for name in _PULL]
    return (*said, pull["head"]["sha"], pull["base"]["ref"]), pull["state"] == "closed"


def _run_state(run: Mapping[str, Any]) -> tuple[object, bool]:
    return tuple(run.get(name) for name in _RUN), run["status"] == "completed"


async def _changes(
    url_of: Callable[[Variables], str],
    state_of: Callable[[Mapping[str, Any]], tuple[object, bool]],
    github: GitHub,
    variables: Variables,
) -> AsyncGenerator[None]:
    """Ask by the process's own credentials; what has not changed costs nothing of the limits."""
    url, pauses = url_of(variables), Pauses(*PAUSES)
    known, ended = state_of((await github.get(url)).json())
    yield
    while True:
        await anyio.sleep(ENDED if ended else pauses.next())
        state, ended = state_of((await github.get(url)).json())
        if state != known:
            known = state
            pauses.changed()
            yield


def _permits(_: GitHub, grant: Grant, variables: Variables) -> bool:
    return grant.fence("github.repo").admits(f"{variables['owner']}/{variables['repo']}")


async def _check(
    url_of: Callable[[Variables], str], github: GitHub, call: Call, variables: Variables
) -> None:
    repository = await github.repo(call, f"{variables['owner']}/{variables['repo']}")
    if (
        repository.full_name != f"{variables['owner']}/{variables['repo']}"
    ):  # fences know it by that name only
        raise InvalidArguments(
            f"This repository is called `{repository.full_name}`: listen to it by that name."
        )
    await github.credentials.token(None, repository.owner)  # those that will be asked with
    await github.get(url_of(variables))


WATCHES: Mapping[str, Watch[GitHub]] = {
    "pull": Watch(partial(_changes, _pull_url, _pull_state), _permits, partial(_check, _pull_url)),
    "run": Watch(partial(_changes, _run_url, _run_state), _permits, partial(_check, _run_url)),
}
