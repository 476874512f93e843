"""Slack's limits: how often each method may be asked with one token, kept here before Slack has to say no."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_TIERS: Mapping[int, int] = {1: 1, 2: 20, 3: 50, 4: 100}
"""Requests a minute, as Slack publishes them; short bursts are let in."""

_TIER: Mapping[str, int] = {
    "apps.connections.open": 1,
    "assistant.search.context": 2,
    "auth.test": 4,
    "bookmarks.list": 3,
    "canvases.create": 2,
    "canvases.edit": 3,
    "canvases.getContent": 3,
    "canvases.sections.lookup": 3,
    "chat.delete": 3,
    "chat.deleteScheduledMessage": 3,
    "chat.postMessage": 4,
    "chat.scheduleMessage": 3,
    "chat.scheduledMessages.list": 3,
    "chat.update": 3,
    "conversations.archive": 2,
    "conversations.create": 2,
    "conversations.history": 3,
    "conversations.info": 3,
    "conversations.invite": 3,
    "conversations.join": 3,
    "conversations.list": 2,
    "conversations.mark": 3,
    "conversations.members": 4,
    "conversations.open": 3,
    "conversations.replies": 3,
    "conversations.setPurpose": 2,
    "conversations.setTopic": 2,
    "conversations.unarchive": 2,
    "files.completeUploadExternal": 4,
    "files.getUploadURLExternal": 4,
    "files.info": 4,
    "files.list": 3,
    "pins.list": 2,
    "reactions.add": 3,
    "reactions.remove": 2,
    "search.messages": 2,
    "usergroups.list": 2,
    "users.conversations": 3,
    "users.info": 4,
    "users.list": 2,
    "users.lookupByEmail": 3,
}
_MOST_REMEMBERED = 10_000


@dataclass(slots=True)
class _Level:
    """What is left of a method for a token.

    Attributes:
        left: Requests that may go at once.
        at: When that was so.
        closed_until: Slack has asked to be left alone until then.
    """

    left: float
    at: float
    closed_until: float = 0.0


class Limits:
    """Counts the requests of each token and method.

    Slack counts by workspace and app, across everything that uses the token: what it says itself always
    counts more than what is counted here.

    Args:
        factor: How many times the published rates the app is given.
        clock: Seconds.
    """

    def __init__(self, factor: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._factor = factor
        self._clock = clock
        self._levels: OrderedDict[tuple[str, str], _Level] = OrderedDict()

    def take(self, holder: str, method: str) -> float:
        """Count a request that is about to be sent; returns 0, or the seconds that it has to wait, uncounted.

        Args:
            holder: Names the token, without being it.
            method: Of the Web API.
        """
        level, now = self._level(holder, method), self._clock()
        if now < level.closed_until:
            return level.closed_until - now
        most = self._most(method)
        rate = most / 60.0
        level.left = min(most, level.left + (now - level.at) * rate)
        level.at = now
        if level.left < 1.0:
            return (1.0 - level.left) / rate
        level.left -= 1.0
        return 0.0

    def close(self, holder: str, method: str, seconds: float) -> None:
        """Slack wants no request of this method for so long."""
        self._level(holder, method).closed_until = self._clock() + seconds

    def _level(self, holder: str, method: str) -> _Level:
        key = (holder, method)
        level = self._levels.get(key)
        if level is None:
            level = self._levels[key] = _Level(self._most(method), self._clock())
            if len(self._levels) > _MOST_REMEMBERED:
                self._levels.popitem(last=False)
        else:
            self._levels.move_to_end(key)
        return level

    def _most(self, method: str) -> float:
        return _TIERS[_TIER.get(method, 2)] * self._factor
