"""The end of a process that does not end by itself: a thread that hangs cannot be told to stop."""

import logging
import os
import threading

GONE_WITHIN = 25.0
"""Seconds from the signal on, whatever hangs; whoever sends it, waits for longer before using force."""

_log = logging.getLogger(__name__)


def exit_after(seconds: float, status: int, why: str) -> threading.Timer:
    """End this process in so many seconds, whatever it does then; `cancel()` calls that off."""

    def end() -> None:
        _log.error("ended by force: %s", why)
        os._exit(status)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    return timer
