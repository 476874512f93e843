"""Makes the guards of a process, and lets them hear of each other and people hear of them."""

import json
import logging
import secrets
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from ringmain_core.state import State, StateUnavailable
from ringmain_core.telemetry.signals import BreakerState, NoSignals, Signals
from ringmain_core.upstream.breaker import Breaker, Tripping
from ringmain_core.upstream.bulkhead import Bulkhead
from ringmain_core.upstream.guard import Guard
from ringmain_core.upstream.retries import Retries
from ringmain_core.upstream.trouble import Classify

if TYPE_CHECKING:
    from ringmain_core.notify import Outages
    from ringmain_core.upstream.background import Background

_log = logging.getLogger(__name__)


class Guards:
    """One for the process; a connector asks it for a guard of each system behind it.

    Args:
        state: Where breakers tell each other, if replicas share it.
        background: Does the telling.
        outages: Tells people.
    """

    def __init__(
        self,
        *,
        signals: Signals | None = None,
        state: State | None = None,
        background: "Background | None" = None,
        outages: "Outages | None" = None,
    ) -> None:
        self._signals = signals or NoSignals()
        self._state = state
        self._background = background
        self._outages = outages
        self._stops: list[Callable[[], None]] = []
        self._name = secrets.token_hex(8)

    def guard(
        self,
        system: str,
        classify: Classify,
        *,
        at_once: int = 16,
        retries: Retries | None = None,
        tripping: Tripping | None = None,
    ) -> Guard:
        """The guard of a system.

        Args:
            system: From settings, never from arguments; one guard for each name.
            classify: What the exceptions of its library mean.
            at_once: Calls side by side, threads included.
            retries: Where the usual ones will not do.
            tripping: When its breaker opens, where the usual will not do.
        """
        breaker = Breaker(
            tripping or Tripping(), lambda state, news: self._changed(breaker, system, state, news)
        )
        if self._state is not None and self._state.shared:
            self._stops.append(self._state.subscribe(_topic(system), partial(self._hear, breaker)))
        guard = Guard(
            system,
            classify,
            breaker,
            Bulkhead(at_once),
            retries=retries,
            signals=self._signals,
            on_answer=None if self._outages is None else partial(self._outages.over, system),
        )
        self._stops.append(guard.close)
        return guard

    def close(self) -> None:
        """Stop listening to other replicas, and let all threads end."""
        for stop in self._stops:
            stop()
        self._stops.clear()

    def _changed(self, breaker: Breaker, system: str, state: BreakerState, news: bool) -> None:
        self._signals.breaker(system, state)
        if state == "half_open":
            return
        if state == "open":
            _log.warning("%s does not answer: no calls for %.1f s", system, breaker.opens_in)
        else:
            _log.info("%s answers again", system)
        if news:
            self._tell(system, {"by": self._name, "state": state, "seconds": breaker.opens_in})
            if self._outages is not None:
                (self._outages.begun if state == "open" else self._outages.over)(system)

    def _tell(self, system: str, message: dict[str, Any]) -> None:
        state = self._state
        if state is None or not state.shared or self._background is None:
            return

        async def publish() -> None:
            try:
                await state.publish(_topic(system), json.dumps(message).encode())
            except StateUnavailable as error:
                _log.warning("other replicas were not told of %s: %s", system, error)

        self._background.start(publish, f"telling other replicas of {system}")

    def _hear(self, breaker: Breaker, message: bytes) -> None:
        try:
            said = json.loads(message)
        except ValueError:
            return
        match cast("object", said):
            case {"by": self._name}:
                pass
            case {"state": "open", "seconds": int() | float() as seconds} if seconds > 0:
                breaker.hear_open(seconds)
            case {"state": "closed"}:
                breaker.hear_closed()
            case _:
                pass


def _topic(system: str) -> str:
    return f"breaker:{system}"
