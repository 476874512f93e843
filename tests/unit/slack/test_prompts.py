"""Prompts ask for what the tools take."""

import pytest

from ringmain_slack.prompts import standup

pytestmark = pytest.mark.anyio


async def test_a_standup_is_since_a_date() -> None:
    assert "since=the date of yesterday, as 2026-11-27" in await standup.function("#general")
