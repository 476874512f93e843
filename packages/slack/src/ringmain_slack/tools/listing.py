"""Channels and people as rows."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from ringmain_core.answers import Rows, fitting
from ringmain_core.call import Call
from ringmain_core.errors import UpstreamUnavailable
from ringmain_core.tooling import tool
from ringmain_slack.api import Slack
from ringmain_slack.conversations import Conversation, conversation_of, one_line
from ringmain_slack.directory import PAGE, next_cursor
from ringmain_slack.fences import describe
from ringmain_slack.incoming import subject_of
from ringmain_slack.references import Cursor, is_person_id
from ringmain_slack.settings import Kind
from ringmain_slack.workspace import Workspace

_SOME_PEOPLE = 200
_MOST_PAGES = 10  # of Slack's, for one of ours
_CHANNEL_COLUMNS = ["id", "name", "kind", "member", "members", "topic"]
_PERSON_COLUMNS = ["id", "handle", "name", "title", "status"]


@tool(access="read", title="List channels")
async def list_channels(
    slack: Slack,
    call: Call,
    name: Annotated[str | None, Field(description="Part of the name.")] = None,
    mine: Annotated[bool, Field(description="Only those you are in.")] = True,
    kinds: list[Kind] | None = None,
    workspace: str | None = None,
    limit: Annotated[int, Field(ge=1, le=200)] = 50,
    cursor: Cursor = None,
) -> Rows:
    """List channels and direct messages that you may use."""
    at = await slack.workspace(call, workspace)
    fence = call.fence("channel")
    usable = slack.settings.conversations if fence.patterns is None else None
    wanted: list[Kind] = [one for one in kinds or _EVERY if usable is None or one in usable]
    if not wanted:
        note = f"You may use none of these kinds, but {describe(fence, slack.settings.conversations)}."
        return Rows(source=f"Slack {at.about.domain}", columns=_CHANNEL_COLUMNS, rows=[], note=note)
    purpose = f"{call.target} {at.about.team} {name} {mine} {sorted(wanted)}"
    place, skip = ("", 0) if cursor is None else slack.cursors.open(call, purpose, cursor)
    part = (name or "").removeprefix("#").casefold()
    rows: list[list[Any]] = []
    note = None
    for _ in range(_MOST_PAGES):
        try:
            page = await at.get(
                "users.conversations" if mine else "conversations.list",
                types=at.about.types(wanted),
                exclude_archived=True,
                limit=PAGE,
                cursor=place or None,
            )
            for told in page["channels"][skip:]:
                if len(rows) == limit:
                    break
                found = conversation_of(told)
                at.directory.saw(found)
                title = await slack.title(at, found)
                if part in title.casefold() and slack.admits(fence, at.about.domain, found, title):
                    rows.append(_row(told, found, title, mine=mine))
                skip += 1
        except UpstreamUnavailable as error:
            if not rows:
                raise
            note = f"The list is not complete: {error.message}"
            break
        if skip < len(page["channels"]):
            break
        place, skip = next_cursor(page), 0
        if not place:
            break
    more = slack.cursors.seal(call, purpose, [place, skip]) if place or skip else None
    if more and note is None and len(rows) < limit:
        note = f"{_MOST_PAGES * PAGE:,} conversations were looked through: go on with the cursor."
    return Rows(
        source=f"Slack {at.about.domain}",
        columns=_CHANNEL_COLUMNS,
        rows=rows,
        next_cursor=more,
        note=note,
    )


def _row(told: Mapping[str, Any], found: Conversation, title: str, *, mine: bool) -> list[Any]:
    # What is said in private is not for a list, which does not count as reading each of them.
    topic = subject_of(told, "topic") if found.kind == "public" else ""
    members = "" if found.members is None else found.members
    return [found.id, title, found.kind, found.is_member or mine, members, topic]


@tool(access="read", title="Find people")
async def find_users(
    slack: Slack,
    call: Call,
    query: Annotated[str, Field(min_length=1, max_length=200, description="Id, e-mail or part of a name.")],
    workspace: str | None = None,
    limit: Annotated[int, Field(ge=1, le=100)] = 20,
    cursor: Cursor = None,
) -> Rows:
    """Find people and bots: their ids and handles."""
    at = await slack.workspace(call, workspace)
    query = query.strip().removeprefix("@")
    rows: list[list[Any]] = []
    note = more = None
    if is_person_id(query):
        rows = [_person((await at.get("users.info", user=query))["user"])]
    elif "@" in query:
        rows = [_person((await at.get("users.lookupByEmail", email=query))["user"])]
    else:
        rows, more, note = await _looked_through(slack, call, at, query, limit, cursor)
    return Rows(
        source=f"Slack {at.about.domain}",
        columns=_PERSON_COLUMNS,
        rows=rows,
        next_cursor=more,
        note=note,
    )


async def list_people(slack: Slack, call: Call, workspace: str) -> Rows:
    """The first people of a workspace, in Slack's order."""
    at = await slack.workspace(call, workspace)
    page = await at.get("users.list", limit=_SOME_PEOPLE)
    return Rows(
        source=f"Slack {at.about.domain}",
        columns=_PERSON_COLUMNS,
        rows=fitting([_person(told) for told in page["members"]], call.room // 2),
        note="There are more: `find_users` finds them." if next_cursor(page) else None,
    )


async def _looked_through(
    slack: Slack, call: Call, at: Workspace, part: str, limit: int, cursor: Cursor
) -> tuple[list[list[Any]], str | None, str | None]:
    """Rows of people whose name holds this part, the cursor to go on, and what was not looked at."""
    purpose = f"{call.target} {at.about.team} {part}"
    place, skip, seen = ("", 0, 0) if cursor is None else slack.cursors.open(call, purpose, cursor)
    if cursor is None and (known := at.directory.known_people(part)):
        rows = [[one.id, one.handle, one.name, "", _status(one.is_bot, one.is_gone)] for one in known]
        note = "These were met before; the cursor goes through everybody."
        return rows[:limit], slack.cursors.seal(call, purpose, ["", 0, 0]), note
    wanted = part.casefold()
    rows: list[list[Any]] = []
    note = None
    for _ in range(_MOST_PAGES):
        try:
            page = await at.get("users.list", limit=PAGE, cursor=place or None)
        except UpstreamUnavailable as error:
            note = error.message
            break
        members = page["members"]
        for number, told in enumerate(members[skip:], start=skip):
            if len(rows) == limit:
                break
            skip = number + 1
            at.directory.saw_person(told)
            row = _person(told)
            if any(wanted in str(cell).casefold() for cell in row[1:4]):
                rows.append(row)
        if skip < len(members):
            break
        place, skip, seen = next_cursor(page), 0, seen + len(members)
        if not place:
            return rows, None, None
    looked = f"{seen + skip:,} people were looked through, not all of them: go on with the cursor."
    more = slack.cursors.seal(call, purpose, [place, skip, seen])
    return rows, more, f"{looked} {note}" if note else looked


def _person(told: Mapping[str, Any]) -> list[Any]:
    profile: Mapping[str, Any] = told.get("profile") or {}
    name = profile.get("real_name") or told.get("real_name") or profile.get("display_name") or ""
    status = _status(bool(told.get("is_bot")), bool(told.get("deleted")))
    if told.get("is_restricted") and not status:
        status = "guest"
    return [
        told["id"],
        one_line(str(told.get("name") or "")),
        one_line(str(name)),
        one_line(str(profile.get("title") or "")),
        status,
    ]


def _status(is_bot: bool, is_gone: bool) -> str:
    return "deactivated" if is_gone else "bot" if is_bot else ""


_EVERY: tuple[Kind, ...] = ("public", "private", "group", "dm")
TOOLS = (list_channels, find_users)
