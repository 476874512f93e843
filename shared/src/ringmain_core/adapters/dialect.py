"""What providers' ways of calling functions have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from ringmain_core.adapters.narrow import Narrowed
from ringmain_core.schema import JsonSchema

Wire = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that a model asks for.

    Attributes:
        id: What its result is to be filed under; some providers give none.
        name: Of the function.
        arguments: As the provider hands them over: JSON text, or an object.
    """

    id: str | None
    name: str
    arguments: Any


@dataclass(frozen=True, slots=True)
class Image:
    """An image in a result, in base64."""

    data: str
    mime_type: str


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a call.

    Attributes:
        asked: The call.
        text: For the model.
        images: Beside the text.
        failed: Whether the tool, or who guards it, says that it did not work.
    """

    asked: Asked
    text: str
    images: Sequence[Image] = ()
    failed: bool = False


class Dialect(Protocol):
    """How one provider's API spells functions, calls and results."""

    def narrow(self, schema: Mapping[str, Any]) -> Narrowed:
        """The input schema as this provider understands it."""
        ...

    def tools(self, functions: Sequence[tuple[str, str, JsonSchema]]) -> list[Wire]:
        """The value of `tools` in a request, from names, descriptions and narrowed schemas."""
        ...

    def asked(self, answer: Mapping[str, Any]) -> list[Asked]:
        """The calls in a response, or in the message or content that is in it."""
        ...

    def told(self, results: Sequence[Told]) -> list[Wire]:
        """The messages that follow the model's."""
        ...


def as_json(answer: object) -> Mapping[str, Any]:
    """A provider's answer as JSON, whether it came as that or as an object of the provider's library."""
    if isinstance(answer, Mapping):
        return cast("Mapping[str, Any]", answer)
    dump = getattr(answer, "model_dump", None)
    if dump is None:
        raise TypeError(
            f"{type(answer).__name__} is no answer of a model: hand over the response, as JSON or as the "
            "object of the provider's library"
        )
    return dump(mode="json", by_alias=True, exclude_none=True)


def as_text(told: Told, *, marked: bool = True) -> str:
    """The text of a result; where the provider has no other mark for a failure, it begins with one."""
    return f"Error: {told.text}" if told.failed and marked else told.text
