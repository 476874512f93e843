"""How each provider spells functions, calls and results."""

from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from ringmain_core.adapters import DIALECTS
from ringmain_core.adapters.dialect import Asked, Image, Told, as_json
from ringmain_core.adapters.exporting import dialect_of

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
CLOSED = SCHEMA | {"additionalProperties": False}

ANSWERS: dict[str, Any] = {
    "openai": {
        "choices": [
            {
                "message": {
                    "role": "assistant",
                    "tool_calls": [
                        {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": "x"}'}},
                        {"id": "2", "type": "custom", "custom": {"name": "g", "input": "x"}},
                    ],
                }
            }
        ]
    },
    "openai-responses": {
        "output": [
            {"type": "reasoning", "summary": []},
            {"type": "function_call", "call_id": "1", "name": "f", "arguments": '{"a": "x"}'},
        ]
    },
    "anthropic": {
        "role": "assistant",
        "content": [
            {"type": "text", "text": "Let me see."},
            {"type": "tool_use", "id": "1", "name": "f", "input": {"a": "x"}},
        ],
    },
    "gemini": {
        "candidates": [
            {
                "content": {
                    "role": "model",
                    "parts": [{"text": "…"}, {"functionCall": {"id": "1", "name": "f", "args": {"a": "x"}}}],
                }
            }
        ]
    },
}
NOTHING: dict[str, Any] = {
    "openai": {"choices": [{"message": {"content": "Done.", "tool_calls": None}}]},
    "openai-responses": {"output": [{"type": "message", "content": []}]},
    "anthropic": {"content": "Done."},
    "gemini": {"candidates": [{"finishReason": "STOP"}]},
}


@pytest.mark.parametrize("dialect", ANSWERS)
def test_the_calls_in_an_answer_are_found(dialect: str) -> None:
    (asked,) = dialect_of(dialect).asked(ANSWERS[dialect])
    assert (asked.id, asked.name) == ("1", "f")
    assert asked.arguments == ('{"a": "x"}' if dialect.startswith("openai") else {"a": "x"})
    assert dialect_of(dialect).asked(NOTHING[dialect]) == []
    assert dialect_of(dialect).told([]) == []


def test_a_message_will_do_where_it_is_not_the_whole_response() -> None:
    for dialect, message in (
        ("openai", ANSWERS["openai"]["choices"][0]["message"]),
        ("gemini", ANSWERS["gemini"]["candidates"][0]["content"]),
    ):
        assert len(dialect_of(dialect).asked(message)) == 1


def test_objects_of_a_providers_library_are_read_as_json() -> None:
    class Part(BaseModel):
        model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)
        function_call: dict[str, Any] | None = None

    class Content(BaseModel):
        parts: list[Part]

    assert as_json(Content(parts=[Part(function_call={"name": "f"})])) == {
        "parts": [{"functionCall": {"name": "f"}}]
    }
    with pytest.raises(TypeError, match=r"^SimpleNamespace is no answer of a model: hand over the response"):
        as_json(SimpleNamespace())


@pytest.mark.parametrize(
    ("dialect", "tools"),
    [
        (
            "openai",
            [
                {
                    "type": "function",
                    "function": {"name": "f", "description": "Do.", "parameters": SCHEMA, "strict": False},
                }
            ],
        ),
        (
            "openai-responses-strict",
            [
                {
                    "type": "function",
                    "name": "f",
                    "description": "Do.",
                    "parameters": CLOSED,
                    "strict": True,
                }
            ],
        ),
        ("anthropic", [{"name": "f", "description": "Do.", "input_schema": SCHEMA}]),
        (
            "gemini",
            [
                {
                    "functionDeclarations": [
                        {
                            "name": "f",
                            "description": "Do.",
                            "parameters": {
                                "type": "OBJECT",
                                "properties": {"a": {"type": "STRING"}},
                                "required": ["a"],
                            },
                        }
                    ]
                }
            ],
        ),
    ],
)
def test_functions_are_spelled_as_the_provider_does(dialect: str, tools: Any) -> None:
    to = dialect_of(dialect)
    assert to.tools([("f", "Do.", to.narrow(SCHEMA).schema)]) == tools


def test_gemini_is_told_of_no_parameters_where_there_are_none() -> None:
    to = dialect_of("gemini")
    schema = to.narrow({"type": "object"}).schema
    assert to.tools([("f", "Do.", schema)]) == [
        {"functionDeclarations": [{"name": "f", "description": "Do."}]}
    ]


def test_a_description_that_is_too_long_goes_on_in_the_parameters() -> None:
    to = dialect_of("openai")
    text = "One sentence. " * 100
    function = to.tools([("f", text, to.narrow(SCHEMA).schema)])[0]["function"]
    kept, more = function["description"], function["parameters"]["description"]
    assert len(kept) <= 1024
    assert kept.endswith("sentence.")
    assert f"{kept} {more}".split() == text.split()


RESULTS = [
    Told(Asked("1", "f", {}), "Two rows.", [Image("aGk=", "image/png")]),
    Told(Asked("2", "g", {}), "No such table.", failed=True),
]


def test_results_are_spelled_as_the_provider_does() -> None:
    assert dialect_of("openai").told(RESULTS) == [
        {
            "role": "tool",
            "tool_call_id": "1",
            "content": "Two rows.\n[an image, image/png, which this API cannot show you]",
        },
        {"role": "tool", "tool_call_id": "2", "content": "Error: No such table."},
    ]
    assert dialect_of("openai-responses").told(RESULTS) == [
        {
            "type": "function_call_output",
            "call_id": "1",
            "output": [
                {"type": "input_text", "text": "Two rows."},
                {"type": "input_image", "image_url": "data:image/png;base64,aGk="},
            ],
        },
        {"type": "function_call_output", "call_id": "2", "output": "Error: No such table."},
    ]
    assert dialect_of("anthropic").told(RESULTS) == [
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "1",
                    "content": [
                        {"type": "text", "text": "Two rows."},
                        {
                            "type": "image",
                            "source": {"type": "base64", "media_type": "image/png", "data": "aGk="},
                        },
                    ],
                },
                {
                    "type": "tool_result",
                    "tool_use_id": "2",
                    "content": [{"type": "text", "text": "No such table."}],
                    "is_error": True,
                },
            ],
        }
    ]
    assert dialect_of("gemini").told(RESULTS) == [
        {
            "role": "user",
            "parts": [
                {
                    "functionResponse": {
                        "name": "f",
                        "response": {"output": "Two rows."},
                        "id": "1",
                        "parts": [{"inlineData": {"mimeType": "image/png", "data": "aGk="}}],
                    }
                },
                {
                    "functionResponse": {
                        "name": "g",
                        "response": {"error": "No such table."},
                        "id": "2",
                    }
                },
            ],
        }
    ]
    (message,) = dialect_of("gemini").told([Told(Asked(None, "f", {}), "x")])
    assert message["parts"] == [{"functionResponse": {"name": "f", "response": {"output": "x"}}}]


def test_a_dialect_that_does_not_exist_is_told_with_those_that_do() -> None:
    with pytest.raises(
        ValueError, match=r"^there is no dialect 'mistral' \(there are openai, openai-strict, "
    ):
        dialect_of("mistral")
    assert "anthropic" in DIALECTS
