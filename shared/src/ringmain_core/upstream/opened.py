"""Puts together what stands between a server and the systems behind it, for the life of a process."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ringmain_core.sealing import KeyRing
from ringmain_core.settings import CoreSettings
from ringmain_core.state import State
from ringmain_core.telemetry.signals import Signals
from ringmain_core.upstream.answers import Answers
from ringmain_core.upstream.background import Background, background
from ringmain_core.upstream.guards import Guards
from ringmain_core.upstream.shared_copies import SharedCopies

if TYPE_CHECKING:
    from ringmain_core.notify import Outages


@dataclass(frozen=True)
class Resilience:
    """By itself it knows no replicas and tells nobody.

    Attributes:
        guards: Makes the connector's guards.
        answers: Keeps answers of reads.
    """

    guards: Guards = field(default_factory=Guards)
    answers: Answers = field(default_factory=Answers)


@asynccontextmanager
async def opened_resilience(
    connector: str, core: CoreSettings, state: State, keys: KeyRing, signals: Signals
) -> AsyncGenerator[Resilience]:
    """Resilience that replicas share and people hear of, until the block ends.

    Raises:
        ConfigurationError: Where RINGMAIN_WEBHOOKS cannot be used.
    """
    async with background() as work:
        outages = _outages(connector, core, state, work) if core.webhooks else None
        guards = Guards(signals=signals, state=state, background=work, outages=outages)
        shared = SharedCopies(state, keys, work) if state.shared else None
        try:
            yield Resilience(guards, Answers(shared=shared, signals=signals))
        finally:
            guards.close()


def _outages(connector: str, core: CoreSettings, state: State, work: Background) -> "Outages":
    from ringmain_core.notify import Outages
    from ringmain_core.webhooks import webhooks

    return Outages(connector, webhooks(core.webhooks), state, work)
