"""What tools return, as the protocol's results: text for the model, structure for the program."""

from collections.abc import Mapping
from typing import Any, cast

from pydantic import BaseModel

from ringmain_core.errors import ERROR_META, AnswerTooLarge, ToolFailure

WireResult = dict[str, Any]


class Structure(dict[str, Any]):
    """Structured content that an `Answer` has become: JSON already, which no model has to look through."""


class Answer(BaseModel):
    """Base of what tools return: structured content for programs, and beside it text written for a model."""

    def text(self) -> str:
        """The answer for a model to read. The default is compact JSON; most answers can do better."""
        return self.model_dump_json(exclude_none=True)

    def media(self) -> list[dict[str, Any]]:
        """Content in the protocol's form that goes beside the text, outside its budget: images."""
        return []


def success(value: object, budget: int) -> WireResult:
    """The wire form of what a tool returned.

    Args:
        value: Text, an `Answer`, or a protocol result, as a model or a dict.
        budget: How many bytes may go out. Text beyond it is cut, at a line's end if possible, and says so.

    Raises:
        AnswerTooLarge: Where a structured answer is over its budget: cutting it would break its shape.
    """
    if isinstance(value, str):
        return {"content": [{"type": "text", "text": within(value, budget)}]}
    if isinstance(value, Answer):
        text = value.text()
        size = max(_size(text), len(value.__pydantic_serializer__.to_json(value, exclude_none=True)))
        if size > budget:
            raise AnswerTooLarge(
                f"The answer has {size:,} bytes, the budget is {budget:,}. Ask for less: a smaller `limit`, "
                "less detail, or a narrower filter."
            )
        structured = Structure(value.model_dump(mode="json", exclude_none=True))
        content = [{"type": "text", "text": text}, *value.media()]
        return {"content": content, "structuredContent": structured}
    wire = as_wire(value)
    if wire is None:
        raise TypeError(f"a tool returned {type(value).__name__}; it may return text, an Answer or a result")
    return wire


def as_wire(value: object) -> WireResult | None:
    """A protocol result that a function made itself; `None` where the value is something else."""
    if isinstance(value, BaseModel):
        return value.model_dump(by_alias=True, mode="json", exclude_none=True)
    return dict(cast("Mapping[str, Any]", value)) if isinstance(value, Mapping) else None


def failure(error: ToolFailure, call_id: str) -> WireResult:
    """The wire form of a failure that the model can act on."""
    fields = error.fields() | {"call_id": call_id}
    return {
        "content": [{"type": "text", "text": error.message}],
        "isError": True,
        "_meta": {ERROR_META: fields},
    }


def within(text: str, budget: int) -> str:
    """The text, or what of it fits a budget of bytes: cut at a line's end if possible, and saying so."""
    size = _size(text)
    if size <= budget:
        return text
    kept = text.encode(errors="replace")[:budget].decode(errors="ignore")
    kept = kept[: kept.rfind("\n")] if "\n" in kept else kept
    return f"{kept}\n[truncated: {_size(kept):,} of {size:,} bytes shown; ask for less or for the next part]"


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode(errors="replace"))


def messages(description: str, value: object, budget: int) -> WireResult:
    """The wire form of a prompt's text."""
    message = {"role": "user", "content": {"type": "text", "text": within(cast("str", value), budget)}}
    return {"description": description, "messages": [message]}


def contents(uri: str, mime_type: str, value: object, budget: int) -> WireResult:
    """The wire form of a resource's text or bytes."""
    content: dict[str, Any] = {"uri": uri, "mimeType": mime_type}
    if isinstance(value, bytes):
        import base64

        content["blob"] = base64.b64encode(value).decode()
    else:
        content["text"] = within(cast("str", value), budget)
    return {"contents": [content]}
