"""Pull requests as writes need them: found, locked by their head, and changed step by step."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal

from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, NotFound, UpstreamRefused
from ringmain_core.steps import Step, sent_or_found
from ringmain_github.api import GitHub
from ringmain_github.models import Outcome
from ringmain_github.repository import Repository

_DRAFT = """
mutation($id: ID!) { convertPullRequestToDraft(input: {pullRequestId: $id}) { pullRequest { isDraft } } }
"""
_READY = """
mutation($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id}) { pullRequest { isDraft } } }
"""


async def pull_of(github: GitHub, repository: Repository, number: int) -> Mapping[str, Any]:
    """A pull request by its number.

    Raises:
        NotFound: Where there is none of that number; an issue is none.
    """
    try:
        return (await github.get(repository.path("pulls", number))).json()
    except NotFound:
        raise NotFound(
            f"{repository.full_name} has no pull request #{number}. If it is an issue, use `get_issue`."
        ) from None


def require_head(pull: Mapping[str, Any], head_sha: str | None) -> None:
    """Go on only while the head is the one that the caller has seen.

    Raises:
        InvalidArguments: Where none is given.
        UpstreamRefused: Where it has moved; nothing was done.
    """
    if head_sha is None:
        raise InvalidArguments("Give `head_sha`, the head that you have seen: `get_pull_request` says it.")
    current = pull["head"]["sha"]
    if current != head_sha:
        raise UpstreamRefused(
            f"The head of #{pull['number']} is {current} now, not {head_sha[:64]}, so nothing was done. "
            "Look at what is new, then use the new `head_sha`.",
            head_sha=current,
        )


async def created(github: GitHub, repository: Repository, head: str, base: str) -> Outcome | None:
    """The open pull request from one branch into another, if there is one."""
    label = head if ":" in head else f"{repository.owner}:{head}"
    params = {"head": label, "base": base, "state": "open"}
    for pull in (await github.get(repository.path("pulls"), params=params)).json():
        return Outcome(
            done=True,
            summary=f"{repository.full_name}: #{pull['number']} is open, {head} into {base}.",
            url=pull["html_url"],
            number=pull["number"],
            sha=pull["head"]["sha"],
        )
    return None


def drafting(github: GitHub, repository: Repository, pull: Mapping[str, Any], *, draft: bool) -> Step:
    """Make a draft of it, or say that it is ready."""
    document = _DRAFT if draft else _READY
    request = {"GraphQL": "convertPullRequestToDraft" if draft else "markPullRequestReadyForReview"}
    what = "made a draft" if draft else "ready for review"

    async def send() -> bool:
        await github.mutate(document, repository.owner, id=pull["node_id"])
        return True

    async def look() -> bool | None:
        now = await pull_of(github, repository, pull["number"])
        return True if now["draft"] is draft else None

    return Step(what, request, lambda: sent_or_found(send, look))


def setting(github: GitHub, repository: Repository, number: int, changes: Mapping[str, Any]) -> Step:
    """Set what is plain data of it."""
    url = repository.path("pulls", number)
    request = {"PATCH": url, **changes}
    send = partial(github.send, "PATCH", url, dict(changes), idempotent=True)
    return Step(f"{', '.join(changes)} set", request, send)


def reviewers(
    github: GitHub,
    repository: Repository,
    number: int,
    names: Sequence[str],
    *,
    verb: Literal["POST", "DELETE"],
) -> Step:
    """Ask people and teams to review, or no longer.

    Raises:
        InvalidArguments: Where a team is of another organisation.
    """
    strange = [name for name in names if "/" in name and not _is_of(repository.owner, name)]
    if strange:
        raise InvalidArguments(f"Teams must be of {repository.owner}: {', '.join(strange)} is not.")
    url = repository.path("pulls", number, "requested_reviewers")
    body = {
        "reviewers": [name for name in names if "/" not in name],
        "team_reviewers": [name.rpartition("/")[2] for name in names if "/" in name],
    }
    what = f"{'asked' if verb == 'POST' else 'no longer asked'} to review: {', '.join(names)}"
    return Step(what, {verb: url, **body}, lambda: github.send(verb, url, body, idempotent=True))


def updating(github: GitHub, repository: Repository, pull: Mapping[str, Any]) -> Step:
    """Bring what is new in base into its branch, while the head stays what it is."""
    url = repository.path("pulls", pull["number"], "update-branch")
    body = {"expected_head_sha": pull["head"]["sha"]}
    what = f"{pull['base']['ref']} brought into its branch"

    async def send() -> bool:
        await github.send("PUT", url, body)
        return True

    async def look() -> bool | None:
        return await updated_from(github, repository, pull["number"], pull["head"]["sha"]) is not None or None

    return Step(what, {"PUT": url, **body}, lambda: sent_or_found(send, look))


async def updated_from(github: GitHub, repository: Repository, number: int, head: str) -> str | None:
    """The head that a pull request has now, if base was brought into its branch at an earlier one."""
    now = str((await pull_of(github, repository, number))["head"]["sha"])
    params = {"sha": now, "per_page": 100}
    for commit in (await github.get(repository.path("commits"), params=params)).json():
        parents = [parent["sha"] for parent in commit["parents"]]
        if len(parents) > 1 and parents[0] == head:
            return now
    return None


async def require_inside(github: GitHub, call: Call, repository: Repository, head: str) -> None:
    """Let a head pass that is in a repository which the caller may use.

    Raises:
        OutsideFence: Where it is in a fork that policy keeps the caller away from.
        InvalidArguments: Where what has the name of the fork is none.
    """
    owner, _, _ = head.rpartition(":")
    fence = call.fence("repo")
    if not owner or owner.lower() == repository.owner.lower() or fence.admits(f"{owner}/*"):
        return
    fork = await github.repo(call, f"{owner}/{repository.name}")
    if await _root_of(github, fork) != await _root_of(github, repository):
        raise InvalidArguments(f"`head`: {fork.full_name} is no fork of {repository.full_name}.")


async def _root_of(github: GitHub, repository: Repository) -> str:
    """The repository that this one, and all forks of the same, were made from."""
    about = (await github.get(repository.path())).json()
    return str((about.get("source") or about)["full_name"])


def _is_of(owner: str, team: str) -> bool:
    return team.partition("/")[0].casefold() == owner.casefold()
