"""Values to offer while somebody types: owners, repositories, refs, paths, numbers."""

from collections.abc import Mapping
from typing import Any, cast

from ringmain_core.call import Call
from ringmain_core.errors import ToolFailure
from ringmain_github.api import GitHub
from ringmain_github.references import file_parts, path

_MOST = 100


async def complete_owner(github: GitHub, call: Call, typed: str, _: Mapping[str, str]) -> list[str]:
    """Owners of repositories that the caller works with."""
    owners = dict.fromkeys(name.partition("/")[0] for name in await _own(github, call))
    return [owner for owner in owners if owner.lower().startswith(typed.lower())]


async def complete_repository(github: GitHub, call: Call, typed: str, chosen: Mapping[str, str]) -> list[str]:
    """Repositories of the chosen owner, those with the latest pushes first."""
    owner = chosen.get("owner", "")
    found = [name for name in await _own(github, call) if not owner or name.startswith(f"{owner}/")]
    if owner and not found:
        listed = await github.get(path("users", owner, "repos"), params=_LATEST, owner=owner)
        found = _admitted(call, listed.json())
    names = [name.partition("/")[2] for name in found]
    return [name for name in names if name.lower().startswith(typed.lower())]


async def complete_repo(github: GitHub, call: Call, typed: str, _: Mapping[str, str]) -> list[str]:
    """Repositories as `owner/name`."""
    return [name for name in await _own(github, call) if typed.lower() in name.lower()]


async def complete_ref(github: GitHub, call: Call, typed: str, chosen: Mapping[str, str]) -> list[str]:
    """Branches and tags that begin like this."""
    repository = await github.repo(call, _repo_of(chosen))
    names: list[str] = []
    for kind in ("heads", "tags"):
        url = repository.path("git", "matching-refs", kind) + (path(*file_parts(typed)) if typed else "/")
        found = cast("list[Mapping[str, Any]]", (await github.get(url)).json())
        names += [str(each["ref"]).removeprefix(f"refs/{kind}/") for each in found]
    return names[:_MOST]


async def complete_path(github: GitHub, call: Call, typed: str, chosen: Mapping[str, str]) -> list[str]:
    """Files and folders of the folder that was typed so far."""
    repository = await github.repo(call, _repo_of(chosen))
    folder, _, beginning = typed.rpartition("/")
    url = repository.path("contents", *file_parts(folder))
    entries = (await github.get(url, params={"ref": chosen.get("ref") or None})).json()
    if not isinstance(entries, list):
        return []
    found = cast("list[Mapping[str, str]]", entries)
    return [
        each["path"] + ("/" if each["type"] == "dir" else "")
        for each in found
        if each["name"].startswith(beginning)
    ]


async def complete_number(github: GitHub, call: Call, typed: str, chosen: Mapping[str, str]) -> list[str]:
    """Open issues and pull requests, the latest first."""
    return await _ids(github, call, typed, chosen, "issues", "number")


async def complete_pull(github: GitHub, call: Call, typed: str, chosen: Mapping[str, str]) -> list[str]:
    """Open pull requests, the latest first."""
    return await _ids(github, call, typed, chosen, "pulls", "number")


async def complete_sha(github: GitHub, call: Call, typed: str, chosen: Mapping[str, str]) -> list[str]:
    """The latest commits of the default branch."""
    return await _ids(github, call, typed, chosen, "commits", "sha")


async def complete_run(github: GitHub, call: Call, typed: str, chosen: Mapping[str, str]) -> list[str]:
    """The latest workflow runs."""
    repository = await github.repo(call, _repo_of(chosen))
    answer = (await github.get(repository.path("actions", "runs"), params={"per_page": _MOST})).json()
    ids = [str(run["id"]) for run in answer["workflow_runs"]]
    return [each for each in ids if each.startswith(typed)]


_LATEST = {"per_page": _MOST, "sort": "pushed"}


async def _ids(
    github: GitHub, call: Call, typed: str, chosen: Mapping[str, str], what: str, key: str
) -> list[str]:
    repository = await github.repo(call, _repo_of(chosen))
    found = cast(
        "list[Mapping[str, Any]]",
        (await github.get(repository.path(what), params={"per_page": _MOST})).json(),
    )
    return [str(each[key]) for each in found if str(each[key]).startswith(typed)]


async def _own(github: GitHub, call: Call) -> list[str]:
    """Repositories that the token's owner works with, inside the fence."""
    try:
        found = (await github.get("/user/repos", params=_LATEST)).json()
    except ToolFailure:  # an app's installation is no user
        found = (await github.get("/installation/repositories", params={"per_page": _MOST})).json()
        found = found["repositories"]
    return _admitted(call, found)


def _admitted(call: Call, repositories: list[Mapping[str, Any]]) -> list[str]:
    fence = call.fence("repo")
    return [str(each["full_name"]) for each in repositories if fence.admits(str(each["full_name"]))]


def _repo_of(chosen: Mapping[str, str]) -> str:
    if chosen.get("owner"):
        return f"{chosen['owner']}/{chosen.get('repo', '')}"
    return chosen.get("repo", "")
