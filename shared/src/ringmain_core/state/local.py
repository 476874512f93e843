"""State for one process: values in a file of SQLite, meters and messages in memory."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ringmain_core.state import Exceeded, Quota, StateUnavailable
from ringmain_core.state.meters import LocalMeters
from ringmain_core.state.topics import Topics

if TYPE_CHECKING:
    from ringmain_core.state.values import Values

T = TypeVar("T")


class LocalState:
    """`State` without anything beside the process. The file is made when the first value is asked for.

    Several processes may use one file: they see each other's values, but not meters and messages.

    Args:
        path: The file; `None` keeps the values in memory.
        clock: The time of day, for the values' ages.
        meters: For limits; by default new ones.
    """

    shared = False

    def __init__(
        self,
        path: Path | None = None,
        *,
        clock: Callable[[], float] = time.time,
        meters: LocalMeters | None = None,
    ) -> None:
        self._path = path
        self._clock = clock
        self.meters = LocalMeters() if meters is None else meters
        self._topics = Topics()
        self._thread: ThreadPoolExecutor | None = None
        self._values: Values | None = None
        self._trouble = ""

    async def get(self, key: str) -> bytes | None:
        return await self._in_thread(lambda values: values.get(key))

    async def put(self, key: str, value: bytes, ttl: float, *, only_if_absent: bool = False) -> bool:
        return await self._in_thread(lambda values: values.put(key, value, ttl, only_if_absent))

    async def replace(self, key: str, old: bytes, new: bytes, ttl: float) -> bool:
        return await self._in_thread(lambda values: values.replace(key, old, new, ttl))

    async def delete(self, key: str) -> None:
        await self._in_thread(lambda values: values.delete(key))

    async def admit(self, quotas: Sequence[Quota], lease: str, lease_seconds: float) -> Exceeded | None:
        return self.meters.admit(quotas, lease, lease_seconds)

    async def release(self, quotas: Sequence[Quota], lease: str) -> None:
        self.meters.release(quotas, lease)

    async def publish(self, topic: str, message: bytes) -> None:
        self._topics.tell(topic, message)

    def subscribe(self, topic: str, listener: Callable[[bytes], None]) -> Callable[[], None]:
        return self._topics.subscribe(topic, listener)

    def on_gap(self, listener: Callable[[], None]) -> Callable[[], None]:  # noqa: ARG002 (there is never one)
        return lambda: None

    def trouble(self) -> str:
        return self._trouble

    async def close(self) -> None:
        """Give the file back; a later use would open it again."""
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.get_running_loop().run_in_executor(thread, self._close)
            thread.shutdown()

    async def _in_thread(self, do: "Callable[[Values], T]") -> T:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "ringmain-state")
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._do, do)

    def _do(self, do: "Callable[[Values], T]") -> T:
        from ringmain_core.state.values import Values

        try:
            if self._values is None:
                self._values = Values(self._path, self._clock)
            result = do(self._values)
        except StateUnavailable as error:
            self._trouble = str(error)
            raise
        self._trouble = ""
        return result

    def _close(self) -> None:
        values, self._values = self._values, None
        if values is not None:
            values.close()
