"""A program that shows something: its steps, what it says when one fails, and its exit status."""

from collections.abc import Callable
from contextlib import ExitStack

from showing.failed import reason_of
from showing.interrupts import stopping_on_signals
from showing.terminal import Terminal

_INTERRUPTED = 130


def status_of(terminal: Terminal, steps: Callable[[ExitStack], None]) -> int:
    """Go through the steps and return the exit status; what they opened is closed by then."""
    try:
        with ExitStack() as opened, stopping_on_signals():
            steps(opened)
    except KeyboardInterrupt:
        terminal.say("\nStopped; everything is cleaned up.")
        return _INTERRUPTED
    except Exception as error:  # noqa: BLE001 (whatever it is, it is what the person is told)
        terminal.failed(reason_of(error))
        return 1
    return 0
