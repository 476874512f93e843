"""Idempotency keys under which nothing was done: they are free again, even where the state was away."""

import asyncio
import logging
from collections import OrderedDict
from contextlib import suppress

import anyio

from ringmain_core.state import State, StateUnavailable

_FREED, _FREED_FOR = b"", 60.0
_MOST_OPEN = 1_000
_log = logging.getLogger(__name__)


class FreedKeys:
    """Frees keys. One that cannot be freed now is free for this process at once, for others after the gap.

    What is kept of a key is a value that no other try has.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._open: OrderedDict[str, bytes] = OrderedDict()
        self._task: asyncio.Task[None] | None = None
        state.on_gap(self._after_gap)

    def is_free(self, name: str, kept: bytes) -> bool:
        """Whether what is kept of a key stands for nothing."""
        return kept in (_FREED, self._open.get(name))

    async def free(self, name: str, kept: bytes) -> None:
        """Nothing was done by the try that kept this."""
        with anyio.CancelScope(shield=True):
            try:
                await self._state.replace(name, kept, _FREED, _FREED_FOR)
            except StateUnavailable as error:
                _log.warning("an idempotency key is freed later: %s", error)
                self._remember(name, kept)

    async def free_if_kept(self, name: str, kept: bytes) -> None:
        """The same for a try that does not know whether it was kept: it may yet be."""
        self._remember(name, kept)
        await self.free(name, kept)

    def _remember(self, name: str, kept: bytes) -> None:
        self._open[name] = kept
        if len(self._open) > _MOST_OPEN:
            self._open.popitem(last=False)

    def _after_gap(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._free_all())

    async def _free_all(self) -> None:
        with suppress(StateUnavailable):  # another gap will follow
            for name, kept in tuple(self._open.items()):
                await self._state.replace(name, kept, _FREED, _FREED_FOR)
