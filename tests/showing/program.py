"""A program that shows something: its steps, what it says when one fails, and its exit status."""

from collections.abc import Callable
from contextlib import ExitStack

from showing.failed import is_interrupt, reason_of
from showing.surroundings import stopping_on_signals
from showing.terminal import Terminal

_INTERRUPTED = 130


def status_of(terminal: Terminal, steps: Callable[[ExitStack], None]) -> int:
    """Go through the steps and return the exit status; what they opened is closed by then."""
    try:
        with ExitStack() as opened, stopping_on_signals():
            steps(opened)
    except BaseException as error:
        if is_interrupt(error):
            terminal.say("\nStopped; everything is cleaned up.")
            return _INTERRUPTED
        if not isinstance(error, Exception):
            raise
        terminal.failed(reason_of(error))
        return 1
    return 0
