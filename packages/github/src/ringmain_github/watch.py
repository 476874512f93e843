"""The live resources: how changes of pull requests and runs become known, by asking at no cost."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from functools import partial

import anyio

from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, NotFound, UpstreamRefused
from ringmain_core.live.pauses import Pauses
from ringmain_core.live.watch import Variables, Watch
from ringmain_core.policy import Grant
from ringmain_github.api import GitHub
from ringmain_github.checks import checks_of
from ringmain_github.repository import Repository

State = tuple[object, bool]
"""What is to be seen of something, and whether it is over."""

Look = Callable[[GitHub, Repository, Variables], Awaitable[State]]

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


async def _pull_state(github: GitHub, repository: Repository, variables: Variables) -> State:
    pull = (await github.get(repository.path("pulls", variables["number"]))).json()
    said = [pull.get(name) for name in _PULL]
    sha = pull["head"]["sha"]
    try:
        checks = (await checks_of(github, repository, sha)).lines
    except UpstreamRefused:  # the token may not read them: then the resource does not show them, either
        checks = []
    return (*said, sha, pull["base"]["ref"], *checks), pull["state"] == "closed"


async def _run_state(github: GitHub, repository: Repository, variables: Variables) -> State:
    run = (await github.get(repository.path("actions", "runs", variables["run_id"]))).json()
    return tuple(run.get(name) for name in _RUN), run["status"] == "completed"


async def _changes(look: Look, github: GitHub, variables: Variables) -> AsyncGenerator[None]:
    """Ask by the process's own credentials; what has not changed costs nothing of the limits."""
    pauses = Pauses(*PAUSES)
    known, ended = await look(github, await _still_there(github, variables), variables)
    yield
    while True:
        await anyio.sleep(ENDED if ended else pauses.next())
        state, ended = await look(github, await _still_there(github, variables), variables)
        if state != known:
            known = state
            pauses.changed()
            yield


def _permits(_: GitHub, grant: Grant, variables: Variables) -> bool:
    return grant.fence("github.repo").admits(f"{variables['owner']}/{variables['repo']}")


async def _still_there(github: GitHub, variables: Variables) -> Repository:
    """The repository, while it has the name by which fences let those who listen to it.

    Raises:
        NotFound: Where it has another one now.
    """
    repository = await github.named(None, variables["owner"], variables["repo"])
    if repository.full_name != f"{variables['owner']}/{variables['repo']}":
        raise NotFound(f"This repository is called `{repository.full_name}` now.")
    return repository


async def _check(look: Look, github: GitHub, call: Call, variables: Variables) -> None:
    repository = await github.repo(call, f"{variables['owner']}/{variables['repo']}")
    if (
        repository.full_name != f"{variables['owner']}/{variables['repo']}"
    ):  # fences know it by that name only
        raise InvalidArguments(
            f"This repository is called `{repository.full_name}`: listen to it by that name."
        )
    await github.credentials.token(None, repository.owner)  # those that will be asked with
    await look(github, repository, variables)


WATCHES: Mapping[str, Watch[GitHub]] = {
    "pull": Watch(partial(_changes, _pull_state), _permits, partial(_check, _pull_state)),
    "run": Watch(partial(_changes, _run_state), _permits, partial(_check, _run_state)),
}
