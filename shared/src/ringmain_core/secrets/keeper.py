"""`Secrets`: the process's secrets that are kept elsewhere, and how they stay up to date."""

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from pydantic import SecretStr

from ringmain_core.secrets.managed import ManagedSecret, reading
from ringmain_core.secrets.reference import Reference, Unresolved, parse
from ringmain_core.secrets.sources import Sources

_log = logging.getLogger(__name__)

_QUIET_SECONDS = 3.0
_SOONEST_SECONDS, _SOONEST_AFTER_FAILURE = 5.0, 15.0


class Secrets:
    """Opens the references in settings, and looks now and then whether they lead to something new.

    Args:
        clock: Monotonic seconds.
        sources: Where references lead.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, sources: Sources | None = None) -> None:
        self._clock = clock
        self._sources = sources or Sources(clock)
        self._managed: dict[Reference, ManagedSecret] = {}
        self._plain: set[str] = set()
        self._failing: set[Reference] = set()
        self._learners: list[Callable[[Iterable[str]], None]] = []
        self._listeners: list[Callable[[], None]] = []
        self._refreshing: asyncio.Task[bool] | None = None
        self._quiet_until = clock()
        self._last_changed = False

    @contextmanager
    def reading(self) -> Generator[None]:
        """While this is entered, references in settings of the type `Secret` are followed, at once.

        It blocks for as long as that takes. What cannot be followed is a fault of its setting.
        """
        token = reading.set(self)
        try:
            yield
        finally:
            reading.reset(token)

    def open(self, text: str) -> SecretStr:
        """The secret that a setting gives, itself or by reference; one reference is one object.

        Raises:
            Unresolved: Naming the reference, where it leads to nothing.
        """
        parsed = parse(text)
        if not isinstance(parsed, Reference):
            self._plain.add(parsed)
            self._teach([parsed])
            return SecretStr(parsed)
        if parsed not in self._managed:
            value = self._sources.resolve([parsed])[parsed]
            if isinstance(value, Unresolved):
                raise Unresolved(f"{parsed}: {value}")
            self._teach([value])
            self._managed[parsed] = ManagedSecret(parsed, value)
        return self._managed[parsed]

    async def refresh(self) -> bool:
        """Follow all references again, and say whether anything is new.

        Whoever asks while this is going on, or within a few seconds after, gets the same answer. What cannot
        be had keeps its last value; that is logged once. It raises nothing.
        """
        if self._refreshing is None or self._refreshing.done():
            if self._clock() < self._quiet_until:
                return self._last_changed
            self._refreshing = asyncio.create_task(self._refresh())
        return await asyncio.shield(self._refreshing)

    async def look(self) -> dict[ManagedSecret, str]:
        """Every secret that is kept elsewhere, and why it cannot be had now (empty where it can)."""
        found = await asyncio.to_thread(self._sources.resolve, list(self._managed))
        return {
            self._managed[reference]: str(value) if isinstance(value, Unresolved) else ""
            for reference, value in found.items()
        }

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Be told, on the event loop, that some secret has a new value; call the result to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def teach(self, learner: Callable[[Iterable[str]], None]) -> None:
        """Tell every value, those there are and those to come, before anybody else gets it: for redaction."""
        self._learners.append(learner)
        learner({*self._plain, *(secret.get_secret_value() for secret in self._managed.values())})

    @asynccontextmanager
    async def kept_fresh(self, every: float) -> AsyncGenerator[None]:
        """Refresh in the background: every so many seconds, or earlier where a login would end."""
        task = asyncio.create_task(self._keep_fresh(every))
        try:
            yield
        finally:
            ending: set[asyncio.Task[Any]] = {task} if self._refreshing is None else {task, self._refreshing}
            for each in ending:
                each.cancel()
            await asyncio.wait(ending)

    async def _keep_fresh(self, every: float) -> None:
        while True:
            await asyncio.sleep(self.pause(every))
            await self.refresh()

    def pause(self, every: float) -> float:
        """Seconds until the next look: a little less than asked for, by chance, so that replicas spread."""
        due = self._sources.due()
        soonest = _SOONEST_AFTER_FAILURE if self._failing else _SOONEST_SECONDS
        seconds = every if due is None else min(every, max(due, soonest))
        return seconds * random.uniform(0.8, 1.0)  # noqa: S311 (nothing secret about it)

    async def _refresh(self) -> bool:
        try:
            found = await asyncio.to_thread(self._sources.resolve, list(self._managed))
            changed = self._adopt(found)
        except Exception:  # noqa: BLE001 (the edge: one bad round must not end all later ones)
            _log.exception("secrets could not be refreshed; the last values stay")
            changed = False
        self._quiet_until = self._clock() + _QUIET_SECONDS
        self._last_changed = changed
        if changed:
            self._tell()
        return changed

    def _adopt(self, found: dict[Reference, str | Unresolved]) -> bool:
        changed: list[Reference] = []
        failed: dict[Reference, str] = {}
        for reference, value in found.items():
            secret = self._managed[reference]
            if isinstance(value, Unresolved):
                failed[reference] = str(value)
            elif value != secret.get_secret_value():
                self._teach([value])
                secret.replace(value)
                changed.append(reference)
        for why in dict.fromkeys(why for reference, why in failed.items() if reference not in self._failing):
            which = [reference for reference in failed if failed[reference] == why]
            _log.warning("%s: %s; the last value stays", _listed(which), why)
        back = self._failing - failed.keys()
        if back:
            _log.info("%s: can be had again", _listed(back))
        if changed:
            _log.info("%s: has a new value", _listed(changed))
        self._failing = set(failed)
        return bool(changed)

    def _tell(self) -> None:
        for listener in list(self._listeners):
            try:
                listener()
            except Exception:  # noqa: BLE001 (the edge: whose secrets they are must not depend on others)
                _log.exception("a listener of changed secrets failed")

    def _teach(self, values: Iterable[str]) -> None:
        for learner in self._learners:
            learner(values)


def _listed(references: Iterable[Reference]) -> str:
    return ", ".join(sorted(str(reference) for reference in references))
