"""Names and descriptions tell the tools apart: each request fits one tool better than all others."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from contract.discover import ROOT, connectors
from ringmain_core.declarations import Tool
from ringmain_core.versions import LATEST

REQUESTS: Mapping[str, list[dict[str, Any]]] = {
    path.name.removesuffix("_requests.jsonl"): [
        json.loads(line) for line in path.read_text("utf-8").splitlines()
    ]
    for path in sorted(Path(ROOT, "tests", "data").glob("*_requests.jsonl"))
}
EACH = [
    pytest.param(name, request, id=f"{name}: {request['request']}")
    for name, requests in REQUESTS.items()
    for request in requests
]
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


class Matcher:
    """Weighs the words of a request against those of each tool of a connector."""

    def __init__(self, tools: Mapping[str, Tool]) -> None:
        self.tools = tools
        self._said = {name: said_by(tool) for name, tool in tools.items()}

    def weight(self, word: str) -> float:
        """How much a word tells: the fewer tools say it, the more."""
        return math.log((len(self._said) + 1) / (sum(word in said for said in self._said.values()) + 0.5))

    def score(self, request: str, name: str) -> float:
        tool = self.tools[name]
        head = words(f"{tool.name} {tool.title} {tool.description}")
        both = words(request) & self._said[name]
        return sum(self.weight(word) * (2 if word in head else 1) for word in both)


MATCHERS = {
    name: Matcher(connectors()[name].with_every_tool().views[LATEST].tools_by_name) for name in REQUESTS
}


@pytest.mark.parametrize("name", REQUESTS)
def test_every_tool_is_asked_for(name: str) -> None:
    assert {request["tool"] for request in REQUESTS[name]} == set(MATCHERS[name].tools)
    assert len(REQUESTS[name]) >= 1.5 * len(MATCHERS[name].tools)


@pytest.mark.parametrize(("connector", "request_"), EACH)
def test_a_request_fits_one_tool_better_than_all_others(connector: str, request_: dict[str, Any]) -> None:
    matcher = MATCHERS[connector]
    scores = sorted(
        ((matcher.score(request_["request"], name), name) for name in matcher.tools), reverse=True
    )
    (best, name), (second, _) = scores[:2]
    assert (name, best > second) == (request_["tool"], True), scores[:3]


@pytest.mark.parametrize(("connector", "request_"), EACH)
def test_its_arguments_are_what_the_tool_takes(connector: str, request_: dict[str, Any]) -> None:
    tool = MATCHERS[connector].tools[request_["tool"]]
    bound = tool.arguments.bind(request_["arguments"], cast("Any", None), None)
    assert request_["arguments"].keys() <= bound.keys()
