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
    """A sentence for the terminal; of several failures at once, the first."""
    if isinstance(error, BaseExceptionGroup):
        return reason_of(cast("BaseExceptionGroup[BaseException]", error).exceptions[0])
    return str(error) if isinstance(error, Failed) else f"{type(error).__name__}: {error}"


def is_interrupt(error: BaseException) -> bool:
    """Whether it is Ctrl-C or a signal like it, by itself or as a task group passes it on."""
    if isinstance(error, BaseExceptionGroup):
        return error.subgroup(KeyboardInterrupt) is not None
    return isinstance(error, KeyboardInterrupt)
