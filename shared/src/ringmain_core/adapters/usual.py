"""One spelling for what JSON Schema can say in several: one type, `enum`, and `anyOf`."""

from typing import Any, cast

from ringmain_core.adapters.plain import described, in_words, overlaid
from ringmain_core.schema import JsonSchema

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}
_NUMERIC = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "format"})
_BELONGING: dict[str, frozenset[str]] = {
    "object": frozenset(
        {"properties", "required", "additionalProperties", "patternProperties", "propertyNames"}
        | {"minProperties", "maxProperties", "unevaluatedProperties", "dependentRequired", "dependentSchemas"}
    ),
    "array": frozenset({"items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"}),
    "string": frozenset({"minLength", "maxLength", "pattern", "format", "contentEncoding"}),
    "integer": _NUMERIC,
    "number": _NUMERIC,
}
_OF_SOME_TYPE = frozenset[str]().union(*_BELONGING.values())


def usual(schema: JsonSchema) -> JsonSchema:
    """The schema with `anyOf` and no type, or with one type, or with neither where it says neither."""
    schema = dict(schema)
    if "const" in schema:
        schema["enum"] = [schema.pop("const")]
    if "oneOf" in schema and "anyOf" not in schema:
        schema["anyOf"] = schema.pop("oneOf")
    parts = cast("list[Any]", schema.get("allOf", ()))
    if len(parts) == 1 and isinstance(parts[0], dict):
        del schema["allOf"]
        return usual(overlaid(cast("JsonSchema", parts[0]), schema))
    if "anyOf" in schema and {"type", "properties"} & set(schema):
        schema = described(
            schema, in_words({"anyOf": schema.pop("anyOf")})
        )  # it only narrows the type further
    if "anyOf" in schema:
        return schema
    kinds = schema.get("type") or _kinds_of(schema)
    if isinstance(kinds, str):
        return schema | {"type": kinds}
    return _split(schema, cast("list[str]", kinds)) if kinds else schema


def suits(value: Any, schema: JsonSchema) -> bool:
    """Whether a value has the shape that a narrowed schema says; limits on texts and numbers do not count."""
    if "anyOf" in schema:
        return any(suits(value, one) for one in schema["anyOf"])
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    if not any(is_of(value, kind) for kind in kinds):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if isinstance(value, list):
        return all(suits(item, schema["items"]) for item in cast("list[Any]", value))
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        properties: dict[str, JsonSchema] = schema["properties"]
        return set(schema["required"]) <= set(members) <= set(properties) and all(
            suits(member, properties[name]) for name, member in members.items()
        )
    return True


def is_of(value: Any, kind: str) -> bool:
    """Whether a value is of a type; a truth value is no number."""
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _kinds_of(schema: JsonSchema) -> str | list[str] | None:
    """The types of a schema that leaves them to be guessed."""
    if "enum" in schema:
        kinds = list(dict.fromkeys(_kind_of(choice) for choice in schema["enum"]))
        return kinds[0] if len(kinds) == 1 else kinds
    for kind in ("object", "array"):
        if _BELONGING[kind] & set(schema):
            return kind
    return None


def _kind_of(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return next(kind for kind, types in _TYPES.items() if isinstance(value, types))


def _split(schema: JsonSchema, kinds: list[str]) -> JsonSchema:
    """Alternatives of one type each, with what belongs to it."""
    alternatives: list[JsonSchema] = []
    for kind in kinds:
        own = {key: value for key, value in schema.items() if key in _BELONGING.get(kind, ())}
        choices = [choice for choice in schema.get("enum", ()) if is_of(choice, kind)]
        if choices and kind != "null":
            own["enum"] = choices
        if choices or "enum" not in schema:
            alternatives.append({"type": kind, **own})
    shared = {
        key: value
        for key, value in schema.items()
        if key not in _OF_SOME_TYPE and key not in ("type", "enum")
    }
    return {**shared, "anyOf": alternatives}
