"""The examples in the READMEs are answered as they say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from mcp_types import TextContent

from contract.discover import connectors
from contract.readmes import examples, readme_of
from integration.stands import stand_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("name", sorted(connectors()))
async def test_the_examples_are_answered_as_they_say(name: str, tmp_path: Path) -> None:
    answers: list[str] = []
    before: Mapping[str, Any] = {}
    every = examples(readme_of(name))
    async with stand_of(name, tmp_path) as client:
        for example in every:
            result = await client.call_tool(example.tool, example.resolved(before))
            answers.append("\n".join(part.text for part in result.content if isinstance(part, TextContent)))
            before = result.structured_content or {}
    for example, said in zip(every, answers, strict=True):
        assert example.fits(said), f"{example.tool} says now:\n{said}"
