"""Drive's changes for everybody who listens: one poll at a time, however many wait for it."""

import time
from collections import deque
from collections.abc import Callable, Sequence

import anyio

from ringmain_core.errors import UpstreamRefused
from ringmain_core.live.pauses import Pauses
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.changes import Change, changes_since, start_of

PAUSES = (5.0, 60.0)
"""The first and the longest pause between two polls, in seconds."""

_MOST_KEPT = 5_000
_STALE = 900.0  # seconds without a listener after which the feed begins anew


class Feed:
    """The changes that the process' own account sees, in their order.

    Who listens has a number: of the last change that it has heard. Whoever waits for more first asks Drive,
    the others are told what comes. Drive's token is given up only for the one at the end of its pages, so
    that nothing between two polls is lost, whatever fails.
    """

    def __init__(self, gdrive: GDrive, clock: Callable[[], float] = time.monotonic) -> None:
        self._gdrive = gdrive
        self._clock = clock
        self._pauses = Pauses(*PAUSES)
        self._token = ""
        self._heard: deque[Change] = deque(maxlen=_MOST_KEPT)
        self._number = 0
        self._asked_at = float("-inf")
        self._alone = anyio.Lock()

    async def begin(self) -> int:
        """The number from which on everything will be heard; asked before anything is read."""
        async with self._alone:
            if not self._token or self._clock() - self._asked_at > _STALE:
                self._token = await start_of(self._gdrive)
                self._asked_at = self._clock()
        return self._number

    async def after(self, number: int) -> tuple[int, Sequence[Change] | None]:
        """Wait for changes after a number; `None` where some may have been missed."""
        while self._number == number:
            async with self._alone:
                if self._number == number:
                    await anyio.sleep(self._pauses.next())
                    await self._ask()
        missed = self._number - number
        if missed > len(self._heard):
            return self._number, None
        return self._number, list(self._heard)[-missed:]

    async def _ask(self) -> None:
        token, found = self._token, list[Change]()
        while True:
            try:
                page = await changes_since(self._gdrive, token)
            except UpstreamRefused:  # too old: where it has led is not known any more
                self._token = ""
                raise
            found += page.changes
            token = page.following
            if not page.is_partial:
                break
        self._token, self._asked_at = token, self._clock()
        if found:
            self._heard.extend(found)
            self._number += len(found)
            self._pauses.changed()
