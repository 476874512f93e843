"""The same calls at another GitHub: npm's `emulate`, made by others."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from mcp_types import CallToolResult

from integration.github.working import settings_for, text_of
from ringmain_core.testing import bench
from ringmain_github import connector
from standins.emulate import TOKEN, emulated
from standins.github.seeded import seeded
from standins.github.serve import serving

pytestmark = pytest.mark.anyio

_WIDGETS = "/repos/acme/widgets"


@pytest.fixture(params=["fake", "emulate"])
def web(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[httpx.Client]:
    """A client of the fake, and of the emulator."""
    if request.param == "fake":
        fake = seeded()
        with serving(fake) as url, _client(url, fake.token()) as made:
            yield made
        assert fake.violations == []
    else:
        with emulated(tmp_path) as url, _client(url, TOKEN) as made:
            yield made


def _client(url: str, token: str) -> httpx.Client:
    headers = {"authorization": f"Bearer {token}"}
    return httpx.Client(base_url=f"{url}/api/v3", headers=headers, timeout=10)


def test_basic_calls_mean_the_same_at_both(web: httpx.Client) -> None:
    assert web.get("/user").json()["login"] == "octocat"
    assert web.get(_WIDGETS).json()["full_name"] == "acme/widgets"
    made = web.post(f"{_WIDGETS}/issues", json={"title": "New", "body": "Text", "labels": []})
    assert made.status_code == 201
    issue = f"{_WIDGETS}/issues/{made.json()['number']}"
    assert web.post(f"{issue}/comments", json={"body": "Hm"}).status_code == 201
    assert [one["body"] for one in web.get(f"{issue}/comments").json()] == ["Hm"]
    assert web.patch(issue, json={"state": "closed"}).json()["state"] == "closed"
    assert [one["name"] for one in web.get(f"{_WIDGETS}/branches").json()].count("main") == 1
    readme = web.get(f"{_WIDGETS}/contents/README.md").json()
    assert (readme["type"], readme["encoding"], len(readme["sha"])) == ("file", "base64", 40)
    assert web.get(f"{_WIDGETS}/issues/99").status_code == 404
    assert web.get("/user", headers={"authorization": "Bearer ghp_nobody"}).status_code == 401


def structured(result: CallToolResult) -> dict[str, Any]:
    return dict(result.structured_content or {})


async def test_the_connector_works_at_another_github_as_well(tmp_path: Path) -> None:
    with emulated(tmp_path) as url:
        async with bench(connector, settings=settings_for(url, TOKEN)) as at:
            repo = {"repo": "acme/widgets"}
            made = await at.client.call_tool("save_issue", {**repo, "title": "New", "body": "Text"})
            number = structured(made)["number"]
            await at.client.call_tool("comment", {**repo, "number": number, "body": "Seen"})
            listed = await at.client.call_tool("list_issues", repo)
            read = await at.client.call_tool(
                "get_issue", {**repo, "number": number, "include": ["body", "comments"]}
            )
            file = await at.client.call_tool("read_file", {**repo, "path": "README.md"})
            refused = await at.client.call_tool("get_issue", {"repo": "acme/none", "number": 1})
    assert [row[1] for row in structured(listed)["rows"]] == ["New"]
    parts = structured(read)["parts"]
    assert parts["body"] == "Text"
    assert parts["comments"].endswith("Seen")
    assert "widgets" in text_of(file)
    assert refused.is_error
