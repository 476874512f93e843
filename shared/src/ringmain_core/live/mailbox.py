"""What waits to be told to one client."""

import anyio
from mcp.shared.subscriptions import ServerEvent


class Mailbox:
    """Events in order, each once at a time: they say that something changed, not what or how often.

    So it never holds more than there are things to hear of, however slowly its client reads.
    """

    def __init__(self) -> None:
        self._waiting: dict[ServerEvent, None] = {}
        self._woken = anyio.Event()
        self._closed = False

    @property
    def is_closed(self) -> bool:
        """Whether nothing more will come."""
        return self._closed

    def put(self, event: ServerEvent) -> None:
        """Add an event, unless it waits already."""
        if not self._closed:
            self._waiting[event] = None
            self._woken.set()

    def close(self) -> None:
        """Take no more; what waits can still be had."""
        self._closed = True
        self._woken.set()

    def take(self) -> ServerEvent | None:
        """The oldest event, or `None` where none waits."""
        event = next(iter(self._waiting), None)
        if event is not None:
            del self._waiting[event]
        return event

    async def wait(self) -> None:
        """Wait until there is something to take, or the end has come."""
        while not self._waiting and not self._closed:
            self._woken = anyio.Event()
            await self._woken.wait()
