"""What one process at a time may have open: opened for use, closed when it is idle or others wait."""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from ringmain_vector.stores.edge_lock import Busy, ProcessLock

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Times:
    """How long is waited for what, in seconds.

    Attributes:
        idle: Unused for so long, it is closed.
        hold: So long it stays open though others wait, or busy processes would do nothing but open it.
        patience: So long a use waits for its turn.
        tick: So often is looked whether others wait.
    """

    idle: float = 1.0
    hold: float = 0.3
    patience: float = 10.0
    tick: float = 0.02


class Lease(Generic[T]):
    """Lets the threads of a process use one open thing, any number at once or one alone.

    Whoever wants to be alone goes before those who come later, and then those who waited meanwhile go. A
    thread of its own closes the thing; it runs only while the thing is open.

    Args:
        lock: Kept while it is open.
        opened: Opens it; whatever it raises reaches who wanted to use it.
        closed: Closes it.
        times: How long is waited for what.
    """

    def __init__(
        self, lock: ProcessLock, opened: Callable[[], T], closed: Callable[[T], None], times: Times
    ) -> None:
        self._lock = lock
        self._opened = opened
        self._closed = closed
        self._times = times
        self._changed = threading.Condition()
        self._open: list[T] = []  # one, or none
        self._changing = False  # a thread is opening or closing it
        self._leaving = False  # nobody may come in until it has been closed
        self._users = 0
        self._alone = False
        self._want_alone = 0
        self._want_together = 0
        self._before_alone = 0  # so many of those who want it together go before the next one alone
        self._since = 0.0
        self._used = 0.0

    @contextmanager
    def together(self) -> Generator[T]:
        """Use it while others do, too.

        Raises:
            Busy: There was no turn in time.
        """
        deadline = time.monotonic() + self._times.patience
        with self._changed:
            self._want_together += 1
            try:
                thing = self._enter(deadline, self._may_join)
                self._users += 1
            finally:
                self._want_together -= 1
                self._before_alone = max(0, self._before_alone - 1)
                self._changed.notify_all()
        try:
            yield thing
        finally:
            with self._changed:
                self._users -= 1
                self._left()

    @contextmanager
    def alone(self) -> Generator[T]:
        """Use it while nobody else does.

        Raises:
            Busy: There was no turn in time.
        """
        deadline = time.monotonic() + self._times.patience
        with self._changed:
            self._want_alone += 1
            try:
                thing = self._enter(deadline, self._may_be_alone)
                self._alone = True
            finally:
                self._want_alone -= 1
                self._changed.notify_all()
        try:
            yield thing
        finally:
            with self._changed:
                self._alone = False
                self._before_alone = self._want_together
                self._left()

    def give_back(self) -> None:
        """Have it closed as soon as nobody uses it, and wait for that. A later use opens it again."""
        with self._changed:
            if self._open:
                self._leaving = True
                self._changed.notify_all()
            self._changed.wait_for(lambda: not self._open and not self._changing)

    def _may_join(self) -> bool:
        return not self._alone and (not self._want_alone or self._before_alone > 0)

    def _may_be_alone(self) -> bool:
        return not self._alone and not self._users and not self._before_alone

    def _enter(self, deadline: float, may_enter: Callable[[], bool]) -> T:
        while True:
            if not self._open and not self._changing:
                self._open_it(deadline)
            if self._open and not self._leaving and may_enter():
                return self._open[0]
            left = deadline - time.monotonic()
            if left <= 0:
                raise Busy("this process")
            self._changed.wait(left)

    def _open_it(self, deadline: float) -> None:
        self._changing = True
        self._changed.release()  # it may take long, and others have to be able to give up
        try:
            self._lock.acquire(deadline)
            try:
                thing = self._opened()
            except BaseException:
                self._lock.release()
                raise
        finally:
            self._changed.acquire()
            self._changing = False
            self._changed.notify_all()
        self._open.append(thing)
        self._since = self._used = time.monotonic()
        threading.Thread(target=self._close_in_time, name="ringmain-lease", daemon=True).start()

    def _left(self) -> None:
        self._used = time.monotonic()
        self._changed.notify_all()

    def _close_in_time(self) -> None:
        with self._changed:
            while not self._may_close():
                self._changed.wait(self._times.tick)
            thing = self._open.pop()
            self._changing = True
        try:
            self._closed(thing)
        finally:
            self._lock.release()
            with self._changed:
                self._changing = self._leaving = False
                self._changed.notify_all()

    def _may_close(self) -> bool:
        now = time.monotonic()
        if now - self._since >= self._times.hold and self._lock.is_wanted():
            self._leaving = True
        is_idle = now - self._used >= self._times.idle and not self._want_alone
        return not self._users and not self._alone and (self._leaving or is_idle)
