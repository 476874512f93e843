from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from ringmain_core.arguments import Arguments
from ringmain_core.results import Answer
from ringmain_core.schema import slim_schema
from ringmain_core.tooling import tool
from unit.core.demo import connector


class Inner(BaseModel):
    title: str
    properties: dict[str, int] = {}


class Tree(BaseModel):
    name: str
    left: "Tree | None" = None
    right: "Tree | None" = None
    more: "list[Tree]" = []


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Found(Answer):
    name: str
    note: str | None
    next_cursor: str | None = None


def test_titles_nulls_and_references_are_gone() -> None:
    async def function(
        title: str,
        inner: Annotated[Inner, Field(description="What is inside.")],
        limit: Annotated[int | None, Field(ge=1, description="How many.")] = None,
        choice: int | str | None = None,
        default: Literal["a", "b"] = "a",
    ) -> None: ...

    assert Arguments(function).schema == {
        "additionalProperties": False,
        "properties": {
            "title": {"type": "string"},
            "inner": {
                "description": "What is inside.",
                "properties": {
                    "title": {"type": "string"},
                    "properties": {
                        "additionalProperties": {"type": "integer"},
                        "default": {},
                        "type": "object",
                    },
                },
                "required": ["title"],
                "type": "object",
            },
            "limit": {"minimum": 1, "type": "integer", "description": "How many."},
            "choice": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
            "default": {"default": "a", "enum": ["a", "b"], "type": "string"},
        },
        "required": ["title", "inner"],
        "type": "object",
    }


def test_a_recursive_model_is_shown_once_and_stays_small() -> None:
    schema = slim_schema(Tree)
    assert schema == {
        "properties": {
            "name": {"type": "string"},
            "left": {"type": "object"},
            "right": {"type": "object"},
            "more": {"default": [], "items": {"type": "object"}, "type": "array"},
        },
        "required": ["name"],
        "type": "object",
    }


def test_a_choice_of_models_carries_nothing_that_points_nowhere() -> None:
    async def function(pet: Annotated[Cat | Dog, Field(discriminator="kind")]) -> None: ...

    assert Arguments(function).schema["properties"]["pet"] == {
        "oneOf": [
            {
                "properties": {"kind": {"const": "cat", "type": "string"}},
                "required": ["kind"],
                "type": "object",
            },
            {
                "properties": {"kind": {"const": "dog", "type": "string"}},
                "required": ["kind"],
                "type": "object",
            },
        ]
    }


def test_what_may_be_left_out_of_an_answer_is_not_required_in_its_schema() -> None:
    assert slim_schema(Found, mode="serialization") == {
        "properties": {
            "name": {"type": "string"},
            "note": {"type": "string"},
            "next_cursor": {"type": "string"},
        },
        "required": ["name"],
        "type": "object",
    }


def test_a_tool_states_every_hint_and_its_schemas() -> None:
    found = {declared.name: declared for declared in connector.tools}
    assert found["wipe"].listing() == {
        "name": "wipe",
        "title": "Wipe",
        "description": "Forget all notes.",
        "inputSchema": {"additionalProperties": False, "properties": {}, "type": "object"},
        "annotations": {
            "readOnlyHint": False,
            "destructiveHint": True,
            "idempotentHint": False,
            "openWorldHint": False,
        },
    }
    assert found["words"].listing()["outputSchema"] == {
        "properties": {
            "words": {"items": {"type": "string"}, "type": "array"},
            "next_cursor": {"type": "string"},
        },
        "required": ["words"],
        "type": "object",
    }


def test_a_tool_without_a_docstring_cannot_be_declared() -> None:
    async def mute() -> str:
        return ""

    with pytest.raises(ValueError, match="mute needs a docstring: it is what a model reads"):
        tool(access="read", title="Mute")(mute)
