"""`ringmain-slack` as a user runs it, with a client that we did not write, in front of a Slack."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from standins.inspector import inspect
from standins.serving import command, serving
from standins.slack.seeded import seeded
from standins.slack.serve import serving as serving_slack


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[dict[str, str]]:
    fake = seeded()
    with serving_slack(fake):
        yield {
            "RINGMAIN_SLACK_URL": fake.url,
            "RINGMAIN_SLACK_TOKEN": fake.token("bot"),
            "RINGMAIN_SLACK_CONVERSATIONS": "public,private",
            "RINGMAIN_STATE_DIR": str(tmp_path / "state"),
        }
    assert fake.violations == []
    assert fake.asked("chat.*") == []


@pytest.mark.parametrize("transport", ["stdio", "http"])
def test_the_inspector_lists_calls_and_reads(transport: str, settings: dict[str, str]) -> None:
    if transport == "stdio":
        environment = [part for name, value in settings.items() for part in ("-e", f"{name}={value}")]
        look(command("ringmain-slack"), *environment)
    else:
        with serving("ringmain-slack", settings) as served:
            look(served.url, "--transport", "http", "--header", f"Authorization: Bearer {served.key}")


def look(*target: str) -> None:
    tools = inspect(*target, "--method", "tools/list")["tools"]
    assert len(tools) == 17
    read = inspect(
        *target, "--method", "tools/call", "--tool-name", "read_channel", "--tool-arg", "channel=#general"
    )
    assert "Ada Moss: Shall we deploy today? @Bo Reyes (2 replies" in read["content"][0]["text"]
    found = inspect(*target, "--method", "tools/call", "--tool-name", "search", "--tool-arg", "query=cache")
    assert "The cache is cold" in found["content"][0]["text"]
    rehearsed = inspect(
        *target,
        *("--method", "tools/call", "--tool-name", "send_message", "--tool-arg", "channel=#general"),
        *("--tool-arg", "text=**Done**", "--tool-arg", "dry_run=true"),
    )
    assert rehearsed["content"][0]["text"].startswith("Dry run, nothing was done.")
    channels = inspect(*target, "--method", "resources/read", "--uri", "slack://acme/channels")
    assert "#general" in channels["contents"][0]["text"]
