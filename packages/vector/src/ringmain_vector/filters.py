"""Filters as agents write them: `{field: value | [any] | {gte, gt, lte, lt} | {"not": …}}`; all hold."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, cast

from pydantic import Field

from ringmain_core.errors import InvalidArguments
from ringmain_vector.domain import Condition, FieldType, Value

Filters = Annotated[
    Mapping[str, Any] | None,
    Field(description="{field: value | [any] | {gte, gt, lte, lt} | {not: …}}, see list_collections."),
]

_BOUNDS = ("gte", "gt", "lte", "lt")
_MOST_VALUES = 100
_MOST_NAMED = 30
_MOST_NUMBER = 2**63


def parse_filters(filters: Mapping[str, Any], fields: Mapping[str, FieldType]) -> list[Condition]:
    """Conditions of a filter.

    Args:
        filters: As it was given.
        fields: Those that the collection can be filtered by.

    Raises:
        InvalidArguments: Where a field is not known, or a value does not fit it; with what would.
    """
    return [_condition(name, value, _type_of(name, fields)) for name, value in filters.items()]


def _type_of(name: str, fields: Mapping[str, FieldType]) -> FieldType:
    if name in fields:
        return fields[name]
    close = get_close_matches(name, fields, n=1)
    hint = f" Did you mean `{close[0]}`?" if close else ""
    named = [f"`{one}` ({kind})" for one, kind in list(fields.items())[:_MOST_NAMED]]
    named += [f"and {len(fields) - _MOST_NAMED} more"] if len(fields) > _MOST_NAMED else []
    known = ", ".join(named) or "none"
    raise InvalidArguments(f"`{name[:80]}` is no field to filter by.{hint} There are: {known}.")


def _condition(name: str, value: Any, kind: FieldType, *, negated: bool = False) -> Condition:
    if isinstance(value, Mapping):
        given = cast("Mapping[str, Any]", value)
        if set(given) == {"not"} and not negated:
            return _condition(name, given["not"], kind, negated=True)
        return _range(name, given, kind, negated=negated)
    if isinstance(value, Sequence) and not isinstance(value, str):
        several = cast("Sequence[Any]", value)
        if not 0 < len(several) <= _MOST_VALUES:
            raise InvalidArguments(f"`{name}`: give 1 to {_MOST_VALUES} values.")
        return Condition(name, tuple(_value(name, one, kind) for one in several), negated=negated)
    return Condition(name, (_value(name, value, kind),), negated=negated)


def _range(name: str, given: Mapping[str, Any], kind: FieldType, *, negated: bool) -> Condition:
    unknown = set(given) - set(_BOUNDS)
    if unknown or not given or kind not in ("integer", "float"):
        raise InvalidArguments(
            f"`{name}` is a {kind} field: write a value, a list of values"
            + (", or a range like {'gte': 1, 'lt': 10}." if kind in ("integer", "float") else ".")
        )
    if ("gte" in given and "gt" in given) or ("lte" in given and "lt" in given):
        raise InvalidArguments(f"`{name}`: give one lower and one upper end.")
    least, most = given.get("gte", given.get("gt")), given.get("lte", given.get("lt"))
    for bound in (least, most):
        if bound is not None and (isinstance(bound, bool) or not isinstance(bound, int | float)):
            raise InvalidArguments(f"`{name}`: the ends of a range are numbers.")
        _require_size(name, bound)
    return Condition(
        name,
        least=least,
        most=most,
        least_counts="gte" in given,
        most_counts="lte" in given,
        negated=negated,
    )


def _value(name: str, value: Any, kind: FieldType) -> Value:
    fits = {
        "keyword": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "float": isinstance(value, int | float) and not isinstance(value, bool),
    }
    if not fits[kind]:
        raise InvalidArguments(f"`{name}` is a {kind} field; {value!r:.60} does not fit it.")
    _require_size(name, value)
    return cast("Value", value)


def _require_size(name: str, value: Any) -> None:
    """Refuse a whole number that no store has."""
    if isinstance(value, int) and not -_MOST_NUMBER <= value < _MOST_NUMBER:
        raise InvalidArguments(f"`{name}`: whole numbers have at most 64 bits.")


def type_of_value(value: Value) -> FieldType:
    """The type of a field that has this value."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    return "float" if isinstance(value, float) else "keyword"
