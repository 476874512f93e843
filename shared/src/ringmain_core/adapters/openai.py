"""OpenAI: functions of Chat Completions and of Responses, in strict mode too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ringmain_core.adapters.dialect import Asked, Told, Wire, as_text
from ringmain_core.adapters.narrow import Narrowed, Subset, narrowed
from ringmain_core.adapters.plain import described, plain
from ringmain_core.schema import JsonSchema

_NUMERIC = frozenset({"multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"})

STRICT = Subset(
    keywords={
        "string": frozenset({"pattern"}),
        "number": _NUMERIC,
        "integer": _NUMERIC,
        "array": frozenset({"minItems", "maxItems"}),
    },
    formats={
        "string": frozenset(
            {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
        )
    },
    all_required=True,
    text_enums=False,
    levels=10,
)
"""What strict mode takes: OpenAI's guide "Structured model outputs", section "Supported schemas"."""

_MOST_DESCRIPTION = 1024
"""Characters; what is longer is refused by some models and by Azure."""


@dataclass(frozen=True, slots=True)
class _OpenAI:
    strict: bool

    def narrow(self, schema: Mapping[str, Any]) -> Narrowed:
        return narrowed(schema, STRICT) if self.strict else Narrowed(plain(schema))

    def _function(self, name: str, description: str, schema: JsonSchema) -> Wire:
        kept, more = _shortened(description)
        return {
            "name": name,
            "description": kept,
            "parameters": described(schema, more),
            "strict": self.strict,
        }


class Chat(_OpenAI):
    """Chat Completions, which many other providers offer, too."""

    def tools(self, functions: Sequence[tuple[str, str, JsonSchema]]) -> list[Wire]:
        return [{"type": "function", "function": self._function(*function)} for function in functions]

    def asked(self, answer: Mapping[str, Any]) -> list[Asked]:
        message = answer["choices"][0]["message"] if "choices" in answer else answer
        return [
            Asked(call["id"], call["function"]["name"], call["function"]["arguments"])
            for call in message.get("tool_calls") or ()
            if "function" in call
        ]

    def told(self, results: Sequence[Told]) -> list[Wire]:
        return [
            {"role": "tool", "tool_call_id": result.asked.id, "content": _with_notes(result)}
            for result in results
        ]


class Responses(_OpenAI):
    """Responses, where results can hold images."""

    def tools(self, functions: Sequence[tuple[str, str, JsonSchema]]) -> list[Wire]:
        return [{"type": "function", **self._function(*function)} for function in functions]

    def asked(self, answer: Mapping[str, Any]) -> list[Asked]:
        return [
            Asked(item["call_id"], item["name"], item["arguments"])
            for item in answer["output"]
            if item["type"] == "function_call"
        ]

    def told(self, results: Sequence[Told]) -> list[Wire]:
        return [
            {"type": "function_call_output", "call_id": result.asked.id, "output": _output(result)}
            for result in results
        ]


def _shortened(description: str) -> tuple[str, str]:
    """What of a description fits, up to the end of a line or sentence, and the rest."""
    if len(description) <= _MOST_DESCRIPTION:
        return description, ""
    start = description[:_MOST_DESCRIPTION]
    end = max(start.rfind("\n"), start.rfind(". ") + 1, 0) or start.rfind(" ") + 1 or _MOST_DESCRIPTION
    return description[:end].rstrip(), description[end:].lstrip()


def _with_notes(result: Told) -> str:
    """The text of a result where images have no place, with a word about each."""
    notes = [f"[an image, {image.mime_type}, which this API cannot show you]" for image in result.images]
    return "\n".join(part for part in (as_text(result), *notes) if part)


def _output(result: Told) -> str | list[Wire]:
    text = as_text(result)
    if not result.images:
        return text
    shown = [{"type": "input_text", "text": text}] if text else []
    return shown + [
        {"type": "input_image", "image_url": f"data:{image.mime_type};base64,{image.data}"}
        for image in result.images
    ]
