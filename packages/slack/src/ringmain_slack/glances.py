"""Names that need not be found: looked for at the beginning of Slack's lists, and no further."""

from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import suppress
from typing import Any

from ringmain_core.errors import ToolFailure
from ringmain_slack.conversations import Conversation, Person, conversation_of
from ringmain_slack.directory import PAGE, Asks, Directory, next_cursor

_MOST_PAGES = 3


async def people_with(directory: Directory, ask: Asks, handles: Collection[str]) -> dict[str, Person]:
    """Whoever has one of these handles, in lower case; those who are not found soon are missing."""
    if len(found := directory.with_handles(handles)) == len(handles):
        return found
    async for page in _pages(ask, "users.list"):
        for row in page["members"]:
            directory.saw_person(row)
        if len(found := directory.with_handles(handles)) == len(handles):
            break
    return found


async def channels_with(directory: Directory, ask: Asks, names: Collection[str]) -> dict[str, Conversation]:
    """Channels of these names, as they were within the last minute; the same holds."""
    for method in ("users.conversations", "conversations.list"):
        if all(directory.id_of(name) for name in names):
            break
        async for page in _pages(ask, method, types=ask.about.types(("public", "private"))):
            for row in page["channels"]:
                directory.saw(conversation_of(row))
            if all(directory.id_of(name) for name in names):
                break
    found: dict[str, Conversation] = {}
    for name in names:
        if known := directory.id_of(name):
            with suppress(ToolFailure):
                one = await directory.conversation(ask, known)
                found |= {name: one} if one.name == name else {}
    return found


async def _pages(ask: Asks, method: str, **arguments: Any) -> AsyncGenerator[Mapping[str, Any]]:
    """The first pages of a list, as far as Slack gives them now."""
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        try:
            page = await ask.get(method, limit=PAGE, cursor=cursor, **arguments)
        except ToolFailure:  # what is not found stays a word
            return
        yield page
        cursor = next_cursor(page) or None
        if cursor is None:
            return
