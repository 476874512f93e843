"""What ten typical answers cost a model, beside GitHub's own JSON of the same things."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx2
from mcp_types import TextContent
from pydantic import SecretStr

from bench.report import Result
from ringmain_core.testing import bench
from ringmain_github import connector
from ringmain_github.settings import GitHubSettings
from standins.github.seeded import seeded
from standins.github.serve import serving

PART = "12. GitHub: tokens (bytes/4) of answers, beside GitHub's JSON of the same things"
_REPO = "/repos/acme/widgets"
_BODY = "At 100 rpm it begins to wobble, and does not end until the power is cut.\n\n" * 8

Typical = tuple[str, Mapping[str, Any], str]
"""A tool, its arguments beside the repository, and where GitHub tells the same."""

_TYPICAL: tuple[Typical, ...] = (
    ("get_repo", {}, _REPO),
    ("list_files", {"depth": 10}, f"{_REPO}/git/trees/main?recursive=1"),
    ("read_file", {"path": "src/spin.py"}, f"{_REPO}/contents/src/spin.py"),
    ("list_commits", {}, f"{_REPO}/commits?per_page=30"),
    ("get_diff", {"number": 4}, f"{_REPO}/pulls/4/files"),
    ("list_issues", {}, f"{_REPO}/issues?per_page=30"),
    ("get_issue", {"number": 1, "include": ["body"]}, f"{_REPO}/issues/1"),
    ("get_pull_request", {"number": 4}, f"{_REPO}/pulls/4"),
    ("list_runs", {}, f"{_REPO}/actions/runs"),
    ("search", {"kind": "issues", "query": "wobble"}, "/search/issues?q=wobble+is:issue&per_page=20"),
)


def measure_answers() -> list[Result]:
    """Ten answers, one line each and one for all of them."""
    pairs = asyncio.run(_sizes())
    results = [
        Result(PART, tool, [ours], [theirs], "tokens")
        for (tool, _, _), (ours, theirs) in zip(_TYPICAL, pairs, strict=True)
    ]
    ours, theirs = (sum(each) for each in zip(*pairs, strict=True))
    return [*results, Result(PART, "all ten", [ours], [theirs], "tokens")]


async def _sizes() -> list[tuple[float, float]]:
    fake = seeded()
    repository = fake.repositories["acme/widgets"]
    for number in range(40):
        repository.issue(f"It wobbles at {number} rpm", body=_BODY, author="mona", labels=["bug"])
        repository.commit("main", {"n.txt": f"{number}\n"}, f"Count to {number}", author="mona")
    token = fake.token()
    found: list[tuple[float, float]] = []
    with serving(fake) as url:
        settings = GitHubSettings(url=url, token=SecretStr(token))
        headers = {"authorization": f"Bearer {token}", "accept": "application/vnd.github+json"}
        async with (
            bench(connector, settings=settings) as at,
            httpx2.AsyncClient(base_url=url, headers=headers) as github,
        ):
            for tool, arguments, path in _TYPICAL:
                repo = {} if tool == "search" else {"repo": "acme/widgets"}
                answer = await at.client.call_tool(tool, {**repo, **arguments})
                (content,) = answer.content
                assert isinstance(content, TextContent)
                if answer.is_error:
                    raise RuntimeError(content.text)
                told = (await github.get(path)).raise_for_status()
                found.append((len(content.text.encode()) / 4, len(told.content) / 4))
    return found
