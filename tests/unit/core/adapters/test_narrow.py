"""Schemas made narrower, and values brought back."""

from typing import Any

import pytest

from ringmain_core.adapters.gemini import Gemini
from ringmain_core.adapters.narrow import Misfit, narrowed
from ringmain_core.adapters.openai import STRICT


def strictly(**properties: Any) -> Any:
    """The properties of an object, all required, in strict mode."""
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return narrowed(schema, STRICT).schema["properties"]


def test_what_may_be_left_out_is_nullable_and_null_is_dropped_again() -> None:
    schema = {
        "type": "object",
        "properties": {
            "query": {"type": "string", "minLength": 1, "description": "Words."},
            "limit": {"type": "integer", "default": 20, "minimum": 1},
            "state": {"type": "string", "enum": ["open", "closed"], "description": "Which."},
            "labels": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["query"],
        "additionalProperties": False,
    }
    fit = narrowed(schema, STRICT)
    assert fit.schema == {
        "type": "object",
        "properties": {
            "query": {"type": "string", "description": "Words. [minLength: 1]"},
            "limit": {"type": ["integer", "null"], "minimum": 1, "description": "[default: 20]"},
            "state": {
                "anyOf": [{"type": "string", "enum": ["open", "closed"]}, {"type": "null"}],
                "description": "Which.",
            },
            "labels": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]},
        },
        "required": ["query", "limit", "state", "labels"],
        "additionalProperties": False,
    }
    assert fit.restore is not None
    assert fit.restore({"query": "x", "limit": None, "state": "open", "labels": None}) == {
        "query": "x",
        "state": "open",
    }


def test_objects_of_any_shape_are_asked_for_as_json_text() -> None:
    schema = {
        "type": "object",
        "properties": {
            "inputs": {"type": "object", "additionalProperties": True, "description": "Of the workflow."},
            "documents": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "text": {"type": "string"},
                        "metadata": {"type": "object", "additionalProperties": {"type": "integer"}},
                    },
                    "required": ["text"],
                },
            },
        },
        "required": ["inputs", "documents"],
    }
    fit = narrowed(schema, STRICT)
    properties = fit.schema["properties"]
    assert properties["inputs"] == {
        "type": "string",
        "description": "Of the workflow. [JSON text of an object]",
    }
    assert properties["documents"]["items"]["properties"]["metadata"] == {
        "type": ["string", "null"],
        "description": '[JSON text: {"type":"object","additionalProperties":{"type":"integer"}}]',
    }
    assert fit.restore is not None
    given = {
        "inputs": '{"a": [1]}',
        "documents": [{"text": "x", "metadata": '{"n": 1}'}, {"text": "y", "metadata": None}],
    }
    assert fit.restore(given) == {
        "inputs": {"a": [1]},
        "documents": [{"text": "x", "metadata": {"n": 1}}, {"text": "y"}],
    }
    with pytest.raises(Misfit, match=r"^`documents\.0\.metadata` has to be JSON text: Expecting value"):
        fit.restore({"inputs": "{}", "documents": [{"text": "x", "metadata": "n=1"}]})
    assert fit.restore({"inputs": {"b": 1}, "documents": []}) == {"inputs": {"b": 1}, "documents": []}


def test_a_text_that_only_looks_like_json_stays_a_text() -> None:
    fit = narrowed(
        {
            "type": "object",
            "properties": {"code": {"anyOf": [{"type": "string"}, {"type": "object"}]}, "any": {}},
            "required": ["code", "any"],
        },
        STRICT,
    )
    assert fit.restore is not None
    for text in ("123", "true", "null", "[1]", "hello"):
        assert fit.restore({"code": text, "any": '"x"'}) == {"code": text, "any": "x"}
    assert fit.restore({"code": '{"a": 1}', "any": "123"}) == {"code": {"a": 1}, "any": 123}


WAYS: list[tuple[Any, Any]] = [
    ({"const": "a"}, {"type": "string", "enum": ["a"]}),
    (
        {"enum": [1, "a"]},
        {"anyOf": [{"type": "integer", "enum": [1]}, {"type": "string", "enum": ["a"]}]},
    ),
    (
        {"type": ["string", "null"], "minLength": 2},
        {"type": ["string", "null"], "description": "[minLength: 2]"},
    ),
    (
        {"type": ["integer", "string"], "minimum": 1, "default": 3},
        {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}], "description": "[default: 3]"},
    ),
    (
        {"oneOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}], "description": "Either."},
        {
            "anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}],
            "description": "Either.",
        },
    ),
    (
        {"allOf": [{"type": "string", "description": "Inner."}], "description": "Outer."},
        {"type": "string", "description": "Outer. Inner."},
    ),
    ({"type": "string", "format": "uri"}, {"type": "string", "description": '[format: "uri"]'}),
    (
        {"type": "string", "format": "uuid", "title": "Id"},
        {"type": "string", "format": "uuid", "description": "Id"},
    ),
    ({"type": "string", "x-mcp-header": "Region"}, {"type": "string"}),
    (True, {"type": "string", "description": "[any value, as JSON text]"}),
    (
        {"type": "array"},
        {"type": "array", "items": {"type": "string", "description": "[any value, as JSON text]"}},
    ),
    (
        {"type": "array", "prefixItems": [{}]},
        {"type": "string", "description": '[JSON text: {"type":"array","prefixItems":[{}]}]'},
    ),
    (
        {"type": "object", "properties": {"a": {"type": "null"}}, "required": ["a"], "not": {"const": 1}},
        {
            "type": "object",
            "properties": {"a": {"type": "null"}},
            "required": ["a"],
            "additionalProperties": False,
            "description": '[not: {"const":1}]',
        },
    ),
]


@pytest.mark.parametrize(("before", "after"), WAYS)
def test_strict_mode_says_it_its_own_way(before: Any, after: Any) -> None:
    assert strictly(it=before) == {"it": after}


def test_where_a_text_would_do_it_need_not_be_quoted() -> None:
    params: dict[str, Any] = {"type": "array", "items": {}}
    fit = narrowed({"type": "object", "properties": {"params": params}, "required": ["params"]}, STRICT)
    assert fit.restore is not None
    given = ["Ada", '"5"', "5", "null", "[1, 2]", "2025-01-01", '{"a": ']
    assert fit.restore({"params": given}) == {
        "params": ["Ada", "5", 5, None, [1, 2], "2025-01-01", '{"a": '],
    }


def test_definitions_that_need_each_other_come_to_an_end() -> None:
    names = [f"d{number}" for number in range(12)]
    each = {"type": "object", "properties": {name: {"$ref": f"#/$defs/{name}"} for name in names}}
    schema = {"type": "object", "properties": each["properties"], "$defs": dict.fromkeys(names, each)}
    fit = narrowed(schema, STRICT)
    assert len(str(fit.schema)) < 1_000_000


def test_of_alternatives_the_one_that_suits_is_brought_back() -> None:
    file = {
        "type": "object",
        "properties": {"kind": {"const": "file"}, "path": {"type": "string"}, "line": {"type": "integer"}},
        "required": ["kind", "path"],
    }
    link = {
        "type": "object",
        "properties": {"kind": {"const": "link"}, "path": {"type": "string"}, "line": {"type": "null"}},
        "required": ["kind", "path", "line"],
    }
    schema = {
        "type": "object",
        "properties": {"it": {"anyOf": [link, file, {"type": "array", "items": file}]}},
    }
    fit = narrowed(schema, STRICT)
    assert fit.restore is not None
    a_file = {"kind": "file", "path": "a", "line": None}
    a_link = {"kind": "link", "path": "a", "line": None}
    without = {"kind": "file", "path": "a"}
    assert fit.restore({"it": a_file}) == {"it": without}
    assert fit.restore({"it": a_link}) == {"it": a_link}
    assert fit.restore({"it": [a_file]}) == {"it": [without]}
    assert fit.restore({"it": None}) == {}


def test_references_are_put_in_place_and_recursion_ends() -> None:
    schema = {
        "type": "object",
        "properties": {
            "tree": {"$ref": "#/$defs/node", "description": "The tree."},
            "$ref": {"type": "string"},
        },
        "required": ["tree", "$ref"],
        "$defs": {
            "node": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "inner": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                },
                "required": ["name", "inner"],
            }
        },
    }
    fit = narrowed(schema, STRICT)
    assert fit.schema["properties"]["$ref"] == {"type": "string"}
    assert fit.schema["properties"]["tree"]["properties"]["inner"]["items"] == {
        "type": "string",
        "description": "Like `node`. [any value, as JSON text]",
    }
    assert fit.restore is not None
    given = {"tree": {"name": "a", "inner": ['{"name": "b", "inner": []}']}, "$ref": "x"}
    assert fit.restore(given) == {
        "tree": {"name": "a", "inner": [{"name": "b", "inner": []}]},
        "$ref": "x",
    }


def test_alternatives_at_the_root_become_properties_and_words() -> None:
    schema = {
        "type": "object",
        "anyOf": [
            {"properties": {"by": {"type": "string"}, "id": {"type": "string"}}, "required": ["by", "id"]},
            {"properties": {"by": {"type": "string"}, "id": {"type": "integer"}}, "required": ["by"]},
        ],
        "description": "Whom.",
    }
    fit = narrowed(schema, STRICT)
    assert fit.schema["properties"] == {
        "by": {"type": "string"},
        "id": {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]},
    }
    assert fit.schema["description"].startswith('Whom. [anyOf: [{"properties":{"by"')


def test_objects_too_deep_in_each_other_are_asked_for_as_json_text() -> None:
    schema: dict[str, Any] = {"type": "string"}
    value: Any = "x"
    for _ in range(12):
        schema = {"type": "object", "properties": {"a": schema}, "required": ["a"]}
        value = {"a": value}
    node = fit = narrowed(schema, STRICT)
    shown = node.schema
    for _ in range(10):
        shown = shown["properties"]["a"]
    assert shown["type"] == "string"
    given: Any = '{"a": {"a": "x"}}'
    for _ in range(10):
        given = {"a": given}
    assert fit.restore is not None
    assert fit.restore(given) == value


def test_gemini_has_its_own_spelling() -> None:
    schema = {
        "type": "object",
        "properties": {
            "reply_to": {"anyOf": [{"type": "integer"}, {"type": "string"}], "description": "A comment."},
            "level": {"type": "integer", "enum": [1, 2]},
            "state": {"type": ["string", "null"], "enum": ["open", None], "default": "open"},
            "range": {"type": "object", "properties": {"from": {"type": "number", "exclusiveMinimum": 0}}},
        },
        "required": ["reply_to"],
        "additionalProperties": False,
    }
    fit = Gemini().narrow(schema)
    assert fit.schema == {
        "type": "OBJECT",
        "properties": {
            "reply_to": {
                "anyOf": [
                    {"type": "INTEGER", "description": "A comment."},
                    {"type": "STRING", "description": "A comment."},
                ]
            },
            "level": {"type": "INTEGER", "description": "[enum: [1,2]]"},
            "state": {
                "type": "STRING",
                "format": "enum",
                "enum": ["open"],
                "nullable": True,
                "description": '[default: "open"]',
            },
            "range": {
                "type": "OBJECT",
                "properties": {"from": {"type": "NUMBER", "description": "[exclusiveMinimum: 0]"}},
            },
        },
        "required": ["reply_to"],
    }
    assert fit.restore is not None
    assert fit.restore({"reply_to": 1, "state": None}) == {"reply_to": 1}
