"""Requests and answers against GitHub's descriptions: what they do not allow is told in words."""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any

from graphql import GraphQLError, parse, validate
from jsonschema import Draft202012Validator, ValidationError

from standins.github import described


def _referenced(validator: Any, ref: str, instance: Any, schema: Any) -> Iterator[ValidationError]:  # noqa: ARG001
    yield from validator.descend(instance, described.resolved({"$ref": ref}))


def _nullable(keyword: str) -> Any:
    """A keyword that is content with null where the schema says so, as OpenAPI 3.0 has it."""
    original: Any = Draft202012Validator.VALIDATORS[keyword]

    def check(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        if instance is not None or not schema.get("nullable"):
            yield from original(validator, value, instance, schema) or ()

    return check


_extend: Any = import_module("jsonschema.validators").extend  # has no types
_Checker: Any = _extend(
    Draft202012Validator,
    {"$ref": _referenced, **{one: _nullable(one) for one in ("type", "enum", "anyOf", "oneOf", "allOf")}},
)


@lru_cache(maxsize=1024)
def _checker(schema: str) -> Any:
    return _Checker(json.loads(schema))


def _wrong(where: str, schema: Any, value: Any) -> list[str]:
    found: list[str] = []
    for error in _checker(json.dumps(schema)).iter_errors(value):
        best = min(error.context, key=lambda one: len(one.message)) if error.context else error
        place = "/".join(
            str(part) for part in [*error.absolute_path, *(best.path if best is not error else ())]
        )
        found.append(f"{where} {place}: {best.message[:300]}")
    return found


def _typed(text: str, schema: Any) -> Any:
    kind = described.resolved(schema).get("type")
    try:
        if kind == "integer":
            return int(text)
        if kind == "number":
            return float(text)
    except ValueError:
        return text
    return {"true": True, "false": False}.get(text, text) if kind == "boolean" else text


def request(method: str, template: str, query: Mapping[str, str], body: Any) -> list[str]:
    """What is wrong with a request: parameters and fields that GitHub does not know among it."""
    name = f"{method} {template}"
    known = described.parameters(method, template)
    found: list[str] = []
    for parameter, value in query.items():
        if parameter == "after" and "page" in known:
            continue  # as GitHub's own links to further pages have it
        if parameter not in known:
            found.append(f"{name}: no query parameter `{parameter}`")
        else:
            found += _wrong(f"{name} ?{parameter}", known[parameter], _typed(value, known[parameter]))
    operation = described.operation(method, template) or {}
    wanted = described.resolved(operation.get("requestBody", {}))
    schema = wanted.get("content", {}).get("application/json", {}).get("schema")
    if schema is None or (body is None and not wanted.get("required")):
        if body not in (None, {}):
            found.append(f"{name}: takes no body")
        return found
    found += _wrong(f"{name} body", schema, body)
    fields = _fields(schema)
    if fields is not None and isinstance(body, dict):
        unknown: set[str] = body.keys() - fields  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        found += [f"{name} body: no field `{field}`" for field in sorted(unknown)]
    return found


def _fields(schema: Any) -> set[str] | None:
    schema = described.resolved(schema)
    several = [one for kind in ("oneOf", "anyOf", "allOf") for one in schema.get(kind, [])]
    if schema.get("additionalProperties"):
        return None
    below = [_fields(one) for one in several]
    if None in below or (not below and "properties" not in schema):
        return None
    return set(schema.get("properties", {})).union(*(one or set() for one in below))


def response(method: str, template: str, status: int, body: Any) -> list[str]:
    """What is wrong with a JSON answer of ours."""
    operation = described.operation(method, template) or {}
    answers = operation.get("responses", {})
    if str(status) not in answers:
        return [] if status >= 400 or status == 304 else [f"{method} {template}: never answers {status}"]
    content = described.resolved(answers[str(status)]).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    return [] if schema is None else _wrong(f"{method} {template} -> {status}", schema, body)


@lru_cache(maxsize=256)
def graphql(query: str) -> tuple[str, ...]:
    """What is wrong with a GraphQL document."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return (f"GraphQL: {error.message}",)
    return tuple(f"GraphQL: {error.message}" for error in validate(described.graphql_schema(), document))
