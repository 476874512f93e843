"""What is exported is what each provider takes: every tool of every connector, and any schema at all."""

import json
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as some

from contract.discover import connectors
from ringmain_core.adapters import DIALECTS, exported
from ringmain_core.connector import AnyConnector
from unit.core.adapters.subsets import SUBSETS, faults_of

VIEWS = [
    pytest.param(view, id=f"{name}.{version}")
    for name, connector in connectors().items()
    for version, view in connector.views.items()
]


def test_every_dialect_has_its_subset() -> None:
    assert list(SUBSETS) == list(DIALECTS)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("connector", VIEWS)
def test_every_tool_of_every_connector_is_taken(connector: AnyConnector, dialect: str) -> None:
    tools = exported(connector.name, [tool.listing() for tool in connector.tools], dialect)
    assert faults_of(dialect, tools) == []
    declared = tools[0]["functionDeclarations"] if dialect == "gemini" else tools
    named = [tool.get("function", tool)["name"] for tool in declared]
    assert named == [tool.name for tool in connector.tools]


@pytest.mark.parametrize("connector", VIEWS)
def test_no_word_of_a_description_and_no_limit_is_lost(connector: AnyConnector) -> None:
    for tool in connector.tools:
        for dialect in DIALECTS:
            text = json.dumps(exported("x", [tool.listing()], dialect), ensure_ascii=False)
            for words in _said(tool.listing()["inputSchema"]):
                assert json.dumps(words, ensure_ascii=False)[1:-1] in text, (tool.name, dialect, words)


def _said(node: Any) -> list[str]:
    """Descriptions, names, choices, and numbers other than the usual ones."""
    if isinstance(node, list):
        return [word for item in cast("list[Any]", node) for word in _said(item)]
    if not isinstance(node, dict):
        return [node] if isinstance(node, str) else []
    schema = cast("dict[str, Any]", node)
    said: list[str] = list(schema.get("properties", ()))
    for key, value in schema.items():
        if key == "type":
            continue
        if key == "description" and isinstance(value, str):
            said.append(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            said.append(str(value))
        else:
            said += _said(value)
    return said


WRONG: dict[str, list[dict[str, Any]]] = {
    "openai-strict": [
        {"type": "object", "properties": {}, "required": []},
        {"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": False},
        {
            "type": "object",
            "properties": {"a": {"type": "string"}},
            "required": [],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {"a": {"type": "string", "minLength": 1}},
            "required": ["a"],
            "additionalProperties": False,
        },
        {"anyOf": [{"type": "object"}], "type": "object"},
    ],
    "anthropic": [
        {"type": "string"},
        {"type": "object", "anyOf": [{"required": ["a"]}]},
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}},
        {"type": "object", "properties": {"a b": {"type": "string"}}},
        {"type": "object", "properties": {"a": {"type": "text"}}},
    ],
    "gemini": [
        {"type": "object", "properties": {"a": {"type": "STRING"}}},
        {"type": "OBJECT", "properties": {}},
        {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}, "additionalProperties": False},
        {"type": "OBJECT", "properties": {"a": {"type": "INTEGER", "enum": [1]}}},
        {
            "type": "OBJECT",
            "properties": {"a": {"anyOf": [{"type": "STRING"}, {"type": "NULL"}], "description": "x"}},
        },
        {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}, "required": ["b"]},
    ],
}


@pytest.mark.parametrize(
    ("dialect", "schema"), [(dialect, schema) for dialect, wrong in WRONG.items() for schema in wrong]
)
def test_the_subsets_refuse_what_the_providers_do(dialect: str, schema: dict[str, Any]) -> None:
    tools: Any = {
        "openai-strict": [
            {
                "type": "function",
                "function": {"name": "x", "description": "", "parameters": schema, "strict": True},
            }
        ],
        "anthropic": [{"name": "x", "description": "", "input_schema": schema}],
        "gemini": [{"functionDeclarations": [{"name": "x", "description": "", "parameters": schema}]}],
    }[dialect]
    assert faults_of(dialect, tools) != []


KEYWORDS = some.fixed_dictionaries(
    {},
    optional={
        "description": some.text(max_size=5),
        "title": some.text(max_size=5),
        "default": some.none() | some.integers() | some.text(max_size=3),
        "minLength": some.integers(0, 3),
        "pattern": some.just("^a"),
        "format": some.sampled_from(["uuid", "uri", "date-time", "int32"]),
        "minimum": some.integers(0, 3),
        "maxItems": some.integers(0, 3),
        "x-mcp-header": some.just("Region"),
        "readOnly": some.booleans(),
    },
)
VALUES = some.none() | some.booleans() | some.integers(-3, 3) | some.text(max_size=3)
KINDS = some.sampled_from(["string", "integer", "number", "boolean", "null", "array", "object"])


def wider(inner: some.SearchStrategy[Any]) -> some.SearchStrategy[Any]:
    several = some.lists(inner, min_size=1, max_size=3)
    named = some.dictionaries(some.sampled_from(["a", "b", "type"]), inner, max_size=3)
    return some.builds(
        dict[str, Any].__or__,
        KEYWORDS,
        some.fixed_dictionaries(
            {},
            optional={
                "type": KINDS | some.lists(KINDS, min_size=1, max_size=3, unique=True),
                "properties": named,
                "required": some.lists(some.sampled_from(["a", "b", "c"]), unique=True),
                "additionalProperties": some.booleans() | inner,
                "items": inner,
                "prefixItems": several,
                "patternProperties": named,
                "anyOf": several,
                "oneOf": several,
                "allOf": several,
                "not": inner,
                "enum": some.lists(VALUES, min_size=1, max_size=3),
                "const": VALUES,
                "$ref": some.sampled_from(["#/$defs/node", "#", "#/$defs/none", "https://example.com/x"]),
            },
        ),
    )


SCHEMAS = some.recursive(some.booleans() | KEYWORDS, wider, max_leaves=5)


@given(
    properties=some.dictionaries(some.sampled_from(["a", "b"]), SCHEMAS), root=wider(SCHEMAS), node=SCHEMAS
)
def test_any_schema_becomes_one_that_is_taken(
    properties: dict[str, Any], root: dict[str, Any], node: Any
) -> None:
    schema = root | {"type": "object", "properties": properties, "$defs": {"node": node}}
    for dialect in DIALECTS:
        tools = exported("x", [{"name": "t", "inputSchema": schema}], dialect)
        assert faults_of(dialect, tools) == []
