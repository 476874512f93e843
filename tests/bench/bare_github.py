"""PyGithub without us: issues read by number, in a tool of the bare SDK or by a loop of its own.

`python -m bench.bare_github URL TOKEN http` serves the tool; `… loop` takes lines with a number N from stdin,
reads N issues for each, and answers with a line.
"""

import json
import sys
from typing import Any

from github import Auth, Github
from mcp.server.mcpserver import MCPServer

from bench.github_load import ISSUES, REPOSITORY

_SHOWN = ("number", "title", "state", "body", "comments", "created_at", "updated_at", "html_url")


def reader(url: str, token: str) -> Any:
    """PyGithub as its documentation has it, but for the pauses that it makes between requests."""
    github = Github(
        base_url=f"{url}/api/v3",
        auth=Auth.Token(token),
        lazy=True,
        seconds_between_requests=None,
        seconds_between_writes=None,
    )
    return github.get_repo(REPOSITORY)


def build(url: str, token: str) -> MCPServer[None]:
    server: MCPServer[None] = MCPServer("bare-github", log_level="WARNING")
    repository = reader(url, token)

    @server.tool(structured_output=False)
    def get_issue(repo: str, number: int) -> str:  # noqa: ARG001  # pyright: ignore[reportUnusedFunction]
        """Read an issue."""
        issue = repository.get_issue(number)
        return json.dumps({name: getattr(issue, name) for name in _SHOWN}, default=str)

    return server


def loop(url: str, token: str) -> None:
    """Read as many issues as each line of stdin says."""
    repository = reader(url, token)
    number = 0
    for line in sys.stdin:
        for _ in range(int(line)):
            number = number % ISSUES + 1
            issue = repository.get_issue(number)
            json.dumps({name: getattr(issue, name) for name in _SHOWN}, default=str)
        print("done", flush=True)


if __name__ == "__main__":
    if sys.argv[3] == "http":
        from bench.bare_http import serve

        serve(build(sys.argv[1], sys.argv[2]), sys.argv[4:])
    else:
        loop(sys.argv[1], sys.argv[2])
