from dataclasses import replace
from pathlib import Path

import pytest
from mcp_types import TextContent

from ringmain_core.errors import ConfigurationError
from ringmain_core.operator_prompts import read_prompts
from ringmain_core.testing import bench
from unit.core.demo import connector

REPORT = """+++
title = "Weekly report"
description = "What happened in a week."

[arguments.week]
description = "As 2026-W47."

[arguments.tone]
default = "dry"
+++
# Report

Sum up {{week}} in a {{ tone }} tone. Say {{week}} again.
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / connector.name).mkdir()
    return tmp_path


@pytest.mark.anyio
async def test_a_file_is_a_prompt_with_its_placeholders_as_arguments(folder: Path) -> None:
    (folder / "weekly-report.md").write_text(REPORT)
    extended = connector.with_prompts(read_prompts(folder, connector))
    async with bench(extended) as at:
        listed = {prompt.name: prompt for prompt in (await at.client.list_prompts()).prompts}
        shown = listed["weekly-report"]
        assert (shown.title, shown.description) == ("Weekly report", "What happened in a week.")
        assert [(each.name, each.description, each.required) for each in shown.arguments or ()] == [
            ("week", "As 2026-W47.", True),
            ("tone", "", False),
        ]
        got = await at.client.get_prompt("weekly-report", {"week": "{{tone}}"})
    (message,) = got.messages
    assert isinstance(message.content, TextContent)
    assert message.content.text == "# Report\n\nSum up {{tone}} in a dry tone. Say {{tone}} again."


def test_without_a_head_the_heading_is_the_title_and_the_folder_says_for_whom(folder: Path) -> None:
    (folder / "for_all.md").write_text("## Look at things ##\nLook at {{thing}}.")
    (folder / connector.name / "only-here.md").write_text("Do it.")
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "not-here.md").write_text("Do it.")
    assert [(prompt.name, prompt.title) for prompt in read_prompts(folder, connector)] == [
        ("for_all", "Look at things"),
        ("only-here", "Only here"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("Bad Name.md", "x", "file name"),
        ("a.md", "{{Not Good}}", "no placeholder"),
        ("a.md", "{{}}", "no placeholder"),
        ("a.md", "", "no text"),
        ("a.md", "+++\ntitle = 'x'\n+++\n", "no text"),
        ("a.md", "+++\ntitle = \n+++\nx", "not valid TOML"),
        ("a.md", "+++\ntitel = 'x'\n+++\nx", "titel"),
        ("a.md", "+++\n[arguments.week]\n+++\nx", "arguments.week"),
        ("a.md", "x" * 70_000, "larger than"),
    ],
    ids=["name", "placeholder", "empty placeholder", "empty", "head only", "toml", "key", "unused", "large"],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_name_and_the_reason(
    folder: Path, name: str, text: str, reason: str
) -> None:
    (folder / name).write_text(text)
    with pytest.raises(ConfigurationError, match=reason) as refused:
        read_prompts(folder, connector)
    assert name in str(refused.value)


def test_names_that_are_taken_are_refused(folder: Path) -> None:
    (folder / "one.md").write_text("x")
    (folder / connector.name / "one.md").write_text("y")
    with pytest.raises(ConfigurationError, match="another file"):
        read_prompts(folder, connector)
    (folder / connector.name / "one.md").unlink()
    (prompt,) = read_prompts(folder, replace(connector, prompts=()))
    with pytest.raises(ConfigurationError, match="ringmain-demo has one"):
        read_prompts(folder, connector.with_prompts([prompt]))


def test_bytes_that_are_not_text_and_missing_folders_are_refused(folder: Path) -> None:
    (folder / "a.md").write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        read_prompts(folder, connector)
    with pytest.raises(ConfigurationError, match="no such folder"):
        read_prompts(folder / "nowhere", connector)
