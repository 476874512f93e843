"""Gemini: function declarations of the Gemini API and of Vertex AI, in their part of OpenAPI's schemas."""

from collections.abc import Mapping, Sequence
from typing import Any

from ringmain_core.adapters.dialect import Asked, Told, Wire
from ringmain_core.adapters.narrow import Narrowed, Subset, narrowed
from ringmain_core.adapters.plain import described
from ringmain_core.schema import JsonSchema

_NUMERIC = frozenset({"minimum", "maximum"})

SUBSET = Subset(
    keywords={
        "string": frozenset({"minLength", "maxLength", "pattern"}),
        "number": _NUMERIC,
        "integer": _NUMERIC,
        "array": frozenset({"minItems", "maxItems"}),
        "object": frozenset({"minProperties", "maxProperties"}),
    },
    formats={
        "string": frozenset({"date-time"}),
        "number": frozenset({"float", "double"}),
        "integer": frozenset({"int32", "int64"}),
    },
    all_required=False,
    text_enums=True,
    levels=32,
)
"""What a declaration takes: the Gemini API reference, "Schema". It ignores `default`."""


class Gemini:
    """`generateContent` of the Gemini API and of Vertex AI."""

    def narrow(self, schema: Mapping[str, Any]) -> Narrowed:
        fit = narrowed(schema, SUBSET)
        return Narrowed(_spelled(fit.schema), fit.restore)

    def tools(self, functions: Sequence[tuple[str, str, JsonSchema]]) -> list[Wire]:
        declarations: list[Wire] = []
        for name, description, schema in functions:
            declaration = {"name": name, "description": description, "parameters": schema}
            if not schema["properties"]:  # an object without properties is refused
                del declaration["parameters"]
            declarations.append(declaration)
        return [{"functionDeclarations": declarations}]

    def asked(self, answer: Mapping[str, Any]) -> list[Asked]:
        content = answer["candidates"][0].get("content", {}) if "candidates" in answer else answer
        calls = [part["functionCall"] for part in content.get("parts", ()) if "functionCall" in part]
        return [Asked(call.get("id"), call["name"], call.get("args", {})) for call in calls]

    def told(self, results: Sequence[Told]) -> list[Wire]:
        parts = [{"functionResponse": _response(result)} for result in results]
        return [{"role": "user", "parts": parts}] if results else []


def _response(result: Told) -> Wire:
    response: Wire = {
        "name": result.asked.name,
        "response": {"error" if result.failed else "output": result.text},
    }
    if result.asked.id is not None:
        response["id"] = result.asked.id
    if result.images:
        response["parts"] = [
            {"inlineData": {"mimeType": image.mime_type, "data": image.data}} for image in result.images
        ]
    return response


def _spelled(schema: JsonSchema) -> JsonSchema:
    """A narrowed schema in OpenAPI's spelling: types in capitals, `nullable`, all objects closed."""
    if "anyOf" in schema:
        return _alternatives(schema)
    kinds = [schema["type"]] if isinstance(schema["type"], str) else list(schema["type"])
    spelled: JsonSchema = {
        key: value for key, value in schema.items() if key not in ("type", "additionalProperties", "required")
    }
    spelled["type"] = kinds[0].upper()
    if "null" in kinds[1:]:
        spelled["nullable"] = True
    if "enum" in spelled:
        spelled["format"] = "enum"
    if "items" in spelled:
        spelled["items"] = _spelled(spelled["items"])
    if "properties" in spelled:
        spelled["properties"] = {name: _spelled(one) for name, one in spelled["properties"].items()}
    if schema.get("required"):
        spelled["required"] = schema["required"]
    return spelled


def _alternatives(schema: JsonSchema) -> JsonSchema:
    """`anyOf`, beside which Vertex AI takes nothing: its description goes into each alternative."""
    rest = [one for one in schema["anyOf"] if one != {"type": "null"}]
    about = schema.get("description", "")
    spelled = [described(_spelled(one), about) for one in rest]
    if len(rest) < len(schema["anyOf"]):
        spelled = [one | {"nullable": True} for one in spelled]
    return spelled[0] if len(spelled) == 1 else {"anyOf": spelled}
