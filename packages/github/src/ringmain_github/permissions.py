"""Which permissions each tool needs, and how to find out which of them a token lacks."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ringmain_core.errors import UpstreamRefused

if TYPE_CHECKING:
    from ringmain_github.api import GitHub
    from ringmain_github.repository import Repository

Permissions = Mapping[str, str]
"""Names as GitHub's API spells them, each with `read` or `write`."""

NEEDS: Mapping[str, Permissions] = {
    "whoami": {},
    "search": {"metadata": "read", "contents": "read", "issues": "read", "pull_requests": "read"},
    "get_repo": {"metadata": "read", "contents": "read"},
    "list_files": {"contents": "read"},
    "read_file": {"contents": "read"},
    "list_commits": {"contents": "read"},
    "get_diff": {"contents": "read", "pull_requests": "read"},
    "list_issues": {"issues": "read", "pull_requests": "read"},
    "get_issue": {"issues": "read"},
    "save_issue": {"issues": "write"},
    "comment": {"issues": "write", "pull_requests": "write"},
    "get_pull_request": {"pull_requests": "read", "checks": "read", "statuses": "read"},
    "save_pull_request": {"pull_requests": "write", "contents": "write"},
    "review_pull_request": {"pull_requests": "write"},
    "resolve_threads": {"pull_requests": "write"},
    "merge_pull_request": {"pull_requests": "write", "contents": "write"},
    "commit_files": {"contents": "write"},
    "list_runs": {"actions": "read"},
    "get_run": {"actions": "read"},
    "run_workflow": {"actions": "write"},
    "monitor_pipeline": {"actions": "read", "checks": "read", "statuses": "read", "pull_requests": "read"},
    "save_release": {"contents": "write"},
}
"""What fine-grained tokens and apps need; a classic token needs the scope `repo`, for all of it.

`commit_files` also needs `workflows: write` (classic: `workflow`) for files below `.github/workflows`.
"""

_SCOPED = ("ghp_", "gho_")
_WIDTH = {"read": 1, "write": 2, "admin": 3}

# Reads that tell whether a permission is there; GitHub names the missing one in a header of its refusal.
_PROBES: Mapping[str, Sequence[object]] = {
    "contents": ("commits",),
    "issues": ("issues",),
    "pull_requests": ("pulls",),
    "actions": ("actions", "runs"),
}


def lacking_of_app(held: Permissions) -> list[str]:
    """What these permissions do not allow, as “tool: permission”."""
    lacking: list[str] = []
    for tool, needs in NEEDS.items():
        missing = [
            f"{name}: {level}"
            for name, level in needs.items()
            if _WIDTH.get(held.get(name, ""), 0) < _WIDTH[level]
        ]
        if missing:
            lacking.append(f"{tool}: {', '.join(missing)}")
    return lacking


def scopes_of(headers: Mapping[str, str], token: str) -> str | None:
    """The scopes of a classic token or an OAuth app's; `None` for others, of which GitHub may tell none."""
    scopes = headers.get("x-oauth-scopes")
    return scopes if scopes or token.startswith(_SCOPED) else None


def lacking_of_scopes(scopes: str) -> list[str]:
    """What a classic token with these scopes (`repo, read:org`) does not allow, as “tool: scope”."""
    held = {scope.strip() for scope in scopes.split(",")}
    if "repo" in held:
        return [] if "workflow" in held else ["commit_files: workflow, for .github/workflows"]
    wanted = [tool for tool, needs in NEEDS.items() if needs]
    if "public_repo" in held:
        return [f"{tool}: repo, for private repositories" for tool in wanted]
    return [f"{tool}: repo, for more than reading what is public" for tool in wanted]


async def lacking_by_trying(github: "GitHub", repository: "Repository") -> list[str]:
    """What a fine-grained token cannot read in a repository, as “tool: permission”, found out by reading.

    Permissions to write cannot be seen without writing; a refused write names the one that it lacks.
    """
    refused: set[str] = set()
    for permission, parts in _PROBES.items():
        try:
            await github.get(repository.path(*parts), params={"per_page": 1})
        except UpstreamRefused as error:
            if error.detail.get("status") == 403:
                refused.add(permission)
    return [
        f"{tool}: {name}: {level}"
        for tool, needs in NEEDS.items()
        for name, level in needs.items()
        if name in refused
    ]
