"""Answers of reads where all replicas find them, sealed."""

import json
import logging
import time
from collections.abc import Callable, Sequence

from ringmain_core.sealing import KeyRing, NotSealedHere
from ringmain_core.state import State, StateUnavailable
from ringmain_core.upstream.background import Background
from ringmain_core.upstream.cache import Copy

_PURPOSE = "cache"
_log = logging.getLogger(__name__)


class SharedCopies:
    """The second level of the cache: what one replica was answered serves all. JSON only.

    Without the shared state each replica goes on with its own copies.

    Args:
        keys: Seal the copies; each is bound to its key.
        background: Puts them there, so that no call waits for it.
        clock: The clock of `Copy.made`.
        wall: Seconds since 1970, which replicas agree on.
    """

    def __init__(
        self,
        state: State,
        keys: KeyRing,
        background: Background,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._state = state
        self._keys = keys
        self._background = background
        self._clock = clock
        self._wall = wall

    async def get(self, key: str) -> Copy | None:
        """The copy of a key, if there is one that we have sealed."""
        try:
            sealed = await self._state.get(_name(key))
            if sealed is None:
                return None
            opened = self._keys.open(_PURPOSE, key, sealed)
        except (StateUnavailable, NotSealedHere):
            return None
        kept = json.loads(opened)
        age = max(0.0, self._wall() - kept["made"])
        return Copy(kept["result"], self._clock() - age, len(opened), tuple(kept["readings"]))

    def put(self, key: str, encoded: bytes, readings: Sequence[str], seconds: float) -> None:
        """Keep an answer that was made just now, as JSON."""

        async def put() -> None:
            kept = b'{"made":%r,"readings":%s,"result":%s}' % (
                self._wall(),
                json.dumps(list(readings)).encode(),
                encoded,
            )
            try:
                await self._state.put(_name(key), self._keys.seal(_PURPOSE, key, kept), seconds)
            except StateUnavailable as error:
                _log.debug("an answer is not shared: %s", error)

        self._background.start(put, "sharing an answer")


def _name(key: str) -> str:
    return f"cache:{key}"
