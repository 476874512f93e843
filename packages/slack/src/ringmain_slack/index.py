"""The search index: SQLite in a thread of its own, begun anew where its file cannot be used."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ringmain_core.errors import UpstreamUnavailable

if TYPE_CHECKING:
    from ringmain_slack.index_store import Store

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Index:
    """Opens the file when it is first used.

    Args:
        path: The file, which several processes may share; `None` keeps everything in memory.
        most: Messages that are kept.
    """

    def __init__(self, path: Path | None, most: int) -> None:
        self._path = path
        self._most = most
        self._store: Store | None = None
        self._thread: ThreadPoolExecutor | None = None

    async def use(self, work: "Callable[[Store], T]") -> T:
        """Do something with the messages that are kept, in the thread.

        Raises:
            UpstreamUnavailable: Where the file cannot be written, or another process writes for too long.
        """
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="ringmain-slack-index")
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: self._used(work))

    async def close(self) -> None:
        """Give the file back; a later use would open it again."""
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.get_running_loop().run_in_executor(thread, self._close)
            thread.shutdown()

    def _used(self, work: "Callable[[Store], T]") -> T:
        import sqlite3

        from ringmain_slack.index_file import OtherVersion, set_aside

        try:
            try:
                return work(self._opened())
            except (OtherVersion, sqlite3.DatabaseError) as error:
                if self._path is None or isinstance(error, sqlite3.OperationalError):
                    raise
                _log.warning("the search index was set aside and is begun anew: %s", error)
                self._close()
                set_aside(self._path)
                return work(self._opened())
        except (sqlite3.OperationalError, OSError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            _log.warning("the search index cannot be used: %s", why)
            raise UpstreamUnavailable(
                "The search index cannot be used now: another process may be writing to it. Try again soon."
            ) from error

    def _opened(self) -> "Store":
        from ringmain_slack.index_file import opened
        from ringmain_slack.index_store import Store

        if self._store is None:
            self._store = Store(opened(self._path), self._most)
        return self._store

    def _close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None
