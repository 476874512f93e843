"""`ringmain-gdrive` as a user runs it, with a client that we did not write, in front of a Drive."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from standins.gdrive.seeded import seeded
from standins.gdrive.serve import serving as serving_drive
from standins.inspector import inspect
from standins.serving import command, serving


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[dict[str, str]]:
    fake = seeded()
    with serving_drive(fake):
        info = fake.service_account("robot@project.example", delegated=["ada@acme.example"])
        yield {
            "RINGMAIN_GDRIVE_URL": fake.url,
            "RINGMAIN_GDRIVE_SERVICE_ACCOUNT_KEY": json.dumps(dict(info)),
            "RINGMAIN_GDRIVE_SUBJECT": "ada@acme.example",
            "RINGMAIN_GDRIVE_ACCESS": "full",
            "RINGMAIN_STATE_DIR": str(tmp_path / "state"),
        }
    assert fake.violations == []


@pytest.mark.parametrize("transport", ["stdio", "http"])
def test_the_inspector_lists_calls_and_reads(transport: str, settings: dict[str, str]) -> None:
    if transport == "stdio":
        environment = [part for name, value in settings.items() for part in ("-e", f"{name}={value}")]
        look(command("ringmain-gdrive"), *environment)
    else:
        with serving("ringmain-gdrive", settings) as served:
            look(served.url, "--transport", "http", "--header", f"Authorization: Bearer {served.key}")


def look(*target: str) -> None:
    tools = inspect(*target, "--method", "tools/list")["tools"]
    assert len(tools) == 19
    file = ("--tool-arg", "file=/Plans/Launch plan")
    read = inspect(*target, "--method", "tools/call", "--tool-name", "read_file", *file)
    assert "We ship on **Friday**" in read["content"][0]["text"]
    table = inspect(
        *target,
        *("--method", "tools/call", "--tool-name", "read_table", "--tool-arg", "file=/Plans/Budget"),
        *("--tool-arg", "sheet=2026"),
    )
    assert "Servers | 1500" in table["content"][0]["text"]
    rehearsed = inspect(
        *target,
        *("--method", "tools/call", "--tool-name", "comment", *file),
        *("--tool-arg", "text=Fine", "--tool-arg", "dry_run=true"),
    )
    assert rehearsed["content"][0]["text"].startswith("Dry run, nothing was done.")
