"""Fills the search index: what is new in the conversations in question, then what is older, in time."""

import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import anyio

from ringmain_core.errors import NotFound, ToolFailure, UpstreamRefused, UpstreamUnavailable
from ringmain_slack.conversations import Conversation
from ringmain_slack.ears import Ears
from ringmain_slack.incoming import people_in
from ringmain_slack.index import Index
from ringmain_slack.index_entries import entry_of, entry_of_event
from ringmain_slack.index_lacks import Lack, Lacks
from ringmain_slack.index_rows import Entry, Holder, Span, Thread
from ringmain_slack.kept import Kept
from ringmain_slack.references import micros, ts_of

if TYPE_CHECKING:
    from ringmain_slack.workspace import Workspace

T = TypeVar("T")
AGAIN = 100
"""The newest messages of a conversation that are read each time: they may be edited, deleted or answered."""

PAGE = 500
"""Messages in one request for what is new or older."""

HOLDS = 60.0
"""Seconds for which what was heard is taken for all there is; so long nothing is read twice of many."""

MANY = 40
"""Conversations: of more than Slack lets a token read in a minute, none is read again before the others."""

_AT_ONCE = 4
_MOST_THREADS = 30  # read in one filling
_THREAD_PAGE = 200
_MOST_READ = 50_000


class Indexing:
    """Keeps the index filled, with what searches ask for and what is heard meanwhile."""

    def __init__(self, index: Index, ears: Ears) -> None:
        self.index = index
        self._ears = ears
        self._ears.heard = self._hear
        self._failures = 0
        self._read = Kept[tuple[int, int]](_MOST_READ, time.monotonic)
        self._names: dict[str, Callable[[Collection[str]], Mapping[str, Any]]] = {}

    async def fill(
        self, at: "Workspace", conversations: Sequence[Conversation], since: int, seconds: float
    ) -> Lack:
        """Read what the index lacks of these conversations, until the time is over or a limit is reached.

        Args:
            at: As whom.
            conversations: That are looked through.
            since: How far back, in microseconds since 1970.
            seconds: How long that may take.
        """
        self._ears.begin()
        self._names[at.about.team] = at.directory.met
        filling = _Filling(self, at, conversations, since)
        with anyio.move_on_after(seconds):
            await filling.run()
        return filling.lack

    @property
    def hearing(self) -> tuple[int, int]:
        """Is another one where something may not have been heard in between."""
        return self._ears.connections, self._failures

    def was_read(self, at: "Workspace", one: Conversation, hearing: tuple[int, int]) -> None:
        """Its newest messages were read, from when `hearing` was this."""
        self._read.put(_key(at, one), hearing)

    def age(self, at: "Workspace", one: Conversation) -> float:
        """Seconds since its newest messages were read."""
        return self._read.age(_key(at, one))

    def is_heard(self, at: "Workspace", one: Conversation) -> bool:
        """Whether it was read lately, and nothing is known to have been missed since."""
        hears = at.about.is_bot and self._ears.hears(at.about.team, one.kind)
        return hears and self._read.get(_key(at, one), HOLDS) == self.hearing

    async def _hear(self, team: str, event: Mapping[str, Any]) -> None:
        channel, names = str(event.get("channel")), self._names.get(team)
        entry = None if names is None else entry_of_event(event, names)
        if entry is None:
            return
        try:
            await self.index.use(lambda store: store.hear(team, channel, entry))
        except UpstreamUnavailable:
            self._failures += 1


class _Filling:
    """One filling. What was read of each request is kept at once, so that it can end at any time."""

    def __init__(
        self, indexing: Indexing, at: "Workspace", conversations: Sequence[Conversation], since: int
    ) -> None:
        self.lack = Lack()
        self._indexing = indexing
        self._index = indexing.index
        self._at = at
        self._holder = Holder(at.about.team, at.about.user)
        self._conversations = {one.id: one for one in conversations}
        self._since = since
        self._threads = _MOST_THREADS
        self._spans: Mapping[str, Span] = {}

    async def run(self) -> None:
        """Read what is new everywhere, then threads and what is older in turn."""
        await self._look()
        stale = self._stale()
        self.lack.newest = {one.id: "no time" for one in stale}
        await self._each(stale, self._read_newest, self._not_newest)
        while True:
            await self._read_threads()
            await self._look()
            short = sorted(filter(self._is_short, self._conversations.values()), key=self._oldest)
            if not short or not await self._index.use(lambda store: store.has_room()):
                return
            await self._each(short, self._read_older, self._not_older)

    def _stale(self) -> list[Conversation]:
        """What has to be read: what never was, then what was read the longest ago."""
        every = self._conversations.values()
        self.lack.heard = {
            one.id for one in every if one.id in self._spans and self._indexing.is_heard(self._at, one)
        }
        stale = [one for one in every if one.id not in self.lack.heard]
        if len(stale) > MANY:
            self.lack.lately = {one.id for one in stale if one.id in self._spans and self._age(one) < HOLDS}
        wanted = [one for one in stale if one.id not in self.lack.lately]
        return sorted(wanted, key=lambda one: (one.id in self._spans, -self._age(one)))

    def _age(self, one: Conversation) -> float:
        return self._indexing.age(self._at, one)

    def _oldest(self, one: Conversation) -> int:
        return -self._spans[one.id].oldest

    def _not_newest(self, one: Conversation, why: str, *, refused: bool) -> None:
        self.lack.newest[one.id] = why
        if refused:
            self.lack.refused.add(one.id)

    def _not_older(self, _: object, why: str, *, refused: bool) -> None:  # noqa: ARG002 (not told apart)
        self.lack.older = why

    async def _read_threads(self) -> None:
        channels = list(self._conversations)
        most = 0 if self.lack.older else self._threads
        threads = await self._index.use(lambda store: store.unread_threads(self._holder, channels, most))
        self._threads -= len(threads)
        await self._each(threads, self._read_thread, self._not_older)

    async def _look(self) -> None:
        channels = list(self._conversations)
        self._spans = await self._index.use(lambda store: store.spans(self._holder, channels))

    def _is_short(self, one: Conversation) -> bool:
        span = self._spans.get(one.id)
        if span is None or one.id in self.lack.newest or self.lack.older:
            return False
        return not span.whole and span.oldest > self._since

    async def _each(
        self,
        things: Sequence[T],
        read: Callable[[T], Awaitable[None]],
        lacks: Lacks[T],
    ) -> None:
        """Read several at once; where a limit is reached, the rest is left."""
        waiting, why = iter(things), ""

        async def work() -> None:
            nonlocal why
            for thing in waiting:
                try:
                    if not why:
                        await read(thing)
                        continue
                except UpstreamUnavailable as error:
                    why = _why(error)
                except (NotFound, UpstreamRefused) as error:
                    lacks(thing, str(error.detail.get("error", error.code)), refused=True)
                    continue
                lacks(thing, why, refused=False)

        async with anyio.create_task_group() as tasks:
            for _ in range(_AT_ONCE):
                tasks.start_soon(work)

    async def _read_newest(self, one: Conversation) -> None:
        """Read what is new, down to where the index begins; of an unknown conversation one page."""
        known, hearing = self._spans.get(one.id), self._indexing.hearing
        latest: int | None = None
        top = high = known.newest if known else 0
        while True:
            limit = AGAIN if known and latest is None else PAGE
            messages, more = await self._page(one, limit, latest)
            moments = [micros(str(message["ts"])) for message in messages]
            top = max(top, *moments, 0) if latest is None else top
            high = max(high, *moments, 0) if latest is None else latest - 1
            low = min(moments, default=0) if more else 0
            meets = known is not None and (not more or low <= known.newest)
            span = Span(min(moments, default=top), top, whole=not more)
            if known is not None and meets and more:
                span = Span(known.oldest, top, known.whole)
            await self._put(one, messages, span, low, high)
            if known is None or meets or not more:
                break
            latest = low
        del self.lack.newest[one.id]
        self._indexing.was_read(self._at, one, hearing)

    async def _read_older(self, one: Conversation) -> None:
        span = self._spans[one.id]
        messages, more = await self._page(one, PAGE, span.oldest)
        moments = [micros(str(message["ts"])) for message in messages]
        low = min(moments, default=span.oldest) if more else 0
        older = Span(min(moments, default=span.oldest), span.newest, whole=not more)
        await self._put(one, messages, older, low, span.oldest - 1)

    async def _read_thread(self, thread: Thread) -> None:
        """Read a short thread anew, for what was edited or deleted; of a long one what is new."""
        anew = thread.replies < _THREAD_PAGE
        replies: list[Mapping[str, Any]] = []
        after = 0 if anew else thread.read
        while True:
            answer = await self._at.get(
                "conversations.replies",
                channel=thread.channel,
                ts=ts_of(thread.ts),
                oldest=ts_of(after) if after else None,
                limit=_THREAD_PAGE,
            )
            found = [one for one in answer["messages"] if micros(str(one["ts"])) > max(after, thread.ts)]
            replies += found
            if not answer.get("has_more") or not found:
                break
            after = micros(str(found[-1]["ts"]))
        entries = await self._entries(replies)
        await self._index.use(lambda store: store.put_thread(self._holder, thread, entries, whole=anew))

    async def _page(
        self, one: Conversation, limit: int, latest: int | None
    ) -> tuple[Sequence[Mapping[str, Any]], bool]:
        answer = await self._at.get(
            "conversations.history",
            channel=one.id,
            limit=limit,
            latest=None if latest is None else ts_of(latest),
        )
        return answer["messages"], bool(answer.get("has_more"))

    async def _put(
        self, one: Conversation, messages: Sequence[Mapping[str, Any]], span: Span, low: int, high: int
    ) -> None:
        entries = await self._entries(messages)
        await self._index.use(lambda store: store.put(self._holder, one.id, entries, span, low, high))

    async def _entries(self, messages: Sequence[Mapping[str, Any]]) -> list[Entry]:
        directory = self._at.directory
        people = await directory.people(self._at, (name for one in messages for name in people_in(one)))
        return [entry for one in messages if (entry := entry_of(one, people)) is not None]


def _key(at: "Workspace", one: Conversation) -> str:
    return f"{at.about.team} {at.about.user} {one.id}"


def _why(error: ToolFailure) -> str:
    if error.retry_after_ms is not None:
        return f"Slack's limit, come back in {max(1, error.retry_after_ms // 1000)} s"
    return error.message
