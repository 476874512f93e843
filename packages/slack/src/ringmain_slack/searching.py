"""Slack's own searches, as user tokens may use them."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, Protocol

from ringmain_slack.conversations import Person
from ringmain_slack.directory import next_cursor
from ringmain_slack.identity import Identity
from ringmain_slack.references import parse_reference
from ringmain_slack.workspace import Place, Workspace

_PAGE, _CONTEXT_PAGE = 100, 20  # the most that Slack gives
_TYPES: Mapping[str, str] = {
    "search:read.public": "public_channel",
    "search:read.private": "private_channel",
    "search:read.mpim": "mpim",
    "search:read.im": "im",
}
Position = tuple[int, str, int]
"""Where to go on: number of the combination of place and author, Slack's cursor, matches of its page."""


@dataclass(frozen=True, slots=True)
class Hunt:
    """What is looked for.

    Attributes:
        places: Where; anywhere if there are none.
        authors: By whom; by anybody if there are none.
        since: Seconds since 1970; 0 for always.
        until: Likewise.
    """

    query: str
    places: Sequence[Place] = ()
    authors: Sequence[Person] = ()
    since: float = 0.0
    until: float = 0.0

    def fits(self, match: "Match") -> bool:
        """Whether what Slack has found is what was asked for."""
        return (
            (not self.places or match.channel in {place.id for place in self.places})
            and (not self.authors or match.author in {person.id for person in self.authors})
            and float(match.ts) >= self.since
            and (not self.until or float(match.ts) <= self.until)
        )


@dataclass(frozen=True, slots=True)
class Match:
    """A message that Slack has found: ids of its conversation and author, and what it says."""

    channel: str
    ts: str
    thread: str
    author: str
    message: Mapping[str, Any]


class Way(Protocol):
    """One of the searches: a page of matches, and the cursor of the next."""

    async def __call__(
        self, at: Workspace, hunt: Hunt, modifiers: str, cursor: str, /
    ) -> tuple[Sequence[Match], str]: ...


def way_of(about: Identity) -> tuple[Way, str] | None:
    """The search that a token may use, and its name; `None` where there is none for it."""
    if about.is_bot:
        return None
    if "search:read" in about.scopes:
        return by_messages, "search.messages"
    if about.scopes.intersection(_TYPES):
        return by_context, "assistant.search.context"
    return None


async def walk(
    way: Way, at: Workspace, hunt: Hunt, begin: Position
) -> AsyncGenerator[tuple[Match | None, Position]]:
    """Every match with where to go on after it, and `None` after each page.

    Several places or authors are searched one after the other: what two modifiers of one kind mean together
    is not documented.
    """
    number, cursor, skip = begin
    combinations = [*product(hunt.places or [None], hunt.authors or [None])]
    while number < len(combinations):
        matches, following = await way(at, hunt, _modifiers(*combinations[number]), cursor)
        for count in range(skip, len(matches)):
            yield matches[count], (number, cursor, count + 1)
        number, cursor, skip = number if following else number + 1, following, 0
        yield None, (number, cursor, skip)


async def by_messages(at: Workspace, hunt: Hunt, modifiers: str, cursor: str) -> tuple[Sequence[Match], str]:
    """`search.messages`. It knows days only, in the user's time zone: some more is asked for."""
    if hunt.since:
        modifiers += f" after:{_day(hunt.since, -2)}"
    if hunt.until:
        modifiers += f" before:{_day(hunt.until, 2)}"
    query = f"{hunt.query}{modifiers}".strip()
    place = {"page": int(cursor[1:])} if cursor.startswith("#") else {"cursor": cursor or "*"}
    answer = await at.get("search.messages", query=query, count=_PAGE, **place)
    matches = [
        Match(
            channel=str(one["channel"]["id"]),
            ts=str(one["ts"]),
            thread=parse_reference(str(one["permalink"])).thread_ts or "",
            author=str(one.get("user") or ""),
            message=one,
        )
        for one in answer["messages"]["matches"]
    ]
    return matches, next_cursor(answer) or _next_page(answer["messages"])


def _next_page(found: Mapping[str, Any]) -> str:
    """Where it goes on, in place of a cursor, where Slack counts pages only."""
    paging: Mapping[str, int] = found.get("paging") or {}
    page = paging.get("page", 1)
    return f"#{page + 1}" if page < paging.get("pages", 1) else ""


async def by_context(at: Workspace, hunt: Hunt, modifiers: str, cursor: str) -> tuple[Sequence[Match], str]:
    """`assistant.search.context`, in the kinds of conversation that the token's scopes name."""
    answer = await at.get(
        "assistant.search.context",
        query=f"{hunt.query}{modifiers}".strip(),
        content_types="messages",
        channel_types=",".join(kind for scope, kind in _TYPES.items() if scope in at.about.scopes),
        after=int(hunt.since) - 1 if hunt.since else None,
        before=int(hunt.until) + 1 if hunt.until else None,
        include_bots=True,
        include_archived_channels=True,
        limit=_CONTEXT_PAGE,
        cursor=cursor or None,
    )
    matches = [
        Match(
            channel=str(one["channel_id"]),
            ts=str(one["message_ts"]),
            thread=str(one.get("thread_ts") or ""),
            author=str(one.get("author_user_id") or ""),
            message={"text": one.get("content"), "username": one.get("author_name")},
        )
        for one in answer["results"].get("messages") or ()
    ]
    return matches, next_cursor(answer)


def _modifiers(place: Place | None, author: Person | None) -> str:
    made = ""
    if place is not None:
        where = place.conversation
        made += f" in:<@{where.person}>" if where.kind == "dm" else f" in:{where.name}"
    return f"{made} from:<@{author.id}>" if author is not None else made


def _day(moment: float, days: int) -> str:
    return (datetime.fromtimestamp(moment, UTC) + timedelta(days=days)).strftime("%Y-%m-%d")
