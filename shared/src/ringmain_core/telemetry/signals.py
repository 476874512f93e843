"""What the parts of a server report of their work, whoever counts it."""

from typing import Literal, Protocol

UpstreamOutcome = Literal["ok", "failed", "refused", "timeout", "rejected"]
"""Of one try: answered, broke, answered with an error of its own, took too long, not tried at all."""

BreakerState = Literal["closed", "open", "half_open"]
CacheResult = Literal["hit", "miss", "joined", "stale"]


class Signals(Protocol):
    """Told of everything that is worth counting, as it happens. Implementations are cheap and never raise.

    `system` names what is behind a connector (`postgres:crm`), from settings, never from arguments.
    """

    def upstream(self, system: str, outcome: UpstreamOutcome, seconds: float) -> None:
        """One try of a call to the system behind."""

    def retry(self, system: str) -> None:
        """A try after one that failed."""

    def breaker(self, system: str, state: BreakerState) -> None:
        """The breaker's state has changed to this."""

    def cache(self, name: str, result: CacheResult) -> None:
        """One look into a declaration's cache; `joined` waited for somebody else's answer."""


class NoSignals:
    """Counts nothing."""

    def upstream(self, system: str, outcome: UpstreamOutcome, seconds: float) -> None: ...
    def retry(self, system: str) -> None: ...
    def breaker(self, system: str, state: BreakerState) -> None: ...
    def cache(self, name: str, result: CacheResult) -> None: ...
