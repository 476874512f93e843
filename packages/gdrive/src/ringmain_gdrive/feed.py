"""Drive's changes for everybody who listens: one poll at a time, however many wait for it."""

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import anyio

from ringmain_core.errors import NotFound, UpstreamRefused
from ringmain_core.live.pauses import Pauses
from ringmain_gdrive.api import GDrive
from ringmain_gdrive.changes import Change, changes_since, start_of

PAUSES = (5.0, 60.0)
"""The first and the longest pause between two polls, in seconds."""

_OWN = ""  # the log of the account itself
_MOST_KEPT = 5_000
_STALE = 900.0  # seconds without a listener after which the feed begins anew


class Feed:
    """The changes that the process' own account sees, in their order.

    Google keeps a log for each person and one for each shared drive, and some changes in a shared drive are
    in its own only. Who listens has a number: of the last change that it has heard. Whoever waits for more
    first asks Drive, the others are told what comes. Drive's token is given up only for the one at the end of
    its pages, so that nothing between two polls is lost, whatever fails.
    """

    def __init__(self, gdrive: GDrive, clock: Callable[[], float] = time.monotonic) -> None:
        self._gdrive = gdrive
        self._clock = clock
        self._pauses = Pauses(*PAUSES)
        self._logs: dict[str, _Log] = {}
        self._waiting = Counter[str]()
        self._heard: deque[Change] = deque(maxlen=_MOST_KEPT)
        self._number = 0
        self._alone = anyio.Lock()

    async def begin(self, *drives: str) -> int:
        """The number from which on everything will be heard; asked before anything is read.

        Args:
            drives: The shared drives whose logs are read, too, where the account is a member.
        """
        async with self._alone:
            await self._open(_OWN)
            for drive in drives:
                with suppress(NotFound, UpstreamRefused):  # what is shared from elsewhere is in the own log
                    await self._open(drive)
        return self._number

    async def after(self, number: int, *drives: str) -> tuple[int, Sequence[Change] | None]:
        """Wait for changes after a number; `None` where some may have been missed: then begin again."""
        self._waiting.update(drives)
        try:
            while self._number == number:
                async with self._alone:
                    if self._number == number:
                        await anyio.sleep(self._pauses.next())
                        await self._ask()
        finally:
            self._waiting.subtract(drives)
        missed = self._number - number
        if missed > len(self._heard):
            return self._number, None
        return self._number, list(self._heard)[-missed:]

    async def _open(self, drive: str) -> None:
        log, now = self._logs.get(drive), self._clock()
        if log is None or now - log.asked_at > _STALE:
            self._logs[drive] = _Log(await start_of(self._gdrive, drive or None), now, now)

    async def _ask(self) -> None:
        for drive, log in list(self._logs.items()):
            now = self._clock()
            if drive == _OWN or self._waiting[drive]:
                log.wanted_at = now
            elif now - log.wanted_at > _STALE:
                del self._logs[drive]
                continue
            try:
                found = await self._since(drive, log)
            except (NotFound, UpstreamRefused):  # too old, or no member any more: what it had to tell is lost
                del self._logs[drive]
                self._heard.clear()
                self._number += 1
                continue
            if found:
                self._heard.extend(found)
                self._number += len(found)
                self._pauses.changed()

    async def _since(self, drive: str, log: "_Log") -> Sequence[Change]:
        token, found = log.token, list[Change]()
        while True:
            page = await changes_since(self._gdrive, token, drive or None)
            found += page.changes
            token = page.following
            if not page.is_partial:
                break
        log.token, log.asked_at = token, self._clock()
        return found


@dataclass(slots=True)
class _Log:
    """Attributes: wanted_at: When somebody last waited for it."""

    token: str
    asked_at: float
    wanted_at: float
