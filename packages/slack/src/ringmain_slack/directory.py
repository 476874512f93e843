"""Names of people and conversations: looked up when needed and kept with their age, never read up front."""

import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Protocol

import anyio

from ringmain_core.errors import NotFound, ToolFailure, UpstreamUnavailable
from ringmain_slack.conversations import Conversation, Person, conversation_of, person_of
from ringmain_slack.identity import Identity
from ringmain_slack.kept import Kept

PAGE = 1_000
"""The most that Slack gives in one page of a list."""

_CONVERSATION_HOLDS = 60.0  # seconds: then its name, and whether it is private, are asked for again
_PERSON_HOLDS = 3_600.0
_WALK_HOLDS = 300.0  # seconds for which a list that was read to its end says what is not in it
_MOST_CONVERSATIONS, _MOST_PEOPLE = 50_000, 50_000
_MOST_WALKS = 200
_ASKED_ONE_BY_ONE = 5
_MOST_ASKED = 30


class Asks(Protocol):
    """What the directory needs of a workspace."""

    about: Identity

    async def get(self, method: str, /, **arguments: Any) -> Mapping[str, Any]:
        """Ask Slack something."""
        ...


@dataclass(slots=True)
class _Walk:
    """A list that is read page by page, over several calls if need be.

    Attributes:
        cursor: Where to go on; empty at the start.
        seen: Rows so far.
        ended_at: When its end was reached.
    """

    cursor: str = ""
    seen: int = 0
    ended_at: float = float("-inf")


class Directory:
    """What is known of one workspace, as one token sees it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._people = Kept[Person](_MOST_PEOPLE, clock)
        self._conversations = Kept[Conversation](_MOST_CONVERSATIONS, clock)
        self._ids: dict[str, str] = {}
        self._walks = OrderedDict[str, _Walk]()
        self._alone = anyio.Lock()

    def saw(self, conversation: Conversation) -> None:
        """Keep a conversation that Slack has just described."""
        self._conversations.put(conversation.id, conversation)
        if conversation.name:
            self._ids[conversation.name] = conversation.id

    def saw_person(self, told: Mapping[str, Any]) -> Person:
        """Keep a user that Slack has just described."""
        person = person_of(told)
        self._people.put(person.id, person)
        return person

    def id_of(self, name: str) -> str | None:
        """The id of a channel that is known by its name."""
        return self._ids.get(name)

    def with_handles(self, handles: Collection[str]) -> dict[str, Person]:
        """Known people, by those of these handles (in lower case) that are theirs."""
        known = ((one.handle.casefold(), one) for one in self._people.values() if not one.is_gone)
        return {handle: one for handle, one in known if handle in handles}

    async def conversation(self, ask: Asks, name: str) -> Conversation:
        """A conversation by its id, as it was within the last minute.

        Raises:
            NotFound: Where there is none that the token may see.
        """
        known = self._conversations.get(name, _CONVERSATION_HOLDS)
        if known is not None:
            return known
        answer = await ask.get("conversations.info", channel=name, include_num_members=True)
        found = conversation_of(answer["channel"])
        self.saw(found)
        return found

    async def named(self, ask: Asks, name: str) -> Conversation:
        """A channel by its name: known ones first, then those that the token's user is in, then all.

        Raises:
            NotFound: Where a list that was read to its end has none of that name.
            UpstreamUnavailable: Where Slack's limit ends the search before; it goes on from there next time.
        """
        if name in self._ids:
            found = await self.conversation(ask, self._ids[name])
            if found.name == name:
                return found
            del self._ids[name]  # renamed meanwhile
        types = ask.about.types(("public", "private"))
        async with self._alone:
            for method in ("users.conversations", "conversations.list"):
                walk = self._walk(method)
                async for page in self._walked(ask, method, walk, name, types=types):
                    found = [conversation_of(row) for row in page]
                    for one in found:
                        self.saw(one)
                    if name in self._ids:
                        return next(one for one in found if one.name == name)
        raise NotFound(f"There is no channel `#{name}`, or this token may not see it.")

    def like(self, name: str, among: Callable[[Conversation], bool]) -> list[str]:
        """Names of channels, as they were within the last minute, close to one, of those that may be told."""
        names = [one.name for one in self.known_channels() if one.name and among(one)]
        return get_close_matches(name, names, n=3)

    async def direct(self, ask: Asks, person: str) -> Conversation | None:
        """The direct messages with somebody, by their id, if there are any."""
        cursor = ""
        while True:
            page = await ask.get("users.conversations", types="im", limit=PAGE, cursor=cursor or None)
            for row in page["channels"]:
                found = conversation_of(row)
                self.saw(found)
                if found.person == person:
                    return found
            cursor = next_cursor(page)
            if not cursor:
                return None

    async def person(self, ask: Asks, name: str) -> Person:
        """Somebody by their id.

        Raises:
            NotFound: Where there is nobody of that id.
        """
        known = self._people.get(name, _PERSON_HOLDS)
        if known is not None:
            return known
        return self.saw_person((await ask.get("users.info", user=name))["user"])

    async def people(self, ask: Asks, names: Iterable[str]) -> dict[str, Person]:
        """Those of these ids that can be named; the others are missing, and keep their ids.

        A few are asked for one by one; for many the list of users is read on, a page a time.
        """
        wanted = list(dict.fromkeys(name for name in names if name))
        found = self.met(wanted)
        if len(found) == len(wanted):
            return found
        unknown = [name for name in wanted if name not in found]
        if len(unknown) > _ASKED_ONE_BY_ONE and self._walk("users.list").ended_at == float("-inf"):
            await self._one_page_of_people(ask)
            found |= self.met(unknown)
            unknown = [name for name in unknown if name not in found]

        async def look_up(name: str) -> None:
            try:
                found[name] = await self.person(ask, name)
            except NotFound:
                found[name] = Person(name, name, name)
            except ToolFailure:  # a name is worth no failed answer: the id stands in its place
                return

        async with anyio.create_task_group() as tasks:
            for name in unknown[:_MOST_ASKED]:
                tasks.start_soon(look_up, name)
        return found

    def met(self, names: Iterable[str]) -> dict[str, Person]:
        """Those of these ids who can be named without asking."""
        return {name: known for name in names if (known := self._people.get(name, _PERSON_HOLDS))}

    def known_people(self, part: str) -> list[Person]:
        """People that were met before, whose handle or name holds these letters."""
        wanted = part.casefold()
        return [
            one
            for one in self._people.values()
            if wanted in one.handle.casefold() or wanted in one.name.casefold()
        ]

    def known_channels(self) -> list[Conversation]:
        """Conversations that were met within the last minute: one may have been made private since."""
        return list(self._conversations.values(_CONVERSATION_HOLDS))

    async def called(self, ask: Asks, text: str) -> Person:
        """Somebody by id, e-mail address, handle or full name.

        Raises:
            NotFound: Where there is nobody, or more than one.
            UpstreamUnavailable: Where Slack's limit ends the search; it goes on from there next time.
        """
        if "@" in text:
            return self.saw_person((await ask.get("users.lookupByEmail", email=text))["user"])
        wanted = text.casefold()
        known = [
            one for one in self._people.values() if wanted in (one.handle.casefold(), one.name.casefold())
        ]
        by_handle = [one for one in known if one.handle.casefold() == wanted and not one.is_gone]
        if by_handle:
            return by_handle[0]
        # Not everybody can be kept, so each name has a walk of its own: none relies on what another has seen.
        walk = self._walk(f"users.list {wanted}")
        async with self._alone:
            async for page in self._walked(ask, "users.list", walk, text):
                found = [self.saw_person(row) for row in page]
                known += [one for one in found if _is_called(one, wanted)]
                by_handle = [one for one in known if one.handle.casefold() == wanted and not one.is_gone]
                if by_handle:
                    return by_handle[0]
        named = {one.id: one for one in known if not one.is_gone}
        if len(named) == 1:
            return next(iter(named.values()))
        if named:
            choice = ", ".join(f"@{one.handle} ({one.id})" for one in named.values())
            raise NotFound(f"Several people are called `{text[:80]}`: {choice}. Say which by handle or id.")
        raise NotFound(f"There is nobody called `{text[:80]}`; `find_users` looks for parts of names.")

    async def _one_page_of_people(self, ask: Asks) -> None:
        walk = self._walk("users.list")
        try:
            page = await ask.get("users.list", limit=PAGE, cursor=walk.cursor or None)
        except ToolFailure:  # their ids can be looked up one by one instead
            return
        for row in page["members"]:
            self.saw_person(row)
        self._step(walk, page, len(page["members"]))

    async def _walked(
        self, ask: Asks, method: str, walk: _Walk, name: str, **arguments: Any
    ) -> AsyncGenerator[Sequence[Mapping[str, Any]]]:
        """The pages of a list, from where the last walk was cut off; nothing where it ended lately."""
        if not walk.cursor:
            if self._clock() - walk.ended_at < _WALK_HOLDS:
                return
            walk.seen = 0
        while True:
            try:
                page = await ask.get(method, limit=PAGE, cursor=walk.cursor or None, **arguments)
            except UpstreamUnavailable as error:
                error.message = (
                    f"`{name[:80]}` is not among the first {walk.seen:,} that were looked through. "
                    f"{error.message} The search then goes on from there; an id or a link needs none."
                )
                raise
            rows: Sequence[Mapping[str, Any]] = page["members" if method == "users.list" else "channels"]
            self._step(walk, page, len(rows))
            yield rows
            if not walk.cursor:
                return

    def _walk(self, name: str) -> _Walk:
        if name not in self._walks and len(self._walks) >= _MOST_WALKS:
            self._walks.popitem(last=False)
        return self._walks.setdefault(name, _Walk())

    def _step(self, walk: _Walk, page: Mapping[str, Any], rows: int) -> None:
        walk.cursor = next_cursor(page)
        walk.seen += rows
        if not walk.cursor:
            walk.ended_at = self._clock()


def _is_called(one: Person, wanted: str) -> bool:
    return wanted in (one.handle.casefold(), one.name.casefold())


def next_cursor(page: Mapping[str, Any]) -> str:
    """Where a list of Slack's goes on; empty at its end."""
    told: Mapping[str, Any] = page.get("response_metadata") or {}
    return str(told.get("next_cursor") or "")
