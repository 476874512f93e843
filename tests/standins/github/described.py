"""GitHub's own descriptions of its APIs, read once: operations, examples, the GraphQL schema."""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from graphql import GraphQLSchema, build_schema
from pydantic_core import from_json

from standins.node import MODULES

_OPENAPI = MODULES / "@octokit/openapi/generated/api.github.com.json"
_GRAPHQL = MODULES / "@octokit/graphql-schema/schema.graphql"


@cache
def description() -> dict[str, Any]:
    return from_json(_OPENAPI.read_bytes())


@cache
def graphql_schema() -> GraphQLSchema:
    return build_schema(_GRAPHQL.read_text(encoding="utf-8"), assume_valid=True, no_location=True)


def resolved(value: Any) -> Any:
    """What a reference of the description means."""
    while isinstance(value, dict) and "$ref" in value:
        found: Any = description()
        for part in str(value["$ref"]).removeprefix("#/").split("/"):  # pyright: ignore[reportUnknownArgumentType]
            found = found[part.replace("~1", "/").replace("~0", "~")]
        value = found
    return value  # pyright: ignore[reportUnknownVariableType]


def operation(method: str, template: str) -> Mapping[str, Any] | None:
    """An operation, by the template of its path."""
    return description()["paths"].get(template, {}).get(method.lower())


@lru_cache(maxsize=512)
def parameters(method: str, template: str) -> Mapping[str, Any]:
    """The schemas of an operation's query parameters."""
    path = description()["paths"][template]
    every = [
        resolved(one) for one in [*path.get("parameters", []), *path[method.lower()].get("parameters", [])]
    ]
    return {one["name"]: one["schema"] for one in every if one["in"] == "query"}


@cache
def paths() -> list[tuple[re.Pattern[str], str]]:
    """Patterns of all paths, the most particular first."""
    order = sorted(description()["paths"], key=lambda one: (-one.count("/"), one.count("{")))
    return [(pattern_of(one), one) for one in order]


def pattern_of(template: str) -> re.Pattern[str]:
    """Fits the paths of a template: references and file paths may hold slashes."""
    deep = {"path", "ref", "branch", "tag", "basehead", "name"}

    def group(found: re.Match[str]) -> str:
        inside = ".*" if found[1] == "path" else ".+" if found[1] in deep else "[^/]+"  # the root has no path
        return f"(?P<{found[1]}>{inside})"

    return re.compile(re.sub(r"\\{(\w+)\\}", group, re.escape(template)))


def template_of(method: str, path: str) -> str | None:
    """The template of the operation that a path means, as GitHub's description spells it."""
    known = description()["paths"]
    return next((one for fits, one in paths() if method.lower() in known[one] and fits.fullmatch(path)), None)


def example(name: str) -> Any:
    """An example by name, or by operation: `GET /repos/{owner}/{repo}`. Not to be changed."""
    if " " not in name:
        return resolved(description()["components"]["examples"][name])["value"]
    method, template = name.split(" ")
    found = operation(method, template)
    if found is None:
        raise KeyError(name)
    for status in ("200", "201", "202"):
        content = resolved(found["responses"].get(status, {})).get("content", {})
        for media in content.values():
            for one in media.get("examples", {}).values():
                value = resolved(resolved(one)["value"])
                return value["value"] if isinstance(value, dict) and "value" in value else value  # pyright: ignore[reportUnknownVariableType]
    raise KeyError(name)
