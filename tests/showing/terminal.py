"""What a show prints: headings, calls, answers that are cut and say so; colours only on a terminal."""

import json
import os
import signal
import sys
import textwrap
import time
from collections.abc import Mapping
from typing import Any

_WIDTH = 110
_LONGEST_WORD, _LONGEST_TEXT = 60, 400
_BOLD, _DIM, _RED, _GREEN, _CYAN = "1", "2", "31", "32", "36"


class Terminal:
    """Writes to standard output, line by line.

    Args:
        name: Of the show, for its end.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self._started = time.monotonic()
        self._parts = 0
        self._is_gone = False

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self._started

    def heading(self, title: str) -> None:
        """Begin a part."""
        self._parts += 1
        line = f"{self._parts}. {title} "
        self._write("")
        self._write(f"{line:─<{_WIDTH - 9}} {self.seconds:5.1f} s", _BOLD)

    def say(self, text: str) -> None:
        """A sentence or two of our own."""
        for line in text.splitlines():
            self._write(line)

    def question(self, text: str) -> None:
        """Why the next call is made."""
        self._write("")
        self._write(text, _BOLD)

    def call(self, name: str, arguments: Mapping[str, Any]) -> None:
        """A call as the client makes it."""
        brief = {key: _brief(value) for key, value in arguments.items()}
        shown = json.dumps(brief, ensure_ascii=False) if arguments else ""
        self._wrapped(f"→ {name} {shown}", _CYAN)

    def command(self, line: str) -> None:
        """A command as an operator types it."""
        self._write("")
        self._wrapped(f"$ {line}", _CYAN)

    def answer(
        self, text: str, lines: int = 12, *, refused: bool = False, seconds: float | None = None
    ) -> None:
        """An answer as the model reads it: its first lines, how many there are, and how long it took."""
        everything = text.splitlines()
        for line in everything[:lines]:
            self._write(f"  │ {_cut(line, _WIDTH + 30)}", _RED if refused else _DIM)
        said = [] if seconds is None else [f"{seconds:.2f} s"]
        if len(everything) > lines:
            said.append(f"{lines} of {len(everything)} lines are shown here; the model gets them all.")
        if said:
            self._write(f"  └ {', '.join(said)}", _DIM)

    def verbatim(self, text: str) -> None:
        """Something to copy."""
        for line in text.splitlines():
            self._write(line, _GREEN)

    def checked(self, text: str) -> None:
        """What was found to be right."""
        self._write(f"  ✓ {text}", _GREEN)

    def failed(self, text: str) -> None:
        """Why the show ends here."""
        self._write("")
        self._write(f"The {self._name} failed. {text}", _RED)

    def _wrapped(self, text: str, colour: str) -> None:
        for line in textwrap.wrap(text, _WIDTH, subsequent_indent="    ", break_on_hyphens=False):
            self._write(line, colour)

    def _write(self, line: str, colour: str = "") -> None:
        if self._is_gone:
            return
        shown = f"\033[{colour}m{line}\033[0m" if self._colours and colour and line else line
        try:
            sys.stdout.write(f"{shown}\n")
            sys.stdout.flush()
        except OSError:  # the terminal was closed, or who read the pipe has gone: the same as hanging up
            self._is_gone = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left goes nowhere
            signal.raise_signal(signal.SIGHUP)


def _brief(value: object) -> object:
    """A cursor without its greater part, which nobody reads; of a long text the beginning."""
    if not isinstance(value, str):
        return value
    if " " not in value and len(value) > _LONGEST_WORD:
        return f"{value[:24]}…"
    return _cut(value, _WIDTH) if len(value) > _LONGEST_TEXT else value


def _cut(line: str, most: int) -> str:
    return line if len(line) <= most else f"{line[:most]}… (+{len(line) - most:,} characters)"
