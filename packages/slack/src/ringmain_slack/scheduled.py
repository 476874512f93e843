"""Messages that wait for their time."""

from collections.abc import Mapping
from typing import Any

from ringmain_slack.directory import next_cursor
from ringmain_slack.workspace import Place


async def scheduled_in(place: Place, at: int | None = None) -> list[Mapping[str, Any]]:
    """Own messages that wait to be posted in a conversation; with `at` those for this second."""
    found: list[Mapping[str, Any]] = []
    cursor: str | None = None
    while True:
        page = await place.workspace.get(
            "chat.scheduledMessages.list",
            channel=place.id,
            oldest=at,
            latest=at,
            limit=100,
            cursor=cursor,
        )
        found += page["scheduled_messages"]
        cursor = next_cursor(page) or None
        if cursor is None:
            return found
