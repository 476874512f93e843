"""One channel, with what belongs to it."""

from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from ringmain_core.answers import PagedItem
from ringmain_core.call import Call
from ringmain_core.parts import Part, filled
from ringmain_core.text import clean
from ringmain_core.tooling import tool
from ringmain_slack.api import Slack
from ringmain_slack.directory import next_cursor
from ringmain_slack.incoming import plain, subject_of
from ringmain_slack.references import ChannelRef, Cursor
from ringmain_slack.transcript import lines_of, shown
from ringmain_slack.workspace import Place

Include = Literal["members", "pins", "bookmarks"]
_MEMBERS_A_PAGE = 200


@tool(access="read", title="Show a channel")
async def get_channel(
    slack: Slack,
    call: Call,
    channel: ChannelRef,
    include: list[Include] | None = None,
    cursor: Cursor = None,
) -> PagedItem:
    """Show a channel: topic, purpose, its canvas and, where asked for, members, pins and bookmarks."""
    place = await slack.place(call, channel)
    known: dict[Include, Part] = {
        "members": _members(place),
        "pins": _pins(place),
        "bookmarks": _bookmarks(place),
    }
    wanted = {name: part for name, part in known.items() if name in (include or ())}
    answer = await place.workspace.get("conversations.info", channel=place.id, include_num_members=True)
    facts = _facts(place, answer["channel"])
    filled_in = await filled(slack.cursors, call, place.source, facts, wanted, cursor)
    await place.saw(call)
    return filled_in


def _facts(place: Place, told: Mapping[str, Any]) -> dict[str, Any]:
    conversation = place.conversation
    properties: Mapping[str, Any] = told.get("properties") or {}
    canvas: Mapping[str, Any] = properties.get("canvas") or {}
    facts: dict[str, Any] = {
        "id": place.id,
        "name": place.title,
        "kind": conversation.kind,
        "topic": subject_of(told, "topic"),
        "purpose": subject_of(told, "purpose"),
        "members": told.get("num_members"),
        "you are in it": conversation.is_member,
        "archived": conversation.is_archived or None,
        "shared with other organisations": conversation.is_external or None,
        "canvas": canvas.get("file_id"),
        "created": datetime.fromtimestamp(told["created"], UTC).strftime("%Y-%m-%d"),
        "url": f"{place.workspace.about.url}archives/{place.id}",
    }
    return {name: value for name, value in facts.items() if value not in (None, "")}


def _members(place: Place) -> Part:
    async def pieces(begin: int) -> AsyncGenerator[str]:
        at, seen, cursor = place.workspace, 0, ""
        while True:
            page = await at.get(
                "conversations.members", channel=place.id, limit=_MEMBERS_A_PAGE, cursor=cursor or None
            )
            names: list[str] = page["members"]
            left = names[max(0, begin - seen) :]
            people = await at.directory.people(at, left)
            for name in left:
                person = people.get(name)
                yield f"{name} @{person.handle}, {person.name}" if person else name
            seen += len(names)
            cursor = next_cursor(page)
            if not cursor:
                return

    return pieces


def _pins(place: Place) -> Part:
    async def pieces(begin: int) -> AsyncGenerator[str]:
        items = (await place.workspace.get("pins.list", channel=place.id))["items"]
        messages = [item["message"] for item in items if "message" in item][begin:]
        lines, _ = await lines_of(place.workspace, messages)
        for line in lines:
            yield shown(line)

    return pieces


def _bookmarks(place: Place) -> Part:
    async def pieces(begin: int) -> AsyncGenerator[str]:
        found = (await place.workspace.get("bookmarks.list", channel_id=place.id))["bookmarks"]
        for one in found[begin:]:
            yield f"{plain(str(one.get('title', '')), {})}: {clean(str(one.get('link', '')))}"

    return pieces


TOOLS = (get_channel,)
