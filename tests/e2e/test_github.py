"""`ringmain-github` as a user runs it, with a client that we did not write, in front of a GitHub."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from standins.github.seeded import seeded
from standins.github.serve import serving as serving_github
from standins.inspector import inspect
from standins.serving import command, serving


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[dict[str, str]]:
    fake = seeded()
    token = fake.token()
    with serving_github(fake) as url:
        yield {
            "RINGMAIN_GITHUB_URL": url,
            "RINGMAIN_GITHUB_TOKEN": token,
            "RINGMAIN_STATE_DIR": str(tmp_path / "state"),
        }
    assert fake.violations == []


@pytest.mark.parametrize("transport", ["stdio", "http"])
def test_the_inspector_lists_calls_and_reads(transport: str, settings: dict[str, str]) -> None:
    if transport == "stdio":
        environment = [part for name, value in settings.items() for part in ("-e", f"{name}={value}")]
        look(command("ringmain-github"), *environment)
    else:
        with serving("ringmain-github", settings) as served:
            look(served.url, "--transport", "http", "--header", f"Authorization: Bearer {served.key}")


def look(*target: str) -> None:
    tools = inspect(*target, "--method", "tools/list")["tools"]
    assert len(tools) == 22
    repo = ("--tool-arg", "repo=acme/widgets")
    issues = inspect(*target, "--method", "tools/call", "--tool-name", "list_issues", *repo)
    assert "It wobbles" in issues["content"][0]["text"]
    assert not issues.get("isError")
    rehearsed = inspect(
        *target,
        *("--method", "tools/call", "--tool-name", "comment", *repo, "--tool-arg", "number=1"),
        *("--tool-arg", "body=Seen", "--tool-arg", "dry_run=true"),
    )
    assert rehearsed["content"][0]["text"].startswith("Dry run, nothing was done.")
    read = inspect(*target, "--method", "resources/read", "--uri", "github://acme/widgets/pull/4")
    assert "Spin further" in read["contents"][0]["text"]
