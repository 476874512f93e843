"""The audit log as the server sees it: append, append durably, close."""

import asyncio
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from ringmain_core.audit.errors import AuditUnavailable
from ringmain_core.audit.file_sink import FileSink
from ringmain_core.audit.keys import AuditKey
from ringmain_core.audit.record import AuditRecord
from ringmain_core.audit.sinks import NoSink, Sink, StreamSink

DEFAULT_MAX_BYTES = 256 * 1024 * 1024
_STREAMS = {"stdout": 1, "stderr": 2}


class Stats(NamedTuple):
    """`healthy` is for readiness: False from a failed write until one succeeds, and for good after a failed
    sync.
    """

    written: int
    last_seq: int
    healthy: bool
    reason: str


class AuditLog:
    """A tamper-evident log; `verify_files` says what it can prove.

    A record that was appended survives the death of the process. An `intent` also survives the loss of power;
    of the others, power loss may take those of the last second, and the verifier then reports them as
    missing.
    """

    def __init__(self, sink: Sink, sync_interval: float) -> None:
        self._sink = sink
        self._interval = sync_interval
        self._mutex = threading.Lock()
        self._wake = threading.Condition(self._mutex)
        self._thread: threading.Thread | None = None
        self._waiters: list[Future[None]] = []
        self._dirty = False
        self._closed = False
        self._written = 0
        self._failed = 0
        self._reason = ""
        self._sync_failure = ""

    @classmethod
    def open(
        cls,
        path: Path,
        key: AuditKey,
        *,
        old_keys: tuple[AuditKey, ...] = (),
        max_bytes: int | None = DEFAULT_MAX_BYTES,
        sync_interval: float = 1.0,
    ) -> Self:
        """The log in `path`, continued or begun. `old_keys` made the records before this key. Sizes in bytes.

        Windows cannot rename an open file, so `max_bytes` has no effect there.
        """
        try:
            return cls(FileSink(path, key, old_keys, max_bytes), sync_interval)
        except OSError as error:
            raise AuditUnavailable(f"The audit log {path} cannot be opened: {error.strerror}.") from error

    @classmethod
    def on_stream(cls, stream: Literal["stdout", "stderr"], key: AuditKey) -> Self:
        """On a stdio transport stdout belongs to the protocol: never choose it there."""
        try:
            return cls(StreamSink(_STREAMS[stream], key), 1.0)
        except OSError as error:
            raise AuditUnavailable(
                f"The audit log cannot be written to {stream}: {error.strerror}."
            ) from error

    @classmethod
    def none(cls) -> Self:
        return cls(NoSink(), 1.0)

    def append(self, record: AuditRecord) -> None:
        """Hands the record to the operating system. Raises `AuditUnavailable`: then refuse the call."""
        values = _set_values(record)
        with self._mutex:
            self._write(values)

    async def append_durable(self, record: AuditRecord) -> None:
        """Like `append`, and returns when the record is on the disk, without blocking the event loop."""
        values = _set_values(record)
        synced: Future[None] = Future()
        with self._mutex:
            self._write(values)
            self._waiters.append(synced)
            self._wake.notify()
        await asyncio.wrap_future(synced)

    def head(self) -> bytes:
        """The sealed head, to be kept elsewhere: it proves later that nothing was cut off before it."""
        with self._mutex:
            return self._sink.head()

    @property
    def stats(self) -> Stats:
        chain = self._sink.chain
        reason = self._sync_failure or self._reason
        return Stats(self._written, chain.seq if chain else 0, not reason, reason)

    def close(self) -> None:
        """Syncs what is written. Raises `AuditUnavailable` if that fails."""
        with self._mutex:
            if self._closed:
                return
            self._closed = True
            self._wake.notify()
        if self._thread:
            self._thread.join()
        self._sink.close()
        if self._sync_failure:
            raise AuditUnavailable(self._sync_failure)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, values: dict[str, Any]) -> None:
        if self._closed:
            raise AuditUnavailable("The audit log is closed.")
        if self._sync_failure:
            raise AuditUnavailable(self._sync_failure)
        try:
            if self._failed:
                self._resume()
            self._sink.write(values)
        except (OSError, AuditUnavailable) as error:
            self._failed += 1
            self._reason = f"The audit log cannot be written: {getattr(error, 'strerror', None) or error}"
            self._begin_syncing()
            raise AuditUnavailable(self._reason) from error
        self._written += 1
        if not self._dirty:
            self._begin_syncing()

    def _resume(self) -> None:
        self._sink.write({"phase": "recovery", "detail": {"failed_writes": self._failed}})
        self._failed = 0
        self._reason = ""

    def _begin_syncing(self) -> None:
        self._dirty = True
        if self._thread is None:
            self._thread = threading.Thread(target=self._keep_synced, name="ringmain-audit", daemon=True)
            self._thread.start()
        self._wake.notify()

    def _keep_synced(self) -> None:
        synced_at = 0.0
        while True:
            with self._mutex:
                self._wake.wait_for(lambda: self._dirty or self._waiters or self._closed)
                pause = synced_at + self._interval - time.monotonic()
                self._wake.wait_for(lambda: self._waiters or self._closed, timeout=max(0.0, pause))
                # Readiness keeps traffic away from an unhealthy server, so it must find out by itself that
                # all is well.
                if self._failed and not self._closed:
                    self._try_to_resume()
                self._dirty = bool(self._failed)
                closing = self._closed
                waiters = [each for each in self._waiters if each.set_running_or_notify_cancel()]
                self._waiters.clear()
            self._sync(waiters)
            synced_at = time.monotonic()
            if closing:
                return

    def _try_to_resume(self) -> None:
        try:
            self._resume()
        except (OSError, AuditUnavailable) as error:
            self._reason = f"The audit log cannot be written: {getattr(error, 'strerror', None) or error}"

    def _sync(self, waiters: list[Future[None]]) -> None:
        try:
            self._sink.sync()
        except OSError as error:
            # For good: after a failed sync the kernel may drop the pages and report success the next time.
            self._sync_failure = f"The audit log could not be brought to disk: {error.strerror}"
        for waiter in waiters:
            if self._sync_failure:
                waiter.set_exception(AuditUnavailable(self._sync_failure))
            else:
                waiter.set_result(None)


def _set_values(record: AuditRecord) -> dict[str, Any]:
    return {name: value for name, value in record.items() if value is not None}
