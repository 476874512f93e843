"""Carries the news that something changed to whoever listens, in this process and in all replicas."""

import json
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from mcp.shared.subscriptions import (
    PromptsListChanged,
    ResourcesListChanged,
    ResourceUpdated,
    ServerEvent,
    ToolsListChanged,
)

from ringmain_core.live.hearing import View
from ringmain_core.state import State, StateUnavailable

_TOPIC = "live"
_LONGEST = 4_096
_log = logging.getLogger(__name__)

LISTS: dict[str, ServerEvent] = {
    "tools": ToolsListChanged(),
    "prompts": PromptsListChanged(),
    "resources": ResourcesListChanged(),
}
"""The event that says that a list shows something else now."""


class Bus:
    """The SDK's `SubscriptionBus`, over the state that replicas share.

    Args:
        state: Carries the messages.
        watched: The URIs that somebody listens to here; after a gap, each of them may have changed.
    """

    def __init__(self, state: State, watched: Callable[[], Iterable[str]]) -> None:
        self._state = state
        self._watched = watched
        self._listeners: dict[object, Callable[[ServerEvent], None]] = {}

    def open(self) -> Callable[[], None]:
        """Begin to hear what other processes publish; call the result to stop."""
        stops = (self._state.subscribe(_TOPIC, self._receive), self._state.on_gap(self._after_gap))

        def stop() -> None:
            for each in stops:
                each()

        return stop

    async def publish(self, event: ServerEvent) -> None:
        """Tell every listener of every replica; where the others are out of reach, those of this process."""
        try:
            await self._state.publish(_TOPIC, _encode(event))
        except StateUnavailable as error:
            _log.warning("a change is told in this process only: %s", error)
            self.tell(event)

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        """Be told of every event, on the event loop; call the result to stop."""
        subscription = object()
        self._listeners[subscription] = listener

        def stop() -> None:
            self._listeners.pop(subscription, None)

        return stop

    def tell(self, event: ServerEvent) -> None:
        """Tell the listeners of this process."""
        for listener in tuple(self._listeners.values()):
            listener(event)

    def _receive(self, message: bytes) -> None:
        event = _decode(message)
        if event is None:
            _log.warning("a message about changes cannot be read: %d bytes", len(message))
        else:
            self.tell(event)

    def _after_gap(self) -> None:
        for uri in tuple(self._watched()):
            self.tell(ResourceUpdated(uri))


def changed(before: View, now: View) -> Iterator[ServerEvent]:
    """The events for the lists that a caller finds changed."""
    return (event for kind, event in LISTS.items() if before[kind] != now[kind])


def _encode(event: ServerEvent) -> bytes:
    if isinstance(event, ResourceUpdated):
        return json.dumps({"updated": event.uri}).encode()
    return json.dumps({"changed": next(kind for kind, known in LISTS.items() if known == event)}).encode()


def _decode(message: bytes) -> ServerEvent | None:
    try:
        value: object = json.loads(message) if len(message) <= _LONGEST else None
    except (ValueError, RecursionError):
        return None
    match cast("dict[str, Any]", value):
        case {"updated": str(uri)}:
            return ResourceUpdated(uri)
        case {"changed": str(kind)}:
            return LISTS.get(kind)
        case _:
            return None
