"""Names and descriptions tell the tools apart: each request fits one tool better than all others."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from ringmain_core.declarations import Tool
from ringmain_github import connector

REQUESTS: list[dict[str, Any]] = [
    json.loads(line)
    for line in Path(__file__)
    .parents[2]
    .joinpath("data/github_requests.jsonl")
    .read_text("utf-8")
    .splitlines()
]
TOOLS = {tool.name: tool for tool in connector.tools}
# What stands in every request says nothing of the tool.
_EMPTY = frozenset(
    re.findall(
        r"\w+",
        "a an the of to in on at by for from with and or is are was were be can do does did my me i it its "
        "this that which what how who whose why when has have not give show tell all as into your you",
    )
)


def words(text: str) -> set[str]:
    """The words of a text, without their endings."""
    found = re.findall(r"[a-z]+", text.lower().replace("_", " "))
    return {re.sub(r"(ing|ies|ed|es|s|e)$", "", word) for word in found if word not in _EMPTY}


def said_by(tool: Tool) -> set[str]:
    """Everything by which a model can know a tool."""
    return words(f"{tool.name} {tool.title} {tool.description} {' '.join(spelled(tool.published_schema))}")


def spelled(schema: Any) -> Iterator[str]:
    """The names and words of a schema."""
    if isinstance(schema, dict):
        for name, value in cast("dict[str, Any]", schema).items():
            if name == "properties":
                yield from value
            if name in {"enum", "description"}:
                yield from [value] if isinstance(value, str) else map(str, value)
            yield from spelled(value)
    elif isinstance(schema, list):
        for value in cast("list[Any]", schema):
            yield from spelled(value)


SAID = {name: said_by(tool) for name, tool in TOOLS.items()}


def weight(word: str) -> float:
    """How much a word tells: the fewer tools say it, the more."""
    return math.log((len(SAID) + 1) / (sum(word in said for said in SAID.values()) + 0.5))


def score(request: str, name: str) -> float:
    tool = TOOLS[name]
    about = words(request)
    head = words(f"{tool.name} {tool.title} {tool.description}")
    return sum(weight(word) * (2 if word in head else 1) for word in about & SAID[name])


def test_there_are_forty_requests_and_every_tool_is_asked_for() -> None:
    assert len(REQUESTS) == 40
    assert {request["tool"] for request in REQUESTS} == set(TOOLS)


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: request["request"])
def test_a_request_fits_one_tool_better_than_all_others(request_: dict[str, Any]) -> None:
    scores = sorted(((score(request_["request"], name), name) for name in TOOLS), reverse=True)
    (best, name), (second, _) = scores[:2]
    assert (name, best > second) == (request_["tool"], True), scores[:3]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: request["request"])
def test_its_arguments_are_what_the_tool_takes(request_: dict[str, Any]) -> None:
    tool = TOOLS[request_["tool"]]
    bound = tool.arguments.bind(request_["arguments"], cast("Any", None), None)
    assert request_["arguments"].keys() <= bound.keys()
