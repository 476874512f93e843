"""`Secret`, the type of settings that hold one, and what a reference in such a setting becomes."""

from contextvars import ContextVar
from typing import Annotated, Protocol

from pydantic import SecretStr, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import PydanticCustomError

from ringmain_core.secrets.reference import Reference, Unresolved, parse


class ManagedSecret(SecretStr):
    """A secret that is kept elsewhere; `get_secret_value()` gives the newest value that is known.

    Two of them are equal only if they are the same object, for their values change.
    """

    def __init__(self, reference: Reference, value: str) -> None:
        super().__init__(value)
        self.reference = reference

    def replace(self, value: str) -> None:
        """From now on this is the value."""
        self._secret_value = value

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


class Reader(Protocol):
    """Whoever opens the references of the settings that are being read."""

    def open(self, text: str) -> SecretStr: ...


reading: ContextVar[Reader | None] = ContextVar("reading", default=None)
"""Set while settings are read. Elsewhere a reference is refused: only an operator may have one followed."""


def _opened(value: object, handler: ValidatorFunctionWrapHandler) -> SecretStr:
    if not isinstance(value, str):
        return handler(value)
    try:
        reader = reading.get()
        if reader is not None:
            return reader.open(value)
        parsed = parse(value)
        if isinstance(parsed, Reference):
            raise Unresolved(f"{parsed} cannot be followed here: only settings of the process may refer")  # noqa: TRY301 (one way out)
    except Unresolved as error:
        raise PydanticCustomError("unresolved_secret", "{why}", {"why": str(error)}) from None
    return SecretStr(parsed)


Secret = Annotated[SecretStr, WrapValidator(_opened)]
"""A setting's secret, or a reference to it: `env:`, `file:`, `vault:`, `aws-sm:`; `value:` escapes.

Constraints (`min_length` …) hold for the value that a reference leads to when the settings are read.
"""
