"""Values that come as JSON, made into what a statement's parameters want."""

import json
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from ringmain_core.errors import InvalidArguments

TEXTUAL_TYPES = frozenset(
    {
        "date",
        "time",
        "timetz",
        "timestamp",
        "timestamptz",
        "interval",
        "uuid",
        "json",
        "jsonb",
        "inet",
        "cidr",
        "bytea",
    }
)
"""Types whose parameters are best sent as Postgres reads them in a literal: as text."""

_INTEGERS = ("int2", "int4", "int8", "oid")
_FLOATS = ("float4", "float8")


def to_postgres(values: Sequence[Any], types: Sequence[str]) -> list[Any]:
    """Convert JSON values for parameters of the named types; arrays are named like `int4[]`.

    Raises:
        InvalidArguments: Where the number of values is wrong, or a value cannot be of its type.
    """
    if len(values) != len(types):
        raise InvalidArguments(
            f"The statement has {len(types)} parameters (`$1` …) and `params` has {len(values)} values."
        )
    return [
        _convert(value, kind, number)
        for number, (value, kind) in enumerate(zip(values, types, strict=True), 1)
    ]


def _convert(value: Any, kind: str, number: int) -> Any:
    if value is None:
        return None
    if kind.endswith("[]"):
        if not isinstance(value, list):
            raise InvalidArguments(f"`${number}` is of type {kind}: give a list.")
        return [_convert(item, kind[:-2], number) for item in cast("list[Any]", value)]
    try:
        return _scalar(value, kind)
    except (ValueError, TypeError, KeyError, OverflowError, InvalidOperation):
        raise InvalidArguments(f"`${number}` is of type {kind}; {str(value)[:60]!r} does not fit.") from None


def _scalar(value: Any, kind: str) -> Any:
    if kind in _INTEGERS:
        return value if isinstance(value, int) else int(str(value))
    if kind in _FLOATS:
        return float(value)
    if kind == "numeric":
        return Decimal(str(value))
    if kind == "bool":
        return value if isinstance(value, bool) else {"true": True, "false": False}[str(value).lower()]
    if kind in ("json", "jsonb"):
        return value if isinstance(value, str) else json.dumps(value)
    return value if isinstance(value, str) else json.dumps(value)
