"""JSON schemas as models should see them: small, flat, without what pydantic adds for programs."""

from collections.abc import Mapping
from typing import Any, cast

from pydantic import BaseModel

JsonSchema = dict[str, Any]
_NULL: JsonSchema = {"type": "null"}


def slim_schema(model: type[BaseModel], mode: str = "validation") -> JsonSchema:
    """A model's schema without titles, null alternatives, null defaults and references.

    Args:
        model: The pydantic model.
        mode: `validation` for what comes in, `serialization` for what goes out.
    """
    schema = model.model_json_schema(mode="serialization" if mode == "serialization" else "validation")
    if mode == "serialization":
        _excuse_null(schema)
    definitions = cast("dict[str, JsonSchema]", schema.pop("$defs", {}))
    return cast("JsonSchema", _slim(schema, definitions, ()))


def _excuse_null(node: Any) -> None:
    """Answers leave out what is null, so that what can be null is not required."""
    if isinstance(node, list):
        for item in cast("list[Any]", node):
            _excuse_null(item)
    elif isinstance(node, dict):
        node = cast("JsonSchema", node)
        properties = node.get("properties")
        if isinstance(properties, dict) and isinstance(node.get("required"), list):
            shown = cast("dict[str, JsonSchema]", properties)
            node["required"] = [n for n in node["required"] if _NULL not in shown[n].get("anyOf", ())]
        for item in node.values():
            _excuse_null(item)


def _slim(node: Any, definitions: Mapping[str, JsonSchema], within: tuple[str, ...]) -> Any:
    if isinstance(node, list):
        return [_slim(item, definitions, within) for item in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    node = cast("JsonSchema", node)
    if "$ref" in node:
        name = str(node["$ref"]).rpartition("/")[2]
        if name in within:
            return {"type": "object"}  # a recursive model: deeper levels are described in words
        siblings = {key: value for key, value in node.items() if key != "$ref"}
        return _slim(definitions[name] | siblings, definitions, (*within, name))
    slim: JsonSchema = {}
    for key, value in node.items():
        if key == "title" and isinstance(value, str):
            continue
        if key == "discriminator" or (key == "default" and value is None):
            continue
        if key == "properties":
            properties = cast("dict[str, Any]", value)
            slim[key] = {
                name: _slim(property_, definitions, within) for name, property_ in properties.items()
            }
        elif key in ("default", "examples", "enum", "const"):
            slim[key] = value
        else:
            slim[key] = _slim(value, definitions, within)
    return _without_null(slim)


def _without_null(schema: JsonSchema) -> JsonSchema:
    alternatives = cast("list[JsonSchema] | None", schema.get("anyOf"))
    if alternatives is None:
        return schema
    rest = [alternative for alternative in alternatives if alternative != _NULL]
    outer = {key: value for key, value in schema.items() if key != "anyOf"}
    if len(rest) == 1:
        return rest[0] | outer
    return outer | {"anyOf": rest}
