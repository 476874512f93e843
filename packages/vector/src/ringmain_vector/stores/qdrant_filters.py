"""Conditions as Qdrant's filters, so that they hold for what they hold for in memory."""

import re
from collections.abc import Mapping, Sequence
from math import ceil, floor

from ringmain_core.errors import InvalidArguments
from ringmain_vector.domain import Condition, FieldType, Value, Where
from ringmain_vector.filters import type_of_value
from ringmain_vector.stores.qdrant_shapes import Filter

NEVER: Filter = {"has_id": []}
"""A condition that nothing meets."""

_PLAIN = re.compile(r"[A-Za-z0-9_-]+")


def key_of(path: str, field: str) -> str:
    """Where a field of metadata is in a payload.

    Args:
        path: Of the metadata; empty where they are the payload itself.
        field: Its name.

    Raises:
        InvalidArguments: Where Qdrant has no way to write its name.
    """
    if '"' in field or not field:
        raise InvalidArguments(f"Qdrant cannot filter by a field of the name `{field[:80]}`.")
    name = field if _PLAIN.fullmatch(field) else f'"{field}"'
    return f"{path}.{name}" if path else name


def equal(key: str, value: Value) -> Filter:
    """A condition: this value, of a keyword, an integer or a boolean."""
    return {"key": key, "match": {"value": value}}


def among(key: str, values: Sequence[Value]) -> Filter:
    """A condition: one of these keywords or integers."""
    return {"key": key, "match": {"any": list(values)}}


def conditions_of(where: Where, path: str, fields: Mapping[str, FieldType]) -> dict[str, list[Filter]]:
    """The conditions of a search, without its tenant.

    Args:
        where: The search.
        path: Where in a payload the metadata are.
        fields: Their types, which decide how Qdrant compares.
    """
    made: dict[str, list[Filter]] = {"must": [], "must_not": []}
    for one in where.conditions:
        kind = fields.get(one.field) or _kind_of(one)
        made["must_not" if one.negated else "must"].append(_condition(key_of(path, one.field), one, kind))
    return made


def _kind_of(condition: Condition) -> FieldType:
    return type_of_value(condition.any_of[0]) if condition.any_of else "float"


def _condition(key: str, condition: Condition, kind: FieldType) -> Filter:
    if not condition.any_of:
        return _range(key, condition, kind)
    fitting = [one for one in condition.any_of if _fits(one, kind)]
    if not fitting:
        return NEVER
    match kind:
        case "keyword":
            return among(key, fitting)
        case "integer":
            return among(key, [int(one) for one in fitting])
        case "boolean":
            return {"should": [equal(key, one) for one in fitting]}
        case "float":  # Qdrant matches no floats, but has ranges of them
            return {"should": [{"key": key, "range": {"gte": one, "lte": one}} for one in fitting]}


def _fits(value: Value, kind: FieldType) -> bool:
    match kind:
        case "keyword":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)
        case "float":
            return isinstance(value, int | float) and not isinstance(value, bool)


def _range(key: str, condition: Condition, kind: FieldType) -> Filter:
    if kind not in {"integer", "float"}:
        return NEVER
    least, most = condition.least, condition.most
    if kind == "integer":  # Qdrant cuts the ends of ranges of integers off at the point
        least = least if least is None else (ceil if condition.least_counts else floor)(least)
        most = most if most is None else (floor if condition.most_counts else ceil)(most)
    ends = {
        "gte" if condition.least_counts else "gt": least,
        "lte" if condition.most_counts else "lt": most,
    }
    return {"key": key, "range": {end: one for end, one in ends.items() if one is not None}}
