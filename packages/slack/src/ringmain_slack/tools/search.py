"""Searching messages: by Slack's own search where the token may, else in the index of what a bot has read."""

import time
from collections.abc import Sequence
from contextlib import aclosing
from typing import Annotated, Any

from pydantic import Field

from ringmain_core.answers import Rows
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, UpstreamRefused, UpstreamUnavailable
from ringmain_core.tooling import tool
from ringmain_slack.api import Slack
from ringmain_slack.conversations import Person
from ringmain_slack.coverage import coverage
from ringmain_slack.hits import Hit, answer_of
from ringmain_slack.incoming import people_in, text_of
from ringmain_slack.index_lacks import Lack
from ringmain_slack.index_rows import Holder, Wanted
from ringmain_slack.places import place_now, places_joined
from ringmain_slack.references import Cursor, is_person_id, moment, ts_of
from ringmain_slack.searching import Hunt, Match, Position, Way, walk, way_of
from ringmain_slack.words import expression, has_modifiers, words_of
from ringmain_slack.workspace import Place, Workspace

FILLS = 8.0
"""Seconds for reading what the index lacks."""

_RESERVED = 3.0  # seconds of the call that are kept for the search itself
_MOST_PAGES = 5  # of Slack's, for one of ours
_NOT_ENABLED = "feature_not_enabled"


@tool(access="read", title="Search messages")
async def search(
    slack: Slack,
    call: Call,
    query: Annotated[str, Field(max_length=500)],
    in_channels: Annotated[list[str] | None, Field(max_length=20)] = None,
    from_users: Annotated[list[str] | None, Field(max_length=10)] = None,
    since: str | None = None,
    until: str | None = None,
    workspace: str | None = None,
    limit: Annotated[int, Field(ge=1, le=100)] = 20,
    cursor: Cursor = None,
) -> Rows:
    """Find messages by words and "phrases". The note says how far it looked."""
    places = [await slack.place(call, name, workspace) for name in in_channels or ()]
    at = places[0].workspace if places else await slack.workspace(call, workspace)
    if any(place.workspace.about.team != at.about.team for place in places):
        raise InvalidArguments("Search one workspace at a time.")
    hunt = Hunt(
        query=query,
        places=places,
        authors=[await _author(at, name) for name in from_users or ()],
        since=float(moment(since)) if since else 0.0,
        until=float(moment(until)) if until else 0.0,
    )
    purpose = f"{call.target} {at.about.team} {query} {in_channels} {from_users} {since} {until}"
    state: list[Any] | None = None if cursor is None else slack.cursors.open(call, purpose, cursor)
    found = way_of(at.about)
    note = None
    if found is not None and (state is None or state[0] == "slack"):
        way, name = found
        begin: Position = (0, "", 0) if state is None else (state[1], state[2], state[3])
        try:
            answer, following = await _by_slack(slack, call, at, hunt, way, name, begin, limit)
        except UpstreamRefused as refused:
            if refused.detail.get("error") != _NOT_ENABLED:
                raise
            note = "Slack's own search is not enabled for this workspace."
        else:
            return _with_cursor(answer, slack, call, purpose, following)
    answer, following = await _by_index(slack, call, at, hunt, state, limit, note)
    return _with_cursor(answer, slack, call, purpose, following)


async def _by_slack(
    slack: Slack,
    call: Call,
    at: Workspace,
    hunt: Hunt,
    way: Way,
    name: str,
    begin: Position,
    most: int,
) -> tuple[Rows, Sequence[Any] | None]:
    found: list[tuple[Match, Place, Position]] = []
    following: Position | None = begin
    pages, note = 0, f"Found by Slack's `{name}`."
    try:
        async with aclosing(walk(way, at, hunt, begin)) as matches:
            async for match, after in matches:
                if match is None:
                    pages += 1
                elif hunt.fits(match) and (place := await place_now(slack, call, at, match.channel)):
                    found.append((match, place, after))
                    if len(found) > most:  # so much for whether there are more
                        found.pop()
                        following = found[-1][2]
                        break
                following = after
                if pages == _MOST_PAGES:
                    break
            else:
                following = None
    except UpstreamUnavailable as error:
        if not found:
            raise
        note = f"{note} Not all was looked at: {error.message}"
    people = await at.directory.people(at, (who for match, *_ in found for who in people_in(match.message)))
    hits = [
        Hit(
            place,
            match.ts,
            match.thread,
            match.author or str(match.message.get("username") or "somebody"),
            text_of(match.message, people),
        )
        for match, place, _ in found
    ]
    answer, shown = await answer_of(call, at, hits, words_of(hunt.query), note)
    if shown < len(found):
        following = found[shown - 1][2]
    return answer, None if following is None else ["slack", *following]


async def _by_index(
    slack: Slack,
    call: Call,
    at: Workspace,
    hunt: Hunt,
    state: Sequence[Any] | None,
    most: int,
    note: str | None,
) -> tuple[Rows, Sequence[Any] | None]:
    """Search what was read before, after reading what is new; further pages read nothing more."""
    index = slack.indexing.index
    places, lacking = (hunt.places, "") if hunt.places else await places_joined(slack, call, at)
    known = {place.id: place for place in places}
    since = int(hunt.since * 1_000_000)
    now, skip = (time.time_ns() // 1_000, 0) if state is None else (state[1], state[2])
    lack = Lack()
    if state is None:
        seconds = min(FILLS, call.remaining - _RESERVED)
        conversations = [place.conversation for place in places]
        lack = await slack.indexing.fill(at, conversations, since, seconds)
    holder = Holder(at.about.team, at.about.user)
    wanted = Wanted(
        expression=expression(hunt.query),
        channels=list(known),
        authors=[person.id for person in hunt.authors],
        since=since,
        until=int(hunt.until * 1_000_000),
    )
    spans, full, found = await index.use(
        lambda store: (
            store.spans(holder, wanted.channels),
            not store.has_room(),
            store.find(holder, wanted, now, skip, most + 1),
        )
    )
    said = [note, coverage(places, spans, lack, since=since, full=full), lacking]
    if has_modifiers(hunt.query):
        said.append("Modifiers in the query are words here: use the arguments.")
    hits = [
        Hit(known[one.channel], ts_of(one.ts), ts_of(one.thread) if one.thread else "", one.author, one.text)
        for one in found[:most]
    ]
    joined = " ".join(one for one in said if one)
    answer, shown = await answer_of(call, at, hits, words_of(hunt.query), joined)
    return answer, ["index", now, skip + shown] if shown < len(found) else None


async def _author(at: Workspace, name: str) -> Person:
    name = name.strip().removeprefix("@")
    if name == "me":
        name = at.about.user
    return await (at.directory.person(at, name) if is_person_id(name) else at.directory.called(at, name))


def _with_cursor(
    answer: Rows, slack: Slack, call: Call, purpose: str, following: Sequence[Any] | None
) -> Rows:
    if following is not None:
        answer.next_cursor = slack.cursors.seal(call, purpose, list(following))
    return answer


TOOLS = (search,)
