"""Which permissions each tool needs: classic scopes, and those of fine-grained tokens and apps."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Needs:
    """What a tool needs.

    Attributes:
        scope: Of a classic token; `public_repo` does for public repositories.
        permission: Of a fine-grained token or an app.
    """

    scope: str
    permission: str


NEEDS: Mapping[str, Needs] = {
    "whoami": Needs("", "none"),
    "search": Needs("repo", "metadata: read, and contents, issues or pull requests: read"),
    "get_repo": Needs("repo", "metadata: read, contents: read"),
    "list_files": Needs("repo", "contents: read"),
    "read_file": Needs("repo", "contents: read"),
    "list_commits": Needs("repo", "contents: read"),
    "get_diff": Needs("repo", "contents: read, pull requests: read"),
    "list_issues": Needs("repo", "issues: read, pull requests: read"),
    "get_issue": Needs("repo", "issues: read"),
    "get_pull_request": Needs("repo", "pull requests: read, checks: read, commit statuses: read"),
    "save_issue": Needs("repo", "issues: write"),
    "comment": Needs("repo", "issues: write, pull requests: write"),
    "save_pull_request": Needs("repo", "pull requests: write, contents: write"),
    "review_pull_request": Needs("repo", "pull requests: write"),
    "resolve_threads": Needs("repo", "pull requests: write"),
    "merge_pull_request": Needs("repo", "contents: write"),
    "commit_files": Needs("repo", "contents: write; workflows: write below .github/workflows"),
    "list_runs": Needs("repo", "actions: read"),
    "get_run": Needs("repo", "actions: read"),
    "run_workflow": Needs("repo", "actions: write"),
    "monitor_pipeline": Needs("repo", "actions: read, checks: read"),
    "save_release": Needs("repo", "contents: write"),
}


def missing_for_tools(scopes: str) -> list[str]:
    """What a classic token with these scopes (`repo, read:org`) cannot do, as “tool: scope”."""
    held = {scope.strip() for scope in scopes.split(",")}
    if "repo" in held:
        return []
    usual = "public repositories only" if "public_repo" in held else "public repositories, reading only"
    return [
        f"{tool}: {usual}; more needs the scope {needs.scope}" for tool, needs in NEEDS.items() if needs.scope
    ]
