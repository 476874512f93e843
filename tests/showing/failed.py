"""What a step that did not go as it should says."""

from typing import cast


class Failed(Exception):
    """The sentence says which step, and what came instead."""


def expect(holds: object, otherwise: str) -> None:
    """Go on if something holds.

    Raises:
        Failed: With the sentence given, if it does not.
    """
    if not holds:
        raise Failed(otherwise)


def reason_of(error: BaseException) -> str:
    """A sentence for the terminal."""
    cause = _cause_of(error)
    return str(cause) if isinstance(cause, Failed) else f"{type(cause).__name__}: {cause}"


def _cause_of(error: BaseException) -> BaseException:
    """Of what a task group passes on, the first failure."""
    if isinstance(error, BaseExceptionGroup):
        return _cause_of(cast("BaseExceptionGroup[BaseException]", error).exceptions[0])
    return error
