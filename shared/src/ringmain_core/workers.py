"""`serve --workers N`: one process that starts the others, and starts again those that die."""

import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable

from ringmain_core.errors import ConfigurationError
from ringmain_core.settings import CoreSettings

_STOP_SECONDS = 24.0
_EARLY_SECONDS = 5.0  # a worker that ends sooner has not settled
_EARLY_WINDOW = 60.0
_MOST_EARLY = 5
_FIRST_PAUSE, _LAST_PAUSE = 0.1, 5.0
_FAILED, _MISCONFIGURED = 1, 2

_log = logging.getLogger(__name__)


def check_workers(core: CoreSettings) -> None:
    """Refuse settings that mean something only within one process.

    Raises:
        ConfigurationError: Says which.
    """
    if sys.platform == "win32":
        raise ConfigurationError(
            "RINGMAIN_WORKERS: Windows cannot fork. Leave it at 1 and put several servers behind a balancer."
        )
    if core.redis_url is None:
        raise ConfigurationError(
            f"RINGMAIN_WORKERS={core.workers} would let everybody do {core.workers} times what policy says. "
            "Set RINGMAIN_REDIS_URL, where workers count together."
        )
    if core.audit in ("stdout", "stderr"):
        raise ConfigurationError(
            f"RINGMAIN_AUDIT={core.audit}: workers would write into each other's lines. Write to a file, or "
            "leave RINGMAIN_WORKERS at 1."
        )
    if core.sessions:
        raise ConfigurationError(
            "RINGMAIN_SESSIONS: a session lives in one worker, and any of them may be asked. Leave it unset, "
            "or RINGMAIN_WORKERS at 1."
        )
    if core.legacy_sse:
        raise ConfigurationError(
            "RINGMAIN_LEGACY_SSE: its connections live in one worker, and any of them may be asked. Leave it "
            "off, or RINGMAIN_WORKERS at 1."
        )


if sys.platform != "win32":
    _HEARD = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM}

    def become_worker(
        count: int, listener: socket.socket, *, on_hangup: Callable[[], None], say: Callable[[str], None]
    ) -> Callable[[str], None]:
        """Fork, and return in the workers; where it was called, it stays and looks after them.

        SIGTERM and SIGINT end all of them, those that take longer than 24 s by force; SIGHUP is passed on.
        It must be called before there are threads or an event loop.

        Args:
            count: How many there shall be.
            listener: What they accept connections from; this process gives it back when it is told to stop.
            on_hangup: Called here, too, so that a worker started later knows what the others know.

            say: What a worker wants to say.

        Returns:
            In a worker: `say`, but heard from one of them only.

        Raises:
            SystemExit: At the end, where it was called: 0 if it was told to stop and all went in order.
        """
        supervisor = _Supervisor(count, listener, on_hangup)
        gc.freeze()  # so that memory stays shared: the collector would write to all of it
        if not supervisor.started_all() and not supervisor.look_after():
            raise SystemExit(supervisor.status)
        return lambda line: say(line) if supervisor.take_token() else None

    class _Supervisor:
        """Everything happens in `look_after`, between signals: none is handled at a moment of its own."""

        def __init__(self, count: int, listener: socket.socket, on_hangup: Callable[[], None]) -> None:
            self.status = 0
            self._count = count
            self._listener = listener
            self._on_hangup = on_hangup
            self._began: dict[int, float] = {}
            self._early: list[float] = []
            self._due: list[float] = []
            self._end_by: float | None = None
            # Nothing is ever written to the first: it ends when this process does. The other holds one byte.
            self._lifeline, self._life = os.pipe()
            self._token, write_token = os.pipe()
            os.write(write_token, b"1")
            os.close(write_token)
            signal.signal(signal.SIGCHLD, lambda _, __: None)  # where it is ignored, it would not wake us
            signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)

        def started_all(self) -> bool:
            """Start the first workers; True in each of them."""
            return any(self._start() for _ in range(self._count))

        def look_after(self) -> bool:
            """Wait for signals until all workers are gone; True in workers that are started here."""
            while self._began or self._due:
                self._set_timer()
                match signal.sigwait(_HEARD):
                    case signal.SIGCHLD:
                        self._reap()
                    case signal.SIGALRM:
                        if self._at_the_time():
                            return True
                    case signal.SIGHUP:
                        self._on_hangup()
                        self._tell(signal.SIGHUP)
                    case signal.SIGINT if self._end_by is not None:
                        self._end_by = time.monotonic()  # a person who asks twice
                    case _ if self._end_by is None:
                        self._stop()
                    case _:
                        pass
            return False

        def take_token(self) -> bool:
            """True in one worker, once."""
            return os.read(self._token, 1) != b""

        def _start(self) -> bool:
            pid = os.fork()
            if pid != 0:
                self._began[pid] = time.monotonic()
                return False
            os.setpgid(0, 0)  # Ctrl-C in a terminal goes to the supervisor alone, which passes it on
            os.close(self._life)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGHUP, lambda _, __: self._on_hangup())  # until the event loop has its own
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEARD)
            threading.Thread(target=_end_with, args=[self._lifeline], daemon=True).start()
            return True

        def _set_timer(self) -> None:
            times = [*self._due, *([] if self._end_by is None else [self._end_by])]
            wait = max(min(times) - time.monotonic(), 0.001) if times else 0.0
            signal.setitimer(signal.ITIMER_REAL, wait)

        def _at_the_time(self) -> bool:
            now = time.monotonic()
            if self._end_by is not None and now >= self._end_by:
                _log.error("%d workers do not end and are killed", len(self._began))
                self.status = _FAILED
                self._tell(signal.SIGKILL)
                self._end_by = now + _STOP_SECONDS
            while self._due and min(self._due) <= now:
                self._due.remove(min(self._due))
                if self._start():
                    return True
            return False

        def _reap(self) -> None:
            for pid, began in tuple(self._began.items()):
                ended, status = os.waitpid(pid, os.WNOHANG)
                if ended:
                    del self._began[pid]
                    if self._end_by is None:
                        self._replace(pid, os.waitstatus_to_exitcode(status), time.monotonic() - began)

        def _replace(self, pid: int, code: int, lived: float) -> None:
            now = time.monotonic()
            self._early = [at for at in self._early if now - at < _EARLY_WINDOW]
            if lived < _EARLY_SECONDS:
                self._early.append(now)
            if code == _MISCONFIGURED or len(self._early) >= _MOST_EARLY:
                _log.error("worker %d ended with %d after %.1f s; it is no use to go on", pid, code, lived)
                self.status = _MISCONFIGURED if code == _MISCONFIGURED else _FAILED
                self._stop()
                return
            pause = min(_FIRST_PAUSE * 2 ** len(self._early), _LAST_PAUSE) if self._early else 0.0
            _log.error(
                "worker %d ended with %d after %.1f s; another takes its place in %.1f s",
                *(pid, code, lived, pause),
            )
            self._due.append(now + pause)

        def _stop(self) -> None:
            self._listener.close()
            self._due.clear()
            self._end_by = time.monotonic() + _STOP_SECONDS
            self._tell(signal.SIGTERM)

        def _tell(self, what: signal.Signals) -> None:
            for pid in self._began:
                os.kill(pid, what)

    def _end_with(lifeline: int) -> None:
        """In a worker: end when the supervisor is no more, however it went."""
        os.read(lifeline, 1)
        os.kill(os.getpid(), signal.SIGTERM)
