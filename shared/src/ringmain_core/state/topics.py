"""Who listens to which topic in this process."""

import logging
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Topics:
    """Listeners by topic. One that fails is logged, and keeps nothing from the others."""

    def __init__(self) -> None:
        self._listeners: dict[str, dict[object, Callable[[bytes], None]]] = {}

    def subscribe(self, topic: str, listener: Callable[[bytes], None]) -> Callable[[], None]:
        """Add a listener; call the result to remove it."""
        subscription = object()
        self._listeners.setdefault(topic, {})[subscription] = listener

        def stop() -> None:
            listeners = self._listeners.get(topic, {})
            listeners.pop(subscription, None)
            if not listeners:
                self._listeners.pop(topic, None)

        return stop

    def tell(self, topic: str, message: bytes) -> None:
        """Tell everybody who listens to a topic now."""
        for listener in tuple(self._listeners.get(topic, {}).values()):
            try:
                listener(message)
            except Exception:  # noqa: BLE001 (the edge between users of the state who do not know each other)
                _log.exception("a listener of %r failed", topic)
