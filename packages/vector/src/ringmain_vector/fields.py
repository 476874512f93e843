"""Metadata of documents: what it may hold, and that a field has one type throughout a collection."""

import math
import re
from collections.abc import Mapping
from typing import cast

from ringmain_core.errors import InvalidArguments
from ringmain_core.text import clean
from ringmain_vector.domain import FieldType, Value
from ringmain_vector.filters import type_of_value

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_MOST_FIELDS = 50
_MOST_IN_COLLECTION = 200  # each is an index, and stands in what agents are told
_MOST_LETTERS = 1_000
_MOST_NUMBER = 2**63


def typed(metadata: Mapping[str, object], known: Mapping[str, FieldType]) -> dict[str, Value]:
    """Metadata whose values have the types of their fields.

    Args:
        metadata: As it was given.
        known: The fields that the collection has by now; others are new.

    Raises:
        InvalidArguments: Where a name or value cannot be kept, or has another type than its field.
    """
    if len(metadata) > _MOST_FIELDS:
        raise InvalidArguments(f"There are {len(metadata)} fields of metadata; {_MOST_FIELDS} are kept.")
    return {name: _value(name, value, known.get(name)) for name, value in metadata.items()}


def fields_of(metadata: Mapping[str, Value]) -> dict[str, FieldType]:
    """The fields that a document has, each with its type."""
    return {name: type_of_value(value) for name, value in metadata.items()}


def merged(known: Mapping[str, FieldType], more: Mapping[str, FieldType]) -> dict[str, FieldType]:
    """The fields of a collection with those that are declared; for stores, where nobody else declares any.

    Raises:
        InvalidArguments: Where a field would have two types, or there would be too many.
    """
    for name, kind in more.items():
        if known.get(name, kind) != kind:
            raise InvalidArguments(
                f"`{name}` is a {known[name]} field in this collection, and would become a {kind} field. "
                "Give values that fit, or use another name."
            )
    found: dict[str, FieldType] = {**known, **more}
    if len(found) > max(_MOST_IN_COLLECTION, len(known)):
        raise InvalidArguments(
            f"The collection would have {len(found)} fields of metadata; {_MOST_IN_COLLECTION} are kept. Use "
            "the names of those that it has."
        )
    return found


def _value(name: str, value: object, kind: FieldType | None) -> Value:
    if not _NAME.fullmatch(name):
        raise InvalidArguments(
            f"`{clean(name)[:80]}` cannot be the name of a field: use at most 64 of a-z, A-Z, 0-9, _, -."
        )
    if not _can_be_kept(value):
        raise InvalidArguments(
            f"`{name}`: metadata is a text of at most {_MOST_LETTERS:,} characters, a number, a boolean."
        )
    given = cast("Value", value)
    found = type_of_value(given)
    if found == "integer" and kind == "float":
        return float(given)
    if kind not in (None, found):
        raise InvalidArguments(
            f"`{name}` is a {kind} field in this collection, and {value!r:.60} is of type {found}. Give "
            f"one that fits, or use another name."
        )
    return clean(given) if isinstance(given, str) else given


def _can_be_kept(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= _MOST_LETTERS
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, bool) or (isinstance(value, int) and -_MOST_NUMBER <= value < _MOST_NUMBER)
