"""What came while one was away: direct messages, mentions, threads one is in, then channels."""

import time
from collections.abc import Sequence
from typing import Annotated, Any

import anyio
from pydantic import Field

from ringmain_core.answers import Rows, size_of
from ringmain_core.call import Call
from ringmain_core.errors import NotFound, UpstreamRefused, UpstreamUnavailable
from ringmain_core.tooling import tool
from ringmain_slack.api import Slack
from ringmain_slack.hits import excerpt
from ringmain_slack.news import ORDER, News, news_of
from ringmain_slack.places import places_joined
from ringmain_slack.references import Cursor, moment, when
from ringmain_slack.transcript import lines_of
from ringmain_slack.workspace import Place, Workspace

_COLUMNS = ["about", "new", "channel", "ts", "time", "author", "text"]
_SHOWN = {"dm": 10, "mention": 10, "thread": 5, "channel": 3}
_REQUESTS = 50  # in one call
_AT_ONCE = 5
_DAY = 86_400.0  # seconds, for bots: nobody reads with them
_FRAME = 1_000  # bytes for what stands around the rows
_RESERVED = 5.0  # seconds of the call that looking on leaves


@tool(access="read", title="Catch up")
async def catch_up(
    slack: Slack,
    call: Call,
    since: str | None = None,
    workspace: str | None = None,
    limit: Annotated[int, Field(ge=1, le=100)] = 50,
    cursor: Cursor = None,
) -> Rows:
    """What you missed while away: unread DMs, mentions, your threads, channels (bots: the last 24 h)."""
    at = await slack.workspace(call, workspace)
    purpose = f"{call.target} {at.about.team} {since}"
    begin = moment(since) if since else f"{time.time() - _DAY:.6f}" if at.about.is_bot else None
    after = ""
    if cursor is not None:
        after, begin = slack.cursors.open(call, purpose, cursor)
    joined, lacking = await places_joined(slack, call, at)
    places = sorted((one for one in joined if not one.conversation.is_archived), key=_key)
    waiting = [place for place in places if _key(place) > after]
    found = _Found(call, at, limit)
    while waiting and found.goes_on:
        seen = await found.look(waiting[:_AT_ONCE], begin)
        after = _key(waiting[seen - 1]) if seen else after
        waiting = waiting[seen:]
    for place in {news.place.id: news.place for news, _ in found.kept}.values():
        await place.saw(call)
    past = f"since {when(begin)}" if begin else "since each was last read"
    looked = len(places) - len(waiting)
    note = f"Looked at {looked:,} of {len(places):,} conversations, {past}."
    if any(news.more for news, _ in found.kept):
        note += " `+`: there is more than was looked at; `read_channel` and `read_thread` have it."
    return Rows(
        source=f"Slack {at.about.domain}",
        columns=_COLUMNS,
        rows=found.rows(),
        note=" ".join(one for one in (note, *found.notes, lacking) if one),
        next_cursor=slack.cursors.seal(call, purpose, [after, begin]) if waiting else None,
    )


class _Found:
    """What was found so far, as much as one answer takes."""

    def __init__(self, call: Call, at: Workspace, limit: int) -> None:
        self.kept: list[tuple[News, Sequence[list[Any]]]] = []
        self.notes: list[str] = []
        self._call = call
        self._at = at
        self._rows = limit
        self._room = call.room - _FRAME
        self._requests = _REQUESTS
        self._ended = False

    @property
    def goes_on(self) -> bool:
        """Whether there is room and time for another look."""
        return not self._ended and self._requests > 0 and self._call.remaining > _RESERVED

    async def look(self, places: Sequence[Place], since: str | None) -> int:
        """Look at some conversations at once; returns how many of them are done with."""
        looks: list[Sequence[News] | str | UpstreamUnavailable] = ["" for _ in places]

        async def one(number: int, place: Place) -> None:
            try:
                looks[number] = await news_of(place, since)
            except UpstreamUnavailable as error:
                looks[number] = error
            except (NotFound, UpstreamRefused) as error:
                looks[number] = str(error.detail.get("error", error.code))

        async with anyio.create_task_group() as tasks:
            for number, place in enumerate(places):
                tasks.start_soon(one, number, place)
        for number, (place, news) in enumerate(zip(places, looks, strict=True)):
            self._requests -= 2  # for the conversation and its messages; a thread is one more
            if isinstance(news, UpstreamUnavailable):
                if not self.kept and number == 0 and not self.notes:
                    raise news
                self.notes.append(f"Not all: {news.message}")
                self._ended = True
                return number
            if isinstance(news, str):
                self.notes.append(f"Not {place.title}: {news}.")
                continue
            self._requests -= sum(one.about == "thread" for one in news)
            if not await self._keep(news):
                self._ended = True
                return number
        return len(places)

    def rows(self) -> list[list[Any]]:
        """Everything in its order; channels by how much is new."""
        kept = sorted(self.kept, key=lambda one: (ORDER.index(one[0].about), -len(one[0].messages)))
        return [row for _, rows in kept for row in rows]

    async def _keep(self, news: Sequence[News]) -> bool:
        """Take in what is new in a conversation; False where it does not fit any more."""
        made = [(one, await self._made(one)) for one in news]
        rows = [row for _, each in made for row in each]
        size = sum(map(size_of, rows))
        if self.kept and (size > self._room or len(rows) > self._rows):
            return False
        self.kept += made
        self._room -= size
        self._rows -= len(rows)
        return True

    async def _made(self, news: News) -> Sequence[list[Any]]:
        lines, _ = await lines_of(self._at, news.messages[: _SHOWN[news.about]])
        return [
            [news.about, news.count, news.place.title, *line[:3], excerpt(line[3], ())]
            for line in reversed(lines)
        ]


def _key(place: Place) -> str:
    """The order in which conversations are looked at: direct messages come first."""
    return f"{0 if place.conversation.kind in ('dm', 'group') else 1}{place.id}"


TOOLS = (catch_up,)
