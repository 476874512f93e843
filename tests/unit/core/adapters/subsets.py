"""What each provider takes as a function, as schemas of such definitions, after the providers' own pages.

Limits that a JSON schema cannot say are checked by `faults_of`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import jsonschema

validator: Any = jsonschema.Draft202012Validator
NAME = {"type": "string", "pattern": "^[a-zA-Z0-9_-]{1,64}$"}
TEXT = {"type": "string"}
COUNT = {"type": "integer", "minimum": 0}
NUMBER = {"type": "number"}
NAMES = {"type": "array", "items": TEXT, "uniqueItems": True}


def closed(required: Sequence[str], /, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def typed(name: str, needs: Sequence[str] = (), /, **more: Any) -> dict[str, Any]:
    """A node of one type, or of that type and null."""
    kind = {"enum": [name, [name, "null"]]}
    return closed(("type", *needs), type=kind, description=TEXT, **more)


NODE = {"$ref": "#/$defs/node"}
NUMERIC = dict.fromkeys(("multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"), NUMBER)
FORMATS = ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"]
STRICT_OBJECT = typed(
    "object",
    ("properties", "required", "additionalProperties"),
    properties={"type": "object", "additionalProperties": NODE},
    required=NAMES,
    additionalProperties={"const": False},
)
STRICT_ROOT = {"$ref": "#/$defs/object", "properties": {"type": {"const": "object"}}}
STRICT_DEFS = {
    "object": STRICT_OBJECT,
    "node": {
        "anyOf": [
            typed("string", pattern=TEXT, format={"enum": FORMATS}, enum={"type": "array", "items": TEXT}),
            typed("number", **NUMERIC, enum={"type": "array", "items": NUMBER}),
            typed("integer", **NUMERIC, enum={"type": "array", "items": {"type": "integer"}}),
            typed("boolean", enum={"type": "array", "items": {"type": "boolean"}}),
            closed(("type",), type={"const": "null"}, description=TEXT),
            typed("array", ("items",), items=NODE, minItems=COUNT, maxItems=COUNT),
            {"$ref": "#/$defs/object"},
            closed(("anyOf",), anyOf={"type": "array", "items": NODE, "minItems": 2}, description=TEXT),
        ]
    },
}
ANY_ROOT: dict[str, Any] = {
    "$ref": "https://json-schema.org/draft/2020-12/schema",
    "properties": {"type": {"const": "object"}},
    "required": ["type"],
    "not": {"anyOf": [{"required": [key]} for key in ("oneOf", "anyOf", "allOf", "enum", "not")]},
}


def function(parameters: Any, *, strict: bool) -> dict[str, Any]:
    return {
        "name": NAME,
        "description": {"type": "string", "maxLength": 1024},
        "parameters": parameters,
        "strict": {"const": strict},
    }


def of_chat(parameters: Any, *, strict: bool) -> dict[str, Any]:
    fields = function(parameters, strict=strict)
    return closed(("type", "function"), type={"const": "function"}, function=closed(list(fields), **fields))


def of_responses(parameters: Any, *, strict: bool) -> dict[str, Any]:
    fields = function(parameters, strict=strict)
    return closed(("type", *fields), type={"const": "function"}, **fields)


def listed(one: dict[str, Any], defs: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "array", "items": one, "$defs": dict(defs or {})}


GEMINI_NODE = {
    "anyOf": [
        closed(
            ("type",),
            type={"const": "STRING"},
            description=TEXT,
            nullable={"type": "boolean"},
            format={"enum": ["enum", "date-time"]},
            enum={"type": "array", "items": TEXT, "minItems": 1},
            pattern=TEXT,
            minLength=COUNT,
            maxLength=COUNT,
        ),
        *(
            closed(
                ("type",),
                type={"const": kind},
                description=TEXT,
                nullable={"type": "boolean"},
                format={"enum": formats},
                minimum=NUMBER,
                maximum=NUMBER,
            )
            for kind, formats in (("NUMBER", ["float", "double"]), ("INTEGER", ["int32", "int64"]))
        ),
        closed(("type",), type={"const": "BOOLEAN"}, description=TEXT, nullable={"type": "boolean"}),
        closed(("type",), type={"const": "NULL"}, description=TEXT),
        closed(
            ("type", "items"),
            type={"const": "ARRAY"},
            description=TEXT,
            nullable={"type": "boolean"},
            items=NODE,
            minItems=COUNT,
            maxItems=COUNT,
        ),
        {"$ref": "#/$defs/object"},
        closed(("anyOf",), anyOf={"type": "array", "items": NODE, "minItems": 2}),
    ]
}
GEMINI_OBJECT = closed(
    ("type", "properties"),
    type={"const": "OBJECT"},
    description=TEXT,
    nullable={"type": "boolean"},
    properties={"type": "object", "additionalProperties": NODE, "minProperties": 1},
    required=NAMES,
    minProperties=COUNT,
    maxProperties=COUNT,
)

SUBSETS: dict[str, dict[str, Any]] = {
    # OpenAI: reference "Create chat completion" and "Create a response", guide "Structured model outputs".
    "openai": listed(of_chat(ANY_ROOT, strict=False)),
    "openai-strict": listed(of_chat(STRICT_ROOT, strict=True), STRICT_DEFS),
    "openai-responses": listed(of_responses(ANY_ROOT, strict=False)),
    "openai-responses-strict": listed(of_responses(STRICT_ROOT, strict=True), STRICT_DEFS),
    # Anthropic: "Define tools", and what its API says to schemas with alternatives at the root.
    "anthropic": listed(
        closed(("name", "description", "input_schema"), name=NAME, description=TEXT, input_schema=ANY_ROOT)
    ),
    # Google: Gemini API reference, "FunctionDeclaration" and "Schema"; Vertex AI on `anyOf`.
    "gemini": listed(
        closed(
            ("functionDeclarations",),
            functionDeclarations={
                "type": "array",
                "items": closed(
                    ("name", "description"),
                    name={"type": "string", "pattern": "^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$"},
                    description=TEXT,
                    parameters={"$ref": "#/$defs/object"},
                ),
            },
        ),
        {"node": GEMINI_NODE, "object": GEMINI_OBJECT},
    ),
}


def faults_of(dialect: str, tools: Any) -> list[str]:
    """What a provider would refuse about the value of `tools`."""
    faults = [
        f"{'/'.join(str(part) for part in error.absolute_path)}: {error.message[:300]}"
        for error in validator(SUBSETS[dialect]).iter_errors(tools)
    ]
    for schema, level in _objects(tools, 0):
        if dialect.endswith("strict") and list(schema["properties"]) != schema["required"]:
            faults.append(f"not all of {list(schema['properties'])} are required")
        closes = dialect == "gemini" or dialect.endswith("strict")
        if closes and not set(schema.get("required", ())) <= set(schema["properties"]):
            faults.append(f"{schema['required']} are not all there")
        if dialect.endswith("strict") and level > 10:
            faults.append("objects stand too deep in each other")
        faults += [
            f"{name!r} is no name of a property"
            for name in schema["properties"]
            if dialect == "anthropic" and not _is_name(name)
        ]
    return faults + [f"there is a reference to {reference}" for reference in _references(tools)]


def _is_name(name: str) -> bool:
    return re.fullmatch("[a-zA-Z0-9_.-]{1,64}", name) is not None


def _references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [found for item in cast("list[Any]", node) for found in _references(item)]
    if not isinstance(node, dict):
        return []
    schema = cast("dict[str, Any]", node)
    own = [schema["$ref"]] if isinstance(schema.get("$ref"), str) else []
    return own + [found for value in schema.values() for found in _references(value)]


def _objects(node: Any, level: int) -> Iterator[tuple[dict[str, Any], int]]:
    """Every schema of an object that has properties, and how many it stands in, itself included."""
    if isinstance(node, list):
        for item in cast("list[Any]", node):
            yield from _objects(item, level)
    elif isinstance(node, dict):
        schema = cast("dict[str, Any]", node)
        if isinstance(schema.get("properties"), dict) and "type" in schema:
            level += 1
            yield schema, level
        for value in schema.values():
            yield from _objects(value, level)
