"""The conversations that a token's user is in, as Slack lists them."""

import time
from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from ringmain_slack.conversations import Conversation, conversation_of
from ringmain_slack.directory import PAGE, next_cursor
from ringmain_slack.settings import Kind

if TYPE_CHECKING:
    from ringmain_slack.workspace import Workspace

HOLDS = 60.0
"""Seconds for which a list is kept: as long as what is known of a single conversation."""

_MOST_LISTS = 200


class Joined:
    """Lists of them, each kept for a minute."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], tuple[float, Sequence[Conversation]]] = OrderedDict()

    async def of(self, at: "Workspace", kinds: Collection[Kind]) -> Sequence[Conversation]:
        """Those of these kinds, as they were within the last minute."""
        types = at.about.types(kinds)
        key = (at.holder, types)
        asked_at, kept = self._kept.get(key, (float("-inf"), ()))
        if time.monotonic() - asked_at < HOLDS:
            return kept
        found: list[Conversation] = []
        cursor = ""
        while True:
            page = await at.get("users.conversations", types=types, limit=PAGE, cursor=cursor or None)
            found += [conversation_of(told) for told in page["channels"]]
            cursor = next_cursor(page)
            if not cursor:
                break
        for one in found:
            at.directory.saw(one)
        self._kept[key] = (time.monotonic(), found)
        self._kept.move_to_end(key)
        if len(self._kept) > _MOST_LISTS:
            self._kept.popitem(last=False)
        return found
