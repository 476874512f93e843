"""Conditions as SQL. Whatever comes from outside is a parameter, also the names of fields."""

import json
import math
from collections.abc import Sequence
from typing import Any

from ringmain_vector.domain import Condition, FieldType, Value

_SHORT = 256  # letters of a word that are in an index, which has no place for long ones
_NEVER, _ALWAYS = "false", "true"

Parameters = list[Any]
"""Of a statement, from $1 on; what is added here gets the next numbers."""


def conditions_sql(conditions: Sequence[Condition], metadata: str, parameters: Parameters) -> str:
    """What a WHERE goes on with, so that it lets through what `Condition.holds` does.

    Args:
        conditions: All of which hold.
        metadata: The expression that has them, of the type jsonb.
        parameters: Those before; those of the conditions are added.
    """
    return "".join(f" AND {_condition(one, metadata, parameters)}" for one in conditions)


def indexed(kind: FieldType, value: str) -> str:
    """The expression by which a field of this type is found; value is the one that gives its jsonb.

    Numbers and truth values compare as jsonb, which tells 1 from true and from "1", and takes 1 for 1.0.
    Words do as the beginning of their JSON: without a limit, a long one could not be indexed, nor kept.
    """
    return f'left(({value})::text, {_SHORT}) COLLATE "C"' if kind == "keyword" else value


def _condition(condition: Condition, metadata: str, parameters: Parameters) -> str:
    wanted = [one for one in condition.any_of if _can_be_kept(one)]
    if not _can_be_kept(condition.field) or (condition.any_of and not wanted):
        return _ALWAYS if condition.negated else _NEVER
    value = f"({metadata} -> {_added(condition.field, 'text', parameters)})"
    fits = _any_of(value, wanted, parameters) if wanted else _range(value, condition, parameters)
    return f"({fits}) IS NOT TRUE" if condition.negated else f"({fits})"


def _any_of(value: str, wanted: Sequence[Value], parameters: Parameters) -> str:
    texts = [json.dumps(one, ensure_ascii=False) for one in wanted]
    if all(isinstance(one, str) for one in wanted) and all(len(text) < _SHORT for text in texts):
        return f"{indexed('keyword', value)} = ANY({_added(texts, 'text[]', parameters)})"
    return f"{value} = ANY({_added(texts, 'jsonb[]', parameters)})"


def _range(value: str, condition: Condition, parameters: Parameters) -> str:
    """Between two numbers. Other types have their place in the order of jsonb, too: they are ruled out."""
    parts = [f"jsonb_typeof({value}) = 'number'"]
    for bound, sign, counts in (
        (condition.least, ">", condition.least_counts),
        (condition.most, "<", condition.most_counts),
    ):
        if bound is None:
            continue
        if not math.isfinite(bound):
            is_open = bound == (-math.inf if sign == ">" else math.inf)
            parts.append(_ALWAYS if is_open else _NEVER)
        else:
            parts.append(
                f"{value} {sign}{'=' if counts else ''} {_added(json.dumps(bound), 'jsonb', parameters)}"
            )
    return " AND ".join(parts)


def _added(value: Any, kind: str, parameters: Parameters) -> str:
    parameters.append(value)
    return f"${len(parameters)}::{kind}"


def _can_be_kept(value: Value) -> bool:
    """Whether Postgres has such values at all; what it has not, nothing equals."""
    if isinstance(value, str):
        return not any(one == "\0" or "\ud800" <= one <= "\udfff" for one in value)
    return isinstance(value, bool | int) or math.isfinite(value)
